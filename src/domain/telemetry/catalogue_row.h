#pragma once
#include <charconv>
#include <optional>
#include <string>

#include "core/csv.h"

namespace ghm::telemetry {

/// One row of a catalogue file, read cell by cell; the first thing that is wrong is kept as the row's complaint.
class CatalogueRow {
 public:
  CatalogueRow(const CsvTable& table, std::size_t row, std::string file) : table_(table), row_(row), file_(std::move(file)) {}

  const std::string& text(const char* column) const { return table_.cell(row_, column); }
  /// nullopt for an empty cell.
  std::optional<double> number(const char* column) {
    const auto& cell = text(column);
    if (cell.empty()) return std::nullopt;
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc() || end != cell.data() + cell.size()) complain(column, "expected a number");
    return value;
  }
  void complain(const char* column, const std::string& expected) {
    // Row 0 of the table is line 2 of the file: the header is line 1.
    if (!error_)
      error_ = Error{Errc::invalid_input, file_ + ":" + std::to_string(row_ + 2) + ": " + column + " '" + text(column) + "': " + expected};
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  const CsvTable& table_;
  std::size_t row_;
  std::string file_;
  std::optional<Error> error_;
};

}  // namespace ghm::telemetry
