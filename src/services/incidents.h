#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/log.h"
#include "domain/faults/heard.h"
#include "domain/faults/incident_book.h"
#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"
#include "domain/views/fleet_snapshot.h"
#include "services/job_ends.h"

namespace ghm::services {

struct IncidentStats {
  faults::BookCounts book;
  std::uint64_t events = 0;      // looked at
  std::uint64_t unreadable = 0;  // records of an earlier run that were left out
};

/// Events become incidents on their way to the store: what passes by is read, and the incidents that it changed are appended to the
/// same transaction. So a kill leaves both or none, and nothing is read twice. The ingest thread's alone.
class Incidents {
 public:
  explicit Incidents(const fleet::Ledger& ledger, std::shared_ptr<const faults::FaultCatalogue> codes, Log log);

  /// The incidents, feedback, jobs and driver changes of an earlier run. A record that cannot be read is counted and left out.
  Result<void> restore(const store::RecordStore& records, Timestamp now);

  /// Reads the events among `records` and appends the records of incidents that they changed, and an event for each job that ended
  /// together with a fault (job_ends.h). Records that come again, because
  /// they could not be kept, change nothing. ~1 µs where nothing happened.
  void take(std::vector<store::Record>& records, Timestamp now);

  /// Now and then, with the fleet as it is seen: boards that have worked well for ten minutes since a program's fault say that
  /// it is over; old incidents are forgotten. What changed, to be kept.
  std::vector<store::Record> tick(const views::FleetSnapshot& fleet, Timestamp now);

  /// An operator's word. What changed, to be kept. not_found, conflict.
  Result<std::vector<store::Record>> clear(std::uint64_t id, std::string by, std::string why, Timestamp now);
  Result<std::vector<store::Record>> feedback(std::uint64_t id, std::string_view cause, bool right, std::string by, std::string note,
                                              Timestamp now);

  const faults::IncidentBook& book() const { return book_; }
  IncidentStats stats() const;

 private:
  struct OnHost {
    int boards = 0;
    std::string driver;
  };
  faults::Where where(faults::BoardId board, const std::string& host, Timestamp at);
  const OnHost& on_host(const std::string& host, Timestamp now);
  void note(const store::Record& record);
  bool is_new(const std::string& id);
  void hear(const faults::Heard& heard);
  void note_jobs(const store::Record& open);
  void tell_job_ends(std::vector<store::Record>& out);
  void take_changed(std::vector<store::Record>& out);
  void note_work(const views::FleetSnapshot& fleet, Timestamp now);

  const fleet::Ledger& ledger_;
  std::shared_ptr<const faults::FaultCatalogue> codes_;
  Log log_;
  faults::IncidentBook book_;
  std::unordered_map<faults::BoardId, std::string> jobs_;  // of boards where one runs, by the ledger's open intervals
  JobEnds job_ends_;
  std::unordered_map<std::string, Timestamp> driver_changes_;  // by host, of the last seven days
  std::unordered_map<faults::BoardId, Timestamp> busy_since_;  // of boards in incidents that work could end
  std::unordered_set<std::string> seen_;                       // events, the newest kMostSeen
  std::deque<std::string> seen_order_;
  std::unordered_map<std::string, OnHost> hosts_;  // looked at anew when it is older than a few seconds: a walk over all boards
  Timestamp hosts_at_{}, now_{};
  std::uint64_t feedback_sequence_ = 0;
  Timestamp next_look_{};
  IncidentStats stats_;
};

}  // namespace ghm::services
