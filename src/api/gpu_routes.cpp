#include "api/params.h"
#include "api/route.h"
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
  return json_answer(views::gpu_detail(*call.fleet, *board, latest));
}

http::Response get_gpu_health(const Call& call) {
  const auto board = board_named(*call.fleet, call.id);
  if (!board) return problem_of(board.error());
  if (!call.request.param("at")) return json_answer(views::gpu_health(*call.fleet, *board));
  const auto at = time_param(call.request, "at", call.now());
  if (!at) return problem_of(at.error());
  if (*at > call.now()) return problem_of({Errc::invalid_input, "at: this is in the future: expected a time up to now"});
  const auto past = services::past_score(call.world->telemetry, call.world->records, *call.fleet, *board, *at,
                                         {.profile = call.world->profile, .codes = call.world->codes});
  return past ? json_answer(views::gpu_health_at(*call.fleet, *board, *past)) : problem_of(past.error());
}

}  // namespace ghm::api
