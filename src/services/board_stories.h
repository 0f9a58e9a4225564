#pragma once
#include <map>
#include <string>
#include <vector>

#include "domain/store/record_store.h"
#include "pipeline/live_view.h"
#include "services/scoring.h"

namespace ghm::services {

/// The event of a board that scores look at, and whose; nullopt for any other record.
std::optional<std::pair<fleet::BoardId, health::Event>> scored_event(const store::Record& event);

/// What the records know of boards, for scores: their events, when their source was silent, when somebody worked on them.
/// Events are read once and then only the new ones; memory: those of 31 days that scores look at. The scoring thread's alone.
class BoardStories {
 public:
  BoardStories(const store::TelemetryStore& telemetry, const store::RecordStore& records, const pipeline::LiveView& live)
      : telemetry_(telemetry), records_(records), live_(live) {}

  /// Boards of one host. What cannot be read now is not known: the story says so, and the score with it.
  std::vector<BoardStory> tell(std::span<const fleet::Board* const> boards, Timestamp now);

 private:
  bool read_events(Timestamp now);
  void forget_events_before(Timestamp t);
  std::optional<std::vector<health::Interval>> silence(const views::FleetSnapshot& fleet, const std::string& host, Timestamp now) const;

  const store::TelemetryStore& telemetry_;
  const store::RecordStore& records_;
  const pipeline::LiveView& live_;
  std::string newest_;  // key of the last event that was read
  std::map<fleet::BoardId, std::vector<health::Event>> events_;
  Timestamp next_sweep_{};
};

}  // namespace ghm::services
