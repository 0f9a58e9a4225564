#include <algorithm>
#include <cassert>

#include "core/csv.h"
#include "domain/views/board_facts.h"
#include "domain/views/gpu_query.h"

namespace ghm::views {
namespace {

using Keyed = std::pair<SortKey, std::size_t>;  // a key and its index into boards

std::vector<Keyed> keyed(const FleetSnapshot& fleet, const SortOrder& order, const std::vector<std::size_t>& found) {
  std::vector<Keyed> out;
  out.reserve(found.size());
  for (const auto i : found) out.emplace_back(order.key(fleet.boards[i]), i);
  return out;
}

void drop_up_to(std::vector<Keyed>& rows, const SortOrder& order, const SortKey& last) {
  std::erase_if(rows, [&](const Keyed& row) { return !order.before(last, row.first); });
}

void sort_first(std::vector<Keyed>& rows, std::size_t count, const SortOrder& order) {
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(std::min(count, rows.size()));
  std::partial_sort(rows.begin(), middle, rows.end(), [&](const Keyed& a, const Keyed& b) { return order.before(a.first, b.first); });
}

struct Column {
  std::string_view header;
  std::string_view member;          // of the row's JSON
  std::string_view dimension = {};  // then a member of row["dimensions"]
};

constexpr Column kColumns[] = {
    {"id", "id"},
    {"serial", "serial"},
    {"uuid", "uuid"},
    {"name", "name"},
    {"model", "model"},
    {"host", "host"},
    {"slot", "slot"},
    {"pci_bus_id", "pci_bus_id"},
    {"rack", "rack"},
    {"datacenter", "datacenter"},
    {"region", "region"},
    {"driver_version", "driver_version"},
    {"vbios_version", "vbios_version"},
    {"simulated", "simulated"},
    {"in_service", "in_service"},
    {"silent", "silent"},
    {"first_seen", "first_seen"},
    {"last_seen", "last_seen"},
    {"score", "score"},
    {"class", "class"},
    {"band", "band"},
    {"risk", "risk"},
    {"coverage", "coverage"},
    {"top_finding", "top_finding"},
    {"memory_score", "dimensions", "memory"},
    {"thermal_score", "dimensions", "thermal"},
    {"performance_score", "dimensions", "performance"},
    {"power_score", "dimensions", "power"},
    {"reliability_score", "dimensions", "reliability"},
    {"temperature_celsius", "temperature"},
    {"memory_temperature_celsius", "memory_temperature"},
    {"power_w", "power"},
    {"utilisation_percent", "utilisation"},
    {"sm_clock_mhz", "sm_clock"},
};

std::string cell_text(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  return value.dump();
}

std::string csv_row(const Json& row) {
  std::string line;
  for (const auto& c : kColumns) {
    const auto& member = row.at(std::string(c.member));
    const auto& value = c.dimension.empty() ? member : member.at(std::string(c.dimension));
    if (&c != kColumns) line += ',';
    line += csv_cell(cell_text(value));
  }
  return line + "\r\n";
}

std::string csv_header() {
  std::string line;
  for (const auto& c : kColumns) line.append(&c == kColumns ? "" : ",").append(c.header);
  return line + "\r\n";
}

}  // namespace

Result<Json> gpu_list(const FleetSnapshot& fleet, const GpuQuery& query) {
  if (const auto fine = check_query(query); !fine) return fine.error();
  const auto order = SortOrder::parse(query.sort);
  const auto found = matching(fleet, query);
  auto rows = keyed(fleet, *order, found);
  if (!query.cursor.empty()) drop_up_to(rows, *order, read_cursor(query.cursor, query.sort)->key());
  sort_first(rows, query.limit, *order);
  const bool more = rows.size() > query.limit;
  if (more) rows.resize(query.limit);
  Json items = Json::array();
  for (const auto& [key, i] : rows) items.push_back(gpu_row(fleet.boards[i]));
  return Json{{"items", std::move(items)},
              {"next", more ? Json(write_cursor(query.sort, rows.back().first)) : Json()},
              {"as_of", format_rfc3339(fleet.as_of)},
              {"total", found.size()}};
}

std::string gpu_list_csv(const FleetSnapshot& fleet, const GpuQuery& query) {
  const auto order = SortOrder::parse(query.sort);
  assert(order);
  auto rows = keyed(fleet, *order, matching(fleet, query));
  sort_first(rows, rows.size(), *order);
  std::string csv = csv_header();
  for (const auto& [key, i] : rows) csv += csv_row(gpu_row(fleet.boards[i]));
  return csv;
}

}  // namespace ghm::views
