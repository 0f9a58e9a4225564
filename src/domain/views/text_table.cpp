#include "domain/views/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ghm::views {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastOfLast = 12;

bool starts_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, text_width(text)), ' ');
  return right ? space + text : text + space;
}

void trim_end(std::string& line) {
  line.erase(line.find_last_not_of(' ') + 1);
}

}  // namespace

std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, starts_code_point));
}

std::string cut(std::string_view text, std::size_t width) {
  if (text_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size() && (seen += starts_code_point(text[end]) ? 1 : 0) < width;) ++end;
  return std::string(text.substr(0, end)) + "…";
}

std::string percent(const nlohmann::ordered_json& share) {
  if (!share.is_number()) return "-";
  const double p = share.get<double>();
  const auto whole = std::lround(100 * p);
  if (whole == 100 && p < 1) return "99 %";
  if (whole == 0 && p > 0) return "< 1 %";
  return fmt::format("{} %", whole);
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    // U+0080..U+009F, the other control characters, are C2 80..C2 9F.
    const bool c1 = c >= 0x80 && c < 0xA0 && i > 0 && static_cast<unsigned char>(out[i - 1]) == 0xC2;
    if (c1) out.replace(--i, 2, "?");
    else if (c < 0x20 || c == 0x7F) out[i] = '?';
  }
  return out;
}

std::vector<std::size_t> TextTable::widths() const {
  std::vector<std::size_t> w;
  for (const auto& c : columns_) w.push_back(text_width(c.header));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) w[i] = std::max(w[i], text_width(row[i]));
  return w;
}

std::vector<std::size_t> TextTable::shown(const std::vector<std::size_t>& widths, std::size_t width) const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < columns_.size(); ++i) out.push_back(i);
  const auto need = [&] {
    std::size_t sum = 0;
    for (const auto i : out) sum += (i == columns_.size() - 1 ? std::min(widths[i], kLeastOfLast) : widths[i]) + kGap;
    return sum - kGap;
  };
  while (out.size() > 1 && need() > width) out.erase(std::ranges::min_element(out, {}, [&](std::size_t i) { return columns_[i].keep; }));
  return out;
}

std::string TextTable::line(const std::vector<std::string>& cells, const std::vector<std::size_t>& shown,
                            const std::vector<std::size_t>& widths, std::size_t width) const {
  std::string out;
  for (const auto i : shown) {
    if (i != shown.front()) out += std::string(kGap, ' ');
    out += padded(cells[i], widths[i], columns_[i].right);
  }
  trim_end(out);
  return cut(out, width) + "\n";
}

std::string TextTable::text(std::size_t width) const {
  const auto w = widths();
  const auto columns = shown(w, width);
  std::vector<std::string> headers;
  for (const auto& c : columns_) headers.push_back(c.header);
  std::string out = line(headers, columns, w, width);
  for (const auto& row : rows_) out += line(row, columns, w, width);
  return out;
}

}  // namespace ghm::views
