#include <deque>
#include <map>
#include <tuple>

#include "adapters/dcgm_exporter/careful_reader.h"
#include "adapters/dcgm_exporter/page_reader.h"

namespace ghm::dcgm_exporter {
namespace {

using Key = std::tuple<int, telemetry::Entity, telemetry::MetricId>;

/// What the page prints for every column that holds a number, in the order of columns.
std::map<std::uint32_t, std::string_view> printed_values(std::string_view page, const CarefulReader& reader) {
  std::map<std::uint32_t, std::string_view> out;
  for_each_line(page, [&](std::string_view line) {
    if (line.front() == '#') return true;
    const auto parts = split_line(line);
    const auto& row = reader.row_of(line, parts);
    const auto value = parts.rest.substr(0, parts.rest.find_first_of(" \t\r"));
    if (row.kind == RowKind::reading && parse_rest(parts.rest).number) out.emplace(static_cast<std::uint32_t>(row.column), value);
    return true;
  });
  return out;
}

}  // namespace

void quote_page(telemetry::PageReading& reading, std::size_t first, std::string_view page, const telemetry::MetricCatalogue& catalogue) {
  if (first >= reading.refused.size()) return;
  CarefulReader reader(catalogue, make_layout_pool());
  telemetry::PageReading again;
  reader.read(page, again);
  // Validation goes column by column, so of several refused columns of one key the texts come in the same order.
  std::map<Key, std::deque<std::string_view>> texts;
  for (const auto& [column, text] : printed_values(page, reader)) {
    const auto& s = again.layout->table->series[column];
    if (telemetry::is_absent(reading.values[column])) texts[{s.gpu, s.entity, s.metric}].push_back(text);
  }
  for (auto r = reading.refused.begin() + static_cast<std::ptrdiff_t>(first); r != reading.refused.end(); ++r) {
    auto& queue = texts[{r->gpu ? *r->gpu : -1, r->entity, r->metric}];
    if (queue.empty()) continue;
    r->value = queue.front();
    queue.pop_front();
  }
}

}  // namespace ghm::dcgm_exporter
