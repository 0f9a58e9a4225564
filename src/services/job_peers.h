#pragma once
#include <map>
#include <string>
#include <vector>

#include "domain/health/health.h"
#include "domain/store/record_store.h"
#include "domain/views/fleet_snapshot.h"

namespace ghm::services {

/// Boards that run the same batch job, on whatever hosts, and how fast each is: the jobs that the ledger's open intervals name, the
/// clocks that the last reports say. Looked up anew every quarter of an hour; memory: a line per board with a job.
class JobPeers {
 public:
  explicit JobPeers(const store::RecordStore& records) : records_(records) {}

  /// O(boards), when it is due. What cannot be read leaves things as they were.
  void refresh(const views::FleetSnapshot& fleet, Timestamp now);
  /// Boards of the same model at a job of this board's, both for most of the day that their clocks are means of. At most 64, spread
  /// over the job: their median stands for all.
  std::vector<health::Peer> of(const fleet::Board& board) const;

 private:
  struct Worker {
    fleet::BoardId board{};
    std::string model;
    double busy_clock = 0;
  };
  void read_jobs(const views::FleetSnapshot& fleet, Timestamp now);

  const store::RecordStore& records_;
  std::map<std::string, std::vector<Worker>> jobs_;
  std::map<fleet::BoardId, std::vector<std::string>> jobs_of_;
  Timestamp next_{};
};

}  // namespace ghm::services
