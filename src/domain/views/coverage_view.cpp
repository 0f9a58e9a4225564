// How far the fleet can be believed: what is heard, from whom, and what contradicts itself.
#include <algorithm>
#include <map>

#include "domain/views/board_facts.h"
#include "domain/views/ledger_views.h"

namespace ghm::views {
namespace {

constexpr std::size_t kMostListed = 200;

struct Mean {
  double sum = 0;
  std::size_t n = 0;
  void add(double v) {
    sum += v;
    ++n;
  }
  Json json() const { return n == 0 ? Json() : Json(sum / static_cast<double>(n)); }
};

struct DimensionTally {
  Mean coverage;
  std::size_t available = 0;
  std::map<std::string, std::size_t> missing;  // input -> boards
};

/// One walk over the boards.
struct Tally {
  Mean coverage;
  std::size_t in_service = 0, reporting = 0;
  std::map<std::string, DimensionTally> dimensions;
  std::map<std::string, Mean> models;

  explicit Tally(const FleetSnapshot& fleet) {
    for (const auto& view : fleet.boards)
      if (view.board.in_service) add(view);
  }

  void add(const BoardView& view) {
    ++in_service;
    reporting += view.silent ? 0 : 1;
    if (view.health == nullptr) return;
    coverage.add(view.health->coverage);
    models[view.board.model].add(view.health->coverage);
    for (const auto& d : view.health->dimensions) {
      auto& tally = dimensions[d.name];
      tally.coverage.add(d.coverage);
      tally.available += d.score ? 1 : 0;
      for (const auto& input : d.missing) ++tally.missing[input];
    }
  }
};

Json missing_json(const std::map<std::string, std::size_t>& missing) {
  std::vector<std::pair<std::size_t, std::string>> by_count;
  for (const auto& [input, boards] : missing) by_count.emplace_back(boards, input);
  std::ranges::sort(by_count, std::greater{});
  Json out = Json::array();
  for (const auto& [boards, input] : by_count) out.push_back({{"input", input}, {"boards", boards}});
  return out;
}

Json dimensions_json(const Tally& tally) {
  Json out = Json::array();
  for (const auto& spec : health::dimensions()) {
    const auto found = tally.dimensions.find(std::string(spec.name));
    const DimensionTally none, &d = found == tally.dimensions.end() ? none : found->second;
    out.push_back(
        {{"name", spec.name}, {"coverage", d.coverage.json()}, {"boards_available", d.available}, {"missing", missing_json(d.missing)}});
  }
  return out;
}

Json models_json(const Tally& tally) {
  Json out = Json::array();
  for (const auto& [model, mean] : tally.models) out.push_back({{"model", or_null(model)}, {"boards", mean.n}, {"coverage", mean.json()}});
  return out;
}

Json silent_hosts(const FleetSnapshot& fleet) {
  Json out = Json::array();
  for (const auto& view : fleet.hosts) {
    if (!view.silent || out.size() == kMostListed) continue;
    const auto& h = view.host;
    out.push_back({{"host", h.name},
                   {"last_answer", or_null(h.last_answer)},
                   {"boards", view.boards.size()},
                   {"error", or_null(h.last_error)},
                   {"maintenance", fleet.maintenance.covering_host(h.name, h.place.rack, fleet.as_of) != nullptr}});
  }
  return out;
}

Json silent_boards(const FleetSnapshot& fleet) {
  Json out = Json::array();
  for (const auto& view : fleet.boards) {
    if (!view.silent || !view.board.in_service || out.size() == kMostListed) continue;
    const auto& b = view.board;
    out.push_back({{"id", id_of(b)},
                   {"name", name_of(b)},
                   {"host", or_null(b.host)},
                   {"last_seen", or_null(b.last_seen)},
                   {"maintenance", fleet.maintenance.covering(b, fleet.as_of) != nullptr}});
  }
  return out;
}

Json conflicts(const FleetSnapshot& fleet) {
  Json out = Json::array();
  for (const auto& c : fleet.conflicts) {
    const auto board = std::ranges::find(fleet.boards, c.board, [](const BoardView& v) { return v.board.id; });
    out.push_back({{"kind", c.kind},
                   {"id", board == fleet.boards.end() ? Json() : Json(id_of(board->board))},
                   {"claims", c.claims},
                   {"detail", c.detail},
                   {"since", format_rfc3339(c.since)},
                   {"last", format_rfc3339(c.last)}});
  }
  return out;
}

bool lacks_something(const health::Report& report) {
  return std::ranges::any_of(report.dimensions, [](const health::Dimension& d) { return d.coverage < 1; });
}

Json agents(const FleetSnapshot& fleet) {
  Json out = Json::array();
  for (const auto& a : fleet.agents) {
    if (out.size() == kMostListed) break;
    out.push_back({{"host", a.host},
                   {"id", a.id},
                   {"version", or_null(a.version)},
                   {"last_batch", or_null(a.heard)},
                   {"newest_round", or_null(a.newest)},
                   {"clock_behind_seconds", static_cast<double>(a.behind.count()) / 1000.0},
                   {"rounds", a.rounds},
                   {"events", a.events}});
  }
  return out;
}

// The boards of which something is not known, the least known first.
Json least_covered(const FleetSnapshot& fleet) {
  constexpr std::size_t kMost = 50;
  std::vector<std::pair<double, const BoardView*>> boards;
  for (const auto& view : fleet.boards)
    if (view.board.in_service && view.health != nullptr && lacks_something(*view.health)) boards.emplace_back(view.health->coverage, &view);
  std::ranges::stable_sort(boards, {}, &decltype(boards)::value_type::first);
  if (boards.size() > kMost) boards.resize(kMost);
  Json out = Json::array();
  for (const auto& [coverage, view] : boards) {
    Json dimensions = Json::object();
    for (const auto& d : view->health->dimensions) dimensions[d.name] = d.coverage;
    out.push_back(
        {{"id", id_of(view->board)}, {"name", name_of(view->board)}, {"coverage", coverage}, {"dimensions", std::move(dimensions)}});
  }
  return out;
}

Json refused(const FleetSnapshot& fleet) {
  std::map<std::string, std::uint64_t> by_reason;
  for (const auto& r : fleet.refused_by) by_reason[r.reason] += r.count;
  Json reasons = Json::object();
  for (const auto& [reason, count] : by_reason) reasons[reason] = count;
  return {{"accepted", fleet.accepted}, {"refused", fleet.refused}, {"by_reason", std::move(reasons)}};
}

}  // namespace

Json fleet_coverage(const FleetSnapshot& fleet) {
  const Tally tally(fleet);
  return {{"as_of", format_rfc3339(fleet.as_of)},
          {"coverage", tally.coverage.json()},
          {"total_gpus", tally.in_service},
          {"reporting_gpus", tally.reporting},
          {"dimensions", dimensions_json(tally)},
          {"models", models_json(tally)},
          {"silent_hosts", silent_hosts(fleet)},
          {"silent_gpus", silent_boards(fleet)},
          {"conflicts", conflicts(fleet)},
          {"values", refused(fleet)},
          {"agents", agents(fleet)},
          {"items", least_covered(fleet)},
          {"next", nullptr}};
}

}  // namespace ghm::views
