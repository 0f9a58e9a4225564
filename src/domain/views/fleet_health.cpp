// The fleet's health from above: one index, and the same for every region, rack, host, model, batch and driver, each with
// the board that pulls it down most and the one that fell most.
#include <algorithm>
#include <array>
#include <map>

#include "domain/views/board_facts.h"
#include "domain/views/json_views.h"

namespace ghm::views {
namespace {

struct Grouping {
  const char* name;
  std::string (*key)(const fleet::Board&);
};

constexpr std::array kGroupings{
    Grouping{"region", [](const fleet::Board& b) { return b.place.region; }},
    Grouping{"datacenter", [](const fleet::Board& b) { return b.place.datacenter; }},
    Grouping{"rack", [](const fleet::Board& b) { return b.place.rack; }},
    Grouping{"host", [](const fleet::Board& b) { return b.host; }},
    Grouping{"model", [](const fleet::Board& b) { return b.model; }},
    Grouping{"batch", [](const fleet::Board& b) { return b.asset ? b.asset->batch : std::string(); }},
    Grouping{"driver", [](const fleet::Board& b) { return b.driver_version; }},
};

std::optional<double> trend_of(const BoardView& v) {
  return v.health ? v.health->trend_7d : std::nullopt;
}

/// Boards that belong together.
struct Group {
  std::size_t gpus = 0, scored = 0, silent = 0, below_70 = 0;
  double sum = 0;
  const BoardView* worst = nullptr;   // the lowest score
  const BoardView* fallen = nullptr;  // the largest fall in 7 days

  void add(const BoardView& v) {
    ++gpus;
    silent += v.silent ? 1 : 0;
    if (const auto score = score_of(v)) {
      ++scored;
      sum += *score;
      below_70 += *score < 70 ? 1 : 0;
      if (worst == nullptr || *score < *score_of(*worst)) worst = &v;
    }
    if (const auto trend = trend_of(v); trend && *trend < 0 && (fallen == nullptr || *trend < *trend_of(*fallen))) fallen = &v;
  }
  std::optional<double> index() const { return scored == 0 ? std::nullopt : std::optional(sum / static_cast<double>(scored)); }
};

Json member(const BoardView* v) {
  if (v == nullptr) return nullptr;
  const auto* finding = top_finding(*v);
  return {{"id", id_of(v->board)},
          {"name", name_of(v->board)},
          {"score", or_null(score_of(*v))},
          {"trend_7d", or_null(trend_of(*v))},
          {"top_finding", finding ? Json(health::sentence(*finding)) : Json()},
          {"since", finding ? Json(format_rfc3339(from_unix_ms(static_cast<std::int64_t>(finding->at * 1000)))) : Json()}};
}

Json group_json(const std::string& name, const Group& g) {
  return {{"name", or_null(name)},     {"gpus", g.gpus},
          {"scored", g.scored},        {"silent", g.silent},
          {"below_70", g.below_70},    {"index", or_null(g.index())},
          {"lowest", member(g.worst)}, {"moved_by", member(g.fallen)}};
}

// The lowest index first; groups without a score last.
Json groups_json(const FleetSnapshot& fleet, const Grouping& grouping) {
  constexpr std::size_t kMostGroups = 200;
  std::map<std::string, Group> groups;
  for (const auto& v : fleet.boards)
    if (v.board.in_service) groups[grouping.key(v.board)].add(v);
  std::vector<std::pair<double, const std::pair<const std::string, Group>*>> order;
  for (const auto& entry : groups) order.emplace_back(entry.second.index().value_or(1000), &entry);
  std::ranges::stable_sort(order, {}, &decltype(order)::value_type::first);
  if (order.size() > kMostGroups) order.resize(kMostGroups);
  Json out = Json::array();
  for (const auto& [index, entry] : order) out.push_back(group_json(entry->first, entry->second));
  return out;
}

Json dimensions_json(const FleetSnapshot& fleet) {
  Json out = Json::array();
  for (const auto& spec : health::dimensions()) {
    std::vector<double> scores;
    for (const auto& v : fleet.boards) {
      if (!v.board.in_service || v.health == nullptr) continue;
      for (const auto& d : v.health->dimensions)
        if (d.name == spec.name && d.score) scores.push_back(*d.score);
    }
    out.push_back({{"name", spec.name},
                   {"boards", scores.size()},
                   {"p5", or_null(percentile(scores, 5))},
                   {"median", or_null(percentile(scores, 50))}});
  }
  return out;
}

}  // namespace

Json fleet_health(const FleetSnapshot& fleet) {
  Group all;
  for (const auto& v : fleet.boards)
    if (v.board.in_service) all.add(v);
  Json groups = Json::object();
  for (const auto& grouping : kGroupings) groups[grouping.name] = groups_json(fleet, grouping);
  return {{"as_of", format_rfc3339(fleet.as_of)},
          {"index", or_null(all.index())},
          {"total_gpus", all.gpus},
          {"scored", all.scored},
          {"below_70", all.below_70},
          {"coverage", all.gpus == 0 ? Json() : Json(static_cast<double>(all.scored) / static_cast<double>(all.gpus))},
          {"lowest", member(all.worst)},
          {"moved_by", member(all.fallen)},
          {"dimensions", dimensions_json(fleet)},
          {"groups", std::move(groups)}};
}

Json fleet_degraded(const FleetSnapshot& fleet, double below, std::size_t limit) {
  std::vector<std::pair<double, const BoardView*>> found;
  for (const auto& v : fleet.boards)
    if (const auto score = score_of(v); v.board.in_service && score && *score < below) found.emplace_back(*score, &v);
  std::ranges::stable_sort(found, {}, &decltype(found)::value_type::first);
  Json items = Json::array();
  for (const auto& [score, v] : found) {
    if (items.size() == limit) break;
    items.push_back(gpu_row(*v));
  }
  return {
      {"items", std::move(items)}, {"total", found.size()}, {"below", below}, {"next", nullptr}, {"as_of", format_rfc3339(fleet.as_of)}};
}

}  // namespace ghm::views
