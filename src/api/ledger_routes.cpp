// What the ledger knows: lives of boards, inventory, maintenance.
#include "api/params.h"
#include "api/route.h"
#include "domain/views/ledger_views.h"
#include "pipeline/ledger_records.h"

namespace ghm::api {
namespace {

constexpr std::size_t kMostJobs = 1000, kMostFailures = 1000;

}  // namespace

http::Response get_gpu_ledger(const Call& call) {
  const auto board = board_named(*call.fleet, call.id);
  if (!board) return problem_of(board.error());
  const auto intervals = pipeline::board_intervals(call.world->records, call.fleet->boards[*board].board.id);
  if (!intervals) return problem_of(intervals.error());
  return json_answer(views::gpu_ledger(*call.fleet, *board, *intervals));
}

http::Response get_gpu_jobs(const Call& call) {
  const auto board = board_named(*call.fleet, call.id);
  if (!board) return problem_of(board.error());
  const auto limit = number_param(call.request, "limit", 200, 1, kMostJobs);
  if (!limit) return problem_of(limit.error());
  std::vector<fleet::Interval> all;
  for (const auto* kind : {"pod", "job"}) {
    auto some = pipeline::board_intervals(call.world->records, call.fleet->boards[*board].board.id, kind);
    if (!some) return problem_of(some.error());
    std::ranges::move(*some, std::back_inserter(all));
  }
  return json_answer(views::gpu_jobs(*call.fleet, *board, std::move(all), *limit));
}

http::Response get_assets(const Call& call) {
  views::AssetQuery query;
  const auto limit = number_param(call.request, "limit", query.limit, 1, 1000);
  if (!limit) return problem_of(limit.error());
  query.limit = *limit;
  query.after = call.request.param("cursor").value_or("");
  query.search = call.request.param("q").value_or("");
  return json_answer(views::assets(*call.fleet, query));
}

http::Response get_failures(const Call& call) {
  const auto limit = number_param(call.request, "limit", 100, 1, kMostFailures);
  if (!limit) return problem_of(limit.error());
  const auto records = call.world->records.recent("failure", {Timestamp(), call.now() + std::chrono::days(2)}, *limit);
  if (!records) return problem_of(records.error());
  views::Json items = views::Json::array();
  for (const auto& record : *records)
    if (auto body = views::Json::parse(record.body, nullptr, false); body.is_object()) items.push_back(std::move(body));
  return json_answer({{"items", std::move(items)}, {"next", nullptr}, {"as_of", format_rfc3339(call.fleet->as_of)}});
}

http::Response get_maintenance(const Call& call) {
  const auto active = bool_param(call.request, "active");
  if (!active) return problem_of(active.error());
  return json_answer(views::maintenance(*call.fleet, *active));
}

}  // namespace ghm::api
