#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

/// Tables for a terminal: aligned columns, no line wider than asked for.
namespace ghm::views {

/// Screen columns of a UTF-8 text, one per code point: names here hold no wide letters.
std::size_t text_width(std::string_view text);
/// At most `width` columns, "…" at the end where something is cut.
std::string cut(std::string_view text, std::size_t width);
/// Control characters become "?": a name from a page must not steer the terminal that shows it.
std::string printable(std::string_view text);

/// 0.973 as "97 %"; a share below 1 never says "100 %", one above 0 never "0 %"; "-" for what is no number.
std::string percent(const nlohmann::ordered_json& share);

struct TableColumn {
  std::string header;
  bool right = false;  // numbers stand right
  int keep = 0;        // the least kept go first when the width does not suffice
};

class TextTable {
 public:
  explicit TextTable(std::vector<TableColumn> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// Two spaces between columns. The last column is cut before any is dropped, but not below 12.
  std::string text(std::size_t width) const;

 private:
  std::vector<std::size_t> widths() const;
  std::vector<std::size_t> shown(const std::vector<std::size_t>& widths, std::size_t width) const;
  std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& shown, const std::vector<std::size_t>& widths,
                   std::size_t width) const;

  std::vector<TableColumn> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace ghm::views
