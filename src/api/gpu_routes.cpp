#include "api/params.h"
#include "api/route.h"
#include "services/cases.h"
#include "services/past_score.h"

namespace ghm::api {
namespace {

Result<views::GpuQuery> read_query(const http::Request& request) {
  views::GpuQuery q;
  q.sort = request.param("sort").value_or(q.sort);
  q.cursor = request.param("cursor").value_or("");
  q.search = request.param("q").value_or("");
  q.host = request.param("host").value_or("");
  q.rack = request.param("rack").value_or("");
  q.datacenter = request.param("datacenter").value_or("");
  q.region = request.param("region").value_or("");
  q.model = request.param("model").value_or("");
  q.driver = request.param("driver").value_or("");
  q.batch = request.param("batch").value_or("");
  q.band = request.param("band").value_or("");
  const auto limit = number_param(request, "limit", q.limit, 1, 1000);
  if (!limit) return limit.error();
  q.limit = *limit;
  const auto silent = bool_param(request, "silent");
  if (!silent) return silent.error();
  q.silent = *silent;
  return q;
}

http::Response csv(const views::FleetSnapshot& fleet, const views::GpuQuery& query) {
  http::Response r;
  r.content_type = "text/csv; charset=utf-8; header=present";
  r.headers.emplace_back("Content-Disposition", "attachment; filename=\"gpus.csv\"");
  r.body = views::gpu_list_csv(fleet, query);
  return r;
}

http::Response json(const views::FleetSnapshot& fleet, const views::GpuQuery& query) {
  const auto list = views::gpu_list(fleet, query);
  return list ? json_answer(*list) : problem_of(list.error());
}

bool wants_csv(const http::Request& request) {
  const auto accept = request.header("accept");
  return accept.find("text/csv") < accept.find("application/json");  // whichever is named first; npos is last
}

views::Json case_json(const services::CasesNow::Active& active) {
  return {{"id", std::to_string(active.id)}, {"state", fleet::to_string(active.state)}};
}

// The repair case that the board is under now, or else its host: number and state, or null.
views::Json active_case(const Call& call, const fleet::Board& board) {
  if (!call.world->cases) return nullptr;
  const auto cases = call.world->cases();
  if (const auto own = cases->of_boards.find(board.id); own != cases->of_boards.end()) return case_json(own->second);
  const auto host = cases->of_hosts.find(board.host);
  return host == cases->of_hosts.end() ? views::Json() : case_json(host->second);
}

}  // namespace

http::Response get_gpus(const Call& call) {
  const auto query = read_query(call.request);
  if (!query) return problem_of(query.error());
  if (auto good = views::check_query(*query); !good) return problem_of(good.error());
  auto r = wants_csv(call.request) ? csv(*call.fleet, *query) : json(*call.fleet, *query);
  r.headers.emplace_back("Vary", "Accept");
  return r;
}

http::Response get_gpu(const Call& call) {
  const auto board = board_named(*call.fleet, call.id);
  if (!board) return problem_of(board.error());
  const auto latest = call.world->telemetry.latest(call.fleet->boards[*board].board.id);
  auto detail = views::gpu_detail(*call.fleet, *board, latest);
  detail["case"] = active_case(call, call.fleet->boards[*board].board);
  return json_answer(detail);
}

http::Response get_gpu_health(const Call& call) {
  const auto board = board_named(*call.fleet, call.id);
  if (!board) return problem_of(board.error());
  if (!call.request.param("at")) return json_answer(views::gpu_health(*call.fleet, *board));
  const auto at = time_param(call.request, "at", call.now());
  if (!at) return problem_of(at.error());
  if (*at > call.now()) return problem_of({Errc::invalid_input, "at: this is in the future: expected a time up to now"});
  const auto past = services::past_score(call.world->telemetry, call.world->records, *call.fleet, *board, *at, *call.world->profile);
  return past ? json_answer(views::gpu_health_at(*call.fleet, *board, *past)) : problem_of(past.error());
}

}  // namespace ghm::api
