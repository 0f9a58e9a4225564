#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace ghm {

/// One CSV file in memory (RFC 4180: quotes, doubled quotes, CRLF or LF, a missing last newline is fine).
/// The first row names the columns. O(size) time; cells are views into `text`, or into an own copy where quotes were undone.
class CsvTable {
 public:
  /// `file` names it in errors: "data/metrics.csv:12: 9 cells, expected 10". `text` must outlive the table.
  static Result<CsvTable> parse(std::string_view text, std::string_view file);

  std::size_t size() const { return rows_.size(); }
  const std::vector<std::string>& header() const { return header_; }
  std::optional<std::size_t> column(std::string_view name) const;
  /// The cell of a row by column name; an unknown column is a bug.
  const std::string& cell(std::size_t row, std::string_view column) const;
  const std::vector<std::string>& row(std::size_t n) const { return rows_[n]; }

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

/// A cell for export: quoted where needed; a leading = + - @ gets a ' so that a spreadsheet runs nothing.
std::string csv_cell(std::string_view value);

}  // namespace ghm
