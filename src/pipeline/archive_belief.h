#pragma once
#include <map>
#include <string>
#include <vector>

#include "adapters/archive/telemetry_reader.h"
#include "domain/validation/believe.h"

namespace ghm::pipeline {

/// Validation of a telemetry table's rows: each is judged as a page of one GPU would be, by its model's limits and by those that
/// the row itself states. What is believed follows from the row and the model alone, so an import that goes on judges alike.
class ArchiveBelief {
 public:
  /// The columns of the rows that follow.
  void begin(const std::vector<archive::TelemetryColumn>& columns);
  /// Sets what is not believed to absent; answers what that was, until the next call. ~1 ns per value when all is well.
  const std::vector<telemetry::Refusal>& check(const std::string& model, std::vector<double>& values);

 private:
  using Limits = std::map<std::vector<std::uint64_t>, validation::ColumnRules>;  // by the bits of what the row states
  const validation::ColumnRules& rules_of(const std::string& model, const std::vector<double>& values);

  std::shared_ptr<const telemetry::SeriesTable> table_;
  std::vector<std::size_t> limit_columns_;
  std::map<std::string, Limits, std::less<>> rules_;
  std::vector<std::uint64_t> stated_;
  telemetry::PageReading reading_;
};

}  // namespace ghm::pipeline
