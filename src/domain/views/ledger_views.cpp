#include "domain/views/ledger_views.h"

#include <algorithm>
#include <cctype>

#include "domain/views/board_facts.h"
#include "domain/views/text_table.h"

namespace ghm::views {
namespace {

Json time_or_null(const std::optional<Timestamp>& t) {
  return t ? Json(format_rfc3339(*t)) : Json();
}

Json interval_json(const fleet::Interval& i) {
  Json facts = Json::object();
  for (const auto& [name, value] : i.facts) facts[name] = value;
  return {{"kind", i.kind}, {"value", i.value}, {"from", format_rfc3339(i.from)}, {"to", time_or_null(i.to)}, {"facts", std::move(facts)}};
}

Json asset_json(const fleet::Asset& a) {
  Json attributes = Json::object();
  for (const auto& [name, value] : a.attributes) attributes[name] = value;
  return {{"host", or_null(a.host)},
          {"rack", or_null(a.place.rack)},
          {"datacenter", or_null(a.place.datacenter)},
          {"region", or_null(a.place.region)},
          {"slot", or_null(a.slot)},
          {"pci_bus_id", or_null(a.pci_bus_id)},
          {"batch", or_null(a.batch)},
          {"manufactured_at", time_or_null(a.manufactured_at)},
          {"deployed_at", time_or_null(a.deployed_at)},
          {"retired_at", time_or_null(a.retired_at)},
          {"warranty_until", time_or_null(a.warranty_until)},
          {"purchase_price_usd", or_null(a.purchase_price_usd)},
          {"attributes", std::move(attributes)}};
}

Json board_json(const BoardView& view) {
  const auto& b = view.board;
  return {{"id", id_of(b)},
          {"serial", or_null(b.serial)},
          {"gpu_uuid", or_null(b.uuid)},
          {"model", or_null(b.model)},
          {"host", or_null(b.host)},
          {"rack", or_null(b.place.rack)},
          {"datacenter", or_null(b.place.datacenter)},
          {"region", or_null(b.place.region)},
          {"in_service", b.in_service},
          {"simulated", b.simulated},
          {"first_seen", or_null(b.first_seen)},
          {"last_seen", or_null(b.last_seen)},
          {"inventory", b.asset ? asset_json(*b.asset) : Json()}};
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool contains(const fleet::Board& b, const std::string& wanted) {
  const auto has = [&](const std::string& text) { return lower(text).find(wanted) != std::string::npos; };
  return has(b.serial) || has(b.uuid) || has(b.host) || has(b.place.rack) || has(b.model) || (b.asset && has(b.asset->batch));
}

}  // namespace

Json gpu_ledger(const FleetSnapshot& fleet, std::size_t board, const std::vector<fleet::Interval>& intervals) {
  Json items = Json::array();
  for (auto it = intervals.rbegin(); it != intervals.rend(); ++it)
    if (it->kind != "pod" && it->kind != "job") items.push_back(interval_json(*it));
  const auto& view = fleet.boards[board];
  Json windows = Json::array();
  for (const auto& w : fleet.maintenance.windows(view.board, {Timestamp(), fleet.as_of + std::chrono::days(365)}))
    windows.push_back({{"from", format_rfc3339(w.from)}, {"to", format_rfc3339(w.to)}});
  return {{"gpu", board_json(view)},
          {"items", std::move(items)},
          {"maintenance", std::move(windows)},
          {"next", nullptr},
          {"as_of", format_rfc3339(fleet.as_of)}};
}

Json gpu_jobs(const FleetSnapshot& fleet, std::size_t board, std::vector<fleet::Interval> intervals, std::size_t limit) {
  std::erase_if(intervals, [](const fleet::Interval& i) { return i.kind != "pod" && i.kind != "job"; });
  std::ranges::stable_sort(intervals, std::greater{}, &fleet::Interval::from);
  Json items = Json::array();
  for (const auto& i : intervals) {
    if (items.size() == limit) break;
    items.push_back({{"kind", i.kind}, {"name", i.value}, {"from", format_rfc3339(i.from)}, {"to", time_or_null(i.to)}});
  }
  return {{"id", id_of(fleet.boards[board].board)}, {"items", std::move(items)}, {"next", nullptr}, {"as_of", format_rfc3339(fleet.as_of)}};
}

Json assets(const FleetSnapshot& fleet, const AssetQuery& query) {
  const auto wanted = lower(query.search);
  std::vector<std::pair<std::string, const BoardView*>> found;
  for (const auto& view : fleet.boards)
    if (auto id = id_of(view.board); id > query.after && (wanted.empty() || contains(view.board, wanted)))
      found.emplace_back(std::move(id), &view);
  const auto shown = std::min(found.size(), query.limit);
  std::ranges::partial_sort(found, found.begin() + static_cast<std::ptrdiff_t>(shown), {}, &decltype(found)::value_type::first);
  Json items = Json::array();
  for (std::size_t i = 0; i < shown; ++i) items.push_back(board_json(*found[i].second));
  return {{"items", std::move(items)},
          {"next", found.size() > shown ? Json(found[shown - 1].first) : Json()},
          {"as_of", format_rfc3339(fleet.as_of)}};
}

Json maintenance_item(const fleet::Maintenance& m, Timestamp now) {
  return {{"id", m.id},
          {"scope", fleet::to_string(m.scope)},
          {"target", m.target},
          {"from", format_rfc3339(m.from)},
          {"until", time_or_null(m.until)},
          {"active", m.covers(now)},
          {"reason", or_null(m.reason)},
          {"by", or_null(m.by)}};
}

Json maintenance(const FleetSnapshot& fleet, std::optional<bool> active) {
  auto windows = fleet.maintenance.all();
  const auto now = fleet.as_of;
  if (active) std::erase_if(windows, [&](const fleet::Maintenance& m) { return m.covers(now) != *active; });
  std::ranges::sort(windows, [&](const fleet::Maintenance& a, const fleet::Maintenance& b) {
    return std::tuple(a.covers(now), a.from, a.id) > std::tuple(b.covers(now), b.from, b.id);
  });
  Json items = Json::array();
  for (const auto& m : windows) items.push_back(maintenance_item(m, now));
  return {{"items", std::move(items)}, {"next", nullptr}, {"as_of", format_rfc3339(now)}};
}

std::string maintenance_text(const Json& list, std::size_t width) {
  const auto& items = list.at("items");
  if (items.empty()) return "Nothing is or was under maintenance.\n";
  TextTable table(
      {{"SCOPE", false, 3}, {"TARGET", false, 6}, {"FROM", false, 4}, {"UNTIL", false, 4}, {"ACTIVE", false, 5}, {"REASON", false, 2}});
  for (const auto& m : items) {
    const auto text = [&](const char* key) {
      return m.value(key, Json()).is_string() ? printable(m[key].get<std::string>()) : std::string("-");
    };
    table.add({text("scope"), text("target"), text("from"), text("until"), m.value("active", false) ? "yes" : "no", text("reason")});
  }
  return table.text(width);
}

}  // namespace ghm::views
