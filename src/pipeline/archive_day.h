#pragma once
#include <map>
#include <string>
#include <vector>

#include "adapters/archive/byte_sink.h"
#include "domain/fleet/ledger.h"
#include "domain/store/telemetry_store.h"

namespace ghm::pipeline {

/// Writes the readings of a fleet as a telemetry table: all boards' rows in time order, a column per series that any board has.
class ArchiveDay {
 public:
  struct Board {
    std::string uuid;
    std::vector<store::SeriesKey> series;
  };
  ArchiveDay(const store::TelemetryStore& store, std::vector<Board> boards);

  /// Another day: first(), last() and usual_step() begin anew.
  void begin();
  bool has_series() const { return !columns_.empty(); }
  std::string header() const;
  /// The rows of from <= t < to, appended to `sink`. ~100 ns per cell.
  Result<void> write(TimeRange range, archive::ByteSink& sink);

  std::uint64_t rows() const { return rows_; }
  std::uint64_t cells() const { return cells_; }
  std::optional<Timestamp> first() const { return first_; }
  std::optional<Timestamp> last() const { return last_; }
  /// The most frequent step between two rows of a board; 0 without any.
  std::chrono::milliseconds usual_step() const;

 private:
  struct Row {
    Timestamp at{};
    std::size_t board = 0, values = 0;  // values: index of its first in values_
  };
  using Column = std::pair<telemetry::Entity, telemetry::MetricId>;
  Result<void> gather(std::size_t board, TimeRange range);
  void print(const Row& row, std::string& out);

  const store::TelemetryStore& store_;
  std::vector<Board> boards_;
  std::vector<std::vector<std::size_t>> places_;  // per board, per series: its column
  std::vector<Column> columns_;
  std::vector<Row> rows_of_window_;
  std::vector<double> values_;
  std::string time_text_;
  Timestamp time_of_text_{};
  std::uint64_t rows_ = 0, cells_ = 0;
  std::optional<Timestamp> first_, last_;
  std::vector<std::optional<Timestamp>> before_;  // per board: its row before
  std::map<std::chrono::milliseconds, std::uint64_t> steps_;
};

}  // namespace ghm::pipeline
