#pragma once
#include <map>
#include <string>
#include <vector>

#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"
#include "services/scoring.h"

namespace ghm::services {

/// A fleet as its records tell it, for looking back.
struct FleetPast {
  std::vector<fleet::Board> boards;
  std::map<std::string, fleet::Host, std::less<>> hosts;
  fleet::MaintenanceBook maintenance;
};
FleetPast past_of(const fleet::Ledger& ledger);
FleetPast past_of(const views::FleetSnapshot& fleet);

/// When nothing of any board of a host was heard, by their readings: what the ledger's intervals would say, had anybody listened.
class Hearing {
 public:
  /// Times in any order within a call, later ones with each call. A pause of more than two intervals was silence.
  void hear(std::vector<Timestamp> times, std::chrono::milliseconds interval);
  std::vector<health::Interval> silence(Timestamp t) const;

 private:
  std::optional<Timestamp> last_;
  std::chrono::milliseconds interval_{};
  std::vector<health::Interval> silent_;
};

/// What was known of a board at a time in the past: nothing of what came later. ~50 bytes per event that scores look at, all of
/// them from the beginning. One thread's alone.
class BackStories {
 public:
  /// `fleet` must outlive this. unavailable, corrupt: the records cannot be read.
  static Result<BackStories> read(const store::RecordStore& records, const FleetPast& fleet);
  /// Without previous scores. `heard`: of the board's host, asked where the ledger did not know it then.
  BoardStory tell(const fleet::Board& board, Timestamp t, const Hearing& heard);

 private:
  BackStories(const store::RecordStore& records, const FleetPast& fleet) : records_(&records), fleet_(&fleet) {}
  std::optional<std::vector<health::Interval>> silence(const fleet::Host& host, Timestamp t);

  const store::RecordStore* records_;
  const FleetPast* fleet_;
  std::map<fleet::BoardId, std::vector<health::Event>> events_;                                    // by time
  std::map<std::string, std::optional<std::vector<health::Interval>>, std::less<>> silent_hosts_;  // ended intervals
};

}  // namespace ghm::services
