// Health from above and over time.
#include <charconv>

#include "api/params.h"
#include "api/route.h"
#include "services/score_history.h"

namespace ghm::api {
namespace {

constexpr auto kDefaultHistory = std::chrono::days(30), kLongestHistory = std::chrono::days(3660);

Result<double> below_param(const http::Request& request) {
  const auto text = request.param("below");
  if (!text) return 70.0;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc() && end == text->data() + text->size() && value >= 0 && value <= 100) return value;
  return Error{Errc::invalid_input, "below: '" + *text + "': expected a score from 0 to 100"};
}

views::Json point_json(const services::ScorePoint& p) {
  views::Json dimensions = views::Json::object();
  for (std::size_t d = 0; d < p.dimensions.size(); ++d)
    dimensions[std::string(health::dimensions()[d].name)] = p.dimensions[d] ? views::Json(*p.dimensions[d]) : views::Json();
  return {{"at", format_rfc3339(p.at)},
          {"score", p.overall ? views::Json(*p.overall) : views::Json()},
          {"class", p.overall ? views::Json(health::class_of(*p.overall)) : views::Json()},
          {"dimensions", std::move(dimensions)}};
}

}  // namespace

http::Response get_fleet_health(const Call& call) {
  if (call.request.param("by")) return get_group_health(call);
  if (call.request.param("id")) return problem_of({Errc::invalid_input, "id: needs `by`: GET fleet/health?by=rack&id=R031"});
  return json_answer(views::fleet_health(*call.fleet));
}

http::Response get_fleet_degraded(const Call& call) {
  const auto below = below_param(call.request);
  if (!below) return problem_of(below.error());
  const auto limit = number_param(call.request, "limit", 200, 1, 1000);
  if (!limit) return problem_of(limit.error());
  return json_answer(views::fleet_degraded(*call.fleet, *below, *limit));
}

http::Response get_gpu_health_history(const Call& call) {
  const auto board = board_named(*call.fleet, call.id);
  if (!board) return problem_of(board.error());
  const auto range = range_param(call.request, call.now(), kDefaultHistory, kLongestHistory);
  if (!range) return problem_of(range.error());
  const auto changes = services::score_history(call.world->telemetry, call.fleet->boards[*board].board.id, *range);
  if (!changes) return problem_of(changes.error());
  views::Json items = views::Json::array();
  for (const auto& p : *changes) items.push_back(point_json(p));
  return json_answer({{"id", std::string(call.id)},
                      {"start", format_rfc3339(range->from)},
                      {"end", format_rfc3339(range->to)},
                      {"items", std::move(items)},
                      {"next", nullptr},
                      {"as_of", format_rfc3339(call.fleet->as_of)}});
}

}  // namespace ghm::api
