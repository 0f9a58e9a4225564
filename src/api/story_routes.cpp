// What a group of boards has in common: the fleet's story, explain, one group's page.
#include <fmt/format.h>

#include <unordered_set>

#include "api/body.h"
#include "api/params.h"
#include "api/route.h"
#include "domain/views/explain.h"
#include "domain/views/group_view.h"
#include "domain/views/story.h"
#include "services/score_fall.h"

namespace ghm::api {
namespace {

constexpr std::size_t kMostChosen = 10'000;

views::FallOf falls_of(const Call& call) {
  return
      [&telemetry = call.world->telemetry, now = call.now()](fleet::BoardId board, telemetry::MetricId score, std::chrono::hours within) {
        return services::score_fall(telemetry, board, score, now, within);
      };
}

Error bad(std::string what) {
  return {Errc::invalid_input, std::move(what)};
}

Result<std::vector<std::size_t>> boards_named(const views::FleetSnapshot& fleet, const std::vector<std::string>& names) {
  if (names.empty()) return bad("gpus: expected at least one serial number or UUID");
  if (names.size() > kMostChosen) return bad(fmt::format("gpus: {} names: at most {}", names.size(), kMostChosen));
  std::vector<std::size_t> out;
  std::unordered_set<std::size_t> seen;
  for (const auto& name : names) {
    const auto board = board_named(fleet, name);
    if (!board) return bad(fmt::format("gpus: {}", board.error().what));
    if (seen.insert(*board).second) out.push_back(*board);
  }
  return out;
}

http::Response explanation(const Call& call, const std::vector<std::string>& names) {
  const auto chosen = boards_named(*call.fleet, names);
  return chosen ? json_answer(views::explain(*call.fleet, *chosen)) : problem_of(chosen.error());
}

}  // namespace

http::Response get_story(const Call& call) {
  return json_answer(views::fleet_story(*call.fleet, falls_of(call)));
}

http::Response get_explain(const Call& call) {
  return explanation(call, split_list(call.request.param("gpus").value_or("")));
}

http::Response post_explain(const Call& call) {
  Body body(call.request);
  const auto names = body.strings("gpus", kMostChosen);
  if (const auto good = body.finish(); !good) return problem_of(good.error());
  return explanation(call, names);
}

http::Response get_group_health(const Call& call) {
  const auto by = call.request.param("by").value_or("");
  const auto* kind = views::grouping_named(by);
  if (kind == nullptr)
    return problem_of(bad(fmt::format("by: '{}': expected region, datacenter, rack, host, model, batch or driver", by.substr(0, 80))));
  const auto id = call.request.param("id");
  if (!id) return json_answer(views::fleet_groups(*call.fleet, *kind, falls_of(call)));
  auto group = views::group_health(*call.fleet, *kind, *id, falls_of(call));
  return group ? json_answer(*group) : problem_of(group.error());
}

}  // namespace ghm::api
