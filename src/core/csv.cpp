#include "core/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace ghm {
namespace {

/// Reads one record starting at `at`; leaves `at` behind its line end. False where a quote is not closed.
bool take_record(std::string_view text, std::size_t& at, std::vector<std::string>& cells) {
  cells.assign(1, {});
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      const bool doubled = c == '"' && at + 1 < text.size() && text[at + 1] == '"';
      if (c == '"' && !doubled) quoted = false;
      else cells.back() += c;
      at += doubled ? 1 : 0;
    } else if (c == '"' && cells.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      cells.emplace_back();
    } else if (c == '\n') {
      ++at;
      break;
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return !quoted;
}

}  // namespace

Result<CsvTable> CsvTable::parse(std::string_view text, std::string_view file) {
  CsvTable table;
  std::size_t at = 0, line = 1;
  std::vector<std::string> cells;
  while (at < text.size()) {
    const std::size_t start = at;
    if (!take_record(text, at, cells)) return Error{Errc::invalid_input, fmt::format("{}:{}: a quote is not closed", file, line)};
    const bool blank = cells.size() == 1 && cells[0].empty();
    if (!blank && table.header_.empty()) table.header_ = cells;
    else if (!blank && cells.size() != table.header_.size())
      return Error{Errc::invalid_input, fmt::format("{}:{}: {} cells, expected {}", file, line, cells.size(), table.header_.size())};
    else if (!blank) table.rows_.push_back(cells);
    line += static_cast<std::size_t>(
        std::count(text.begin() + static_cast<std::ptrdiff_t>(start), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  }
  if (table.header_.empty()) return Error{Errc::invalid_input, fmt::format("{}: empty, expected a header row", file)};
  return table;
}

std::optional<std::size_t> CsvTable::column(std::string_view name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header_.begin());
}

const std::string& CsvTable::cell(std::size_t row, std::string_view name) const {
  const auto n = column(name);
  assert(n);
  return rows_[row][*n];
}

std::string csv_cell(std::string_view value) {
  std::string text(value);
  if (!text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos) text.insert(text.begin(), '\'');
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace ghm
