#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/archive/table.h"
#include "core/time.h"
#include "domain/telemetry/conversion.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::archive {

/// What a telemetry column is about, from its name: `DCGM_FI_DEV_GPU_TEMP`, `NAME@nvlink4`, `NAME@mig2`.
struct TelemetryColumn {
  std::size_t cell = 0;
  telemetry::Entity entity;
  telemetry::MetricId metric{};
  telemetry::Conversion to_canonical;
};

/// A telemetry table: one GPU at one instant per row, its values in canonical units.
class TelemetryReader {
 public:
  /// invalid_input where `time` or `gpu_uuid` is missing. Columns that are no reading of a GPU (unknown names, texts, the host's
  /// own, event-like ones) are kept out, each with a warning.
  static Result<TelemetryReader> open(std::string file, std::unique_ptr<ByteStream> in, const telemetry::MetricCatalogue& catalogue,
                                      std::vector<std::string>& warnings);

  const std::vector<TelemetryColumn>& columns() const { return columns_; }
  /// Goes on where an earlier reader's place() was, before the first next(). corrupt where the table is shorter now.
  Result<void> skip(CsvReader::Place to);

  /// False at the end. ~20 ns per cell. A cell that is no number is absent, and counted; a bad time costs the row.
  Result<bool> next(Refusals& refusals);
  Timestamp at() const { return at_; }
  std::string_view gpu_uuid() const;
  const std::vector<double>& values() const { return values_; }  // one per column, absent() where there is none
  std::uint64_t line() const { return table_.line(); }
  const std::string& file() const { return table_.file(); }
  CsvReader::Place place() const { return table_.place(); }
  std::uint64_t bytes_of_file() const { return table_.bytes_of_file(); }

 private:
  explicit TelemetryReader(Table table) : table_(std::move(table)) {}
  bool take_time(std::string_view cell);
  void take_values(Refusals& refusals);

  Table table_;
  std::size_t time_cell_ = 0, uuid_cell_ = 0;
  std::vector<TelemetryColumn> columns_;
  std::string time_text_;  // of the row before: whole fleets share an instant
  Timestamp at_{};
  std::vector<double> values_;
};

/// The column's name as it is written: the canonical spelling, whose unit is the canonical one.
std::string column_name(const telemetry::MetricSpec& spec, telemetry::Entity entity);

}  // namespace ghm::archive
