#pragma once
#include <optional>
#include <vector>

#include "domain/store/record_store.h"
#include "domain/telemetry/identity.h"

namespace ghm::services {

/// What is noted of one board's scores of the past; kind "back_scores", key: its number.
struct BackRecord {
  struct Span {
    TimeRange range;
    std::chrono::milliseconds interval{};  // of the board's readings then
  };
  telemetry::BoardId board{};
  std::vector<Span> spans;        // of imported readings; where they overlap the last one holds
  std::vector<TimeRange> scored;  // looked at already: what has no score there cannot have one. Sorted, apart

  std::optional<std::chrono::milliseconds> interval_at(Timestamp t) const;
  bool is_scored(Timestamp t) const;
  void note_span(Span span);
  void note_scored(TimeRange range);
};
store::Record to_record(const BackRecord& record);
/// An empty one where there is none. corrupt: it cannot be read.
Result<BackRecord> read_back_record(const store::RecordStore& records, telemetry::BoardId board);

}  // namespace ghm::services
