// The fleet's health from above: one index, and the same for every region, rack, host, model, batch and driver, each with
// the board that pulls it down most and the one that fell most.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>

#include "domain/views/board_facts.h"
#include "domain/views/group_view.h"
#include "domain/views/json_views.h"
#include "domain/views/story.h"

namespace ghm::views {
namespace {

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

// Since when: as its history tells, else when the finding was last seen.
Json since_of(const BoardView& v, const health::Finding* finding, const FallOf& falls) {
  if (falls)
    for (const auto within : {std::chrono::hours(24), std::chrono::hours(24 * 7)})
      if (const auto fall = falls(v.board.id, health::kOverallScore, within)) return format_rfc3339(fall->since);
  return finding ? Json(format_rfc3339(from_unix_ms(static_cast<std::int64_t>(finding->at * 1000)))) : Json();
}

Json member(const BoardView* v, const FallOf& falls) {
  if (v == nullptr) return nullptr;
  const auto* finding = top_finding(*v);
  return {{"id", id_of(v->board)},
          {"name", name_of(v->board)},
          {"score", or_null(score_of(*v))},
          {"trend_7d", or_null(trend_of(*v))},
          {"top_finding", finding ? Json(health::sentence(*finding)) : Json()},
          {"since", since_of(*v, finding, falls)}};
}

Json group_json(const std::string& name, const Group& g, const FallOf& falls = {}) {
  return {{"name", or_null(name)},
          {"gpus", g.gpus},
          {"scored", g.scored},
          {"silent", g.silent},
          {"below_70", g.below_70},
          {"index", or_null(g.index())},
          {"lowest", member(g.worst, falls)},
          {"moved_by", member(g.fallen, falls)}};
}

// The lowest index first; groups without a score last.
Json groups_json(const FleetSnapshot& fleet, const Grouping& grouping, const FallOf& falls = {}) {
  constexpr std::size_t kMostGroups = 200, kMostAsked = 50;
  std::map<std::string, Group> groups;
  for (const auto& v : fleet.boards)
    if (v.board.in_service) groups[std::string(grouping.key(v.board))].add(v);
  std::vector<std::pair<double, const std::pair<const std::string, Group>*>> order;
  for (const auto& entry : groups) order.emplace_back(entry.second.index().value_or(1000), &entry);
  std::ranges::stable_sort(order, {}, &decltype(order)::value_type::first);
  if (order.size() > kMostGroups) order.resize(kMostGroups);
  Json out = Json::array();
  for (const auto& [index, entry] : order)
    out.push_back(group_json(entry->first, entry->second, out.size() < kMostAsked ? falls : FallOf()));
  return out;
}

using Boards = std::vector<const BoardView*>;

Boards in_service(const FleetSnapshot& fleet, const std::function<bool(const BoardView&)>& is_meant) {
  Boards out;
  for (const auto& v : fleet.boards)
    if (v.board.in_service && is_meant(v)) out.push_back(&v);
  return out;
}

Json dimensions_json(const Boards& boards) {
  Json out = Json::array();
  for (const auto& spec : health::dimensions()) {
    std::vector<double> scores;
    for (const auto* view : boards) {
      const auto& v = *view;
      if (v.health == nullptr) continue;
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

// Where a place lies; what is no place lies nowhere.
Json place_json(const Grouping& kind, const fleet::Place& place) {
  Json out = Json::object();
  const auto& names = {std::pair("region", &place.region), {"datacenter", &place.datacenter}, {"rack", &place.rack}};
  const bool is_host = kind.name == "host";
  const bool is_place = is_host || std::ranges::any_of(names, [&](const auto& n) { return n.first == kind.name; });
  bool beyond = !is_place;
  for (const auto& [name, value] : names) {
    beyond |= !is_host && kind.name == name;
    out[name] = beyond ? Json() : or_null(*value);
  }
  return out;
}

// The rest of the fleet as far as it is comparable: boards of the same models.
Json rest_json(const Boards& members, const Boards& others) {
  std::set<std::string_view> models;
  for (const auto* v : members) models.insert(v->board.model);
  Group rest;
  for (const auto* v : others)
    if (models.contains(v->board.model)) rest.add(*v);
  return {{"gpus", rest.gpus}, {"scored", rest.scored}, {"index", or_null(rest.index())}};
}

Json fell_json(const Boards& members, const Group& group, const FallOf& falls) {
  constexpr std::size_t kMostAsked = 256;
  constexpr double kLeast = 1;
  double lost = 0;
  const BoardView* by = nullptr;
  Fall most;
  std::size_t asked = 0;
  for (const auto* v : members) {
    if (!falls || !score_of(*v) || ++asked > kMostAsked) continue;
    const auto fall = falls(v->board.id, health::kOverallScore, std::chrono::hours(24));
    if (!fall) continue;
    lost += fall->from - fall->to;
    if (by != nullptr && fall->from - fall->to <= most.from - most.to) continue;
    by = v;
    most = *fall;
  }
  const auto scored = static_cast<double>(group.scored);
  if (by == nullptr || lost < kLeast * scored) return nullptr;
  return {{"from", *group.index() + lost / scored},
          {"to", *group.index()},
          {"since", format_rfc3339(most.since)},
          {"by", {{"id", id_of(by->board)}, {"name", name_of(by->board)}, {"from", most.from}, {"to", most.to}}}};
}

Json figure(const Boards& boards, std::optional<double> BoardView::*value) {
  std::vector<double> all;
  double sum = 0;
  for (const auto* v : boards)
    if (v->*value) {
      all.push_back(*(v->*value));
      sum += all.back();
    }
  return {{"boards", all.size()},
          {"median", or_null(percentile(all, 50))},
          {"max", or_null(percentile(all, 100))},
          {"sum", all.empty() ? Json() : Json(sum)}};
}

Json figures_json(const Boards& boards) {
  return {{"temperature", figure(boards, &BoardView::temperature)},
          {"memory_temperature", figure(boards, &BoardView::memory_temperature)},
          {"power", figure(boards, &BoardView::power)},
          {"utilisation", figure(boards, &BoardView::utilisation)},
          {"sm_clock", figure(boards, &BoardView::sm_clock)}};
}

Json members_json(const Boards& boards) {
  constexpr std::size_t kMost = 1000;
  Json out = Json::array();
  for (const auto* v : std::span(boards).first(std::min(boards.size(), kMost))) out.push_back(gpu_row(*v));
  return out;
}

}  // namespace

Json fleet_groups(const FleetSnapshot& fleet, const Grouping& kind, const FallOf& falls) {
  return {{"as_of", format_rfc3339(fleet.as_of)}, {"kind", kind.name}, {"groups", groups_json(fleet, kind, falls)}};
}

Result<Json> group_health(const FleetSnapshot& fleet, const Grouping& kind, std::string_view id, const FallOf& falls) {
  const auto members = in_service(fleet, [&](const BoardView& v) { return kind.key(v.board) == id; });
  if (members.empty() || id.empty())
    return Error{Errc::not_found, fmt::format("There is no {} '{}' with a GPU in service: GET /api/v1/fleet/health?by={} lists them.",
                                              kind.name, id.substr(0, 80), kind.name)};
  const auto others = in_service(fleet, [&](const BoardView& v) { return kind.key(v.board) != id; });
  Group group;
  for (const auto* v : members) group.add(*v);
  auto out = group_json(std::string(id), group, falls);
  out.erase("name");
  Json head{
      {"as_of", format_rfc3339(fleet.as_of)}, {"kind", kind.name}, {"id", id}, {"place", place_json(kind, members.front()->board.place)}};
  head.update(out);
  head["fell"] = fell_json(members, group, falls);
  head["rest"] = rest_json(members, others);
  head["dimensions"] = dimensions_json(members);
  head["figures"] = figures_json(members);
  head["clusters"] = story_clusters(fleet, falls, [&](const Cluster& c) {
    return std::ranges::any_of(c.boards, [&](std::size_t i) { return kind.key(fleet.boards[i].board) == id; });
  });
  head["members"] = members_json(members);
  return head;
}

Json fleet_health(const FleetSnapshot& fleet) {
  Group all;
  for (const auto& v : fleet.boards)
    if (v.board.in_service) all.add(v);
  Json groups = Json::object();
  for (const auto& grouping : groupings()) groups[std::string(grouping.name)] = groups_json(fleet, grouping);
  return {{"as_of", format_rfc3339(fleet.as_of)},
          {"index", or_null(all.index())},
          {"total_gpus", all.gpus},
          {"scored", all.scored},
          {"below_70", all.below_70},
          {"coverage", all.gpus == 0 ? Json() : Json(static_cast<double>(all.scored) / static_cast<double>(all.gpus))},
          {"lowest", member(all.worst, {})},
          {"moved_by", member(all.fallen, {})},
          {"dimensions", dimensions_json(in_service(fleet, [](const BoardView&) { return true; }))},
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
