#include <fmt/format.h>

#include <limits>

#include "api/body.h"
#include "api/params.h"
#include "api/route.h"
#include "domain/telemetry/metric_catalogue.h"
#include "domain/views/quarantine_view.h"

namespace ghm::api {
namespace {

using views::QuarantineQuery;

constexpr std::size_t kMostSamples = 1000;

Result<void> set_reason(QuarantineQuery& q, std::string_view word) {
  std::string words;
  for (std::size_t n = 0; n < telemetry::kReasons; ++n) {
    const auto reason = static_cast<telemetry::Reason>(n);
    if (to_string(reason) == word) {
      q.reason = reason;
      return {};
    }
    words.append(n == 0 ? "" : ", ").append(to_string(reason));
  }
  return Error{Errc::invalid_input, fmt::format("reason: '{}': expected one of {}", word.substr(0, 80), words)};
}

Result<void> set_metric(QuarantineQuery& q, std::string_view name) {
  const auto* spec = telemetry::MetricCatalogue::built_in().by_name(name);
  if (spec == nullptr)
    return Error{Errc::invalid_input,
                 fmt::format("metric: '{}' is not known: expected a DCGM name such as DCGM_FI_DEV_GPU_TEMP; GET /api/v1/meta lists them",
                             name.substr(0, 80))};
  q.metric = spec->id;
  return {};
}

Result<QuarantineQuery> query_of(const Call& call) {
  QuarantineQuery q;
  const auto& request = call.request;
  if (const auto reason = request.param("reason"))
    if (auto done = set_reason(q, *reason); !done) return done.error();
  if (const auto metric = request.param("metric"))
    if (auto done = set_metric(q, *metric); !done) return done.error();
  q.source = request.param("source").value_or("");
  q.gpu = request.param("gpu").value_or("");
  if (!q.gpu.empty())
    if (const auto board = board_named(*call.fleet, q.gpu)) q.board = call.fleet->boards[*board].board.id;
  const auto limit = number_param(request, "limit", 100, 1, kMostSamples);
  if (!limit) return limit.error();
  q.limit = *limit;
  const auto before = number_param(request, "cursor", 0, 1, std::numeric_limits<std::size_t>::max());
  if (!before) return before.error();
  q.before = *before;
  return q;
}

struct Replay {
  QuarantineQuery query;
  bool dry_run = false;
};

Result<Replay> replay_of(const http::Request& request) {
  Replay r;
  if (request.body.empty()) return r;
  Body body(request);
  const auto reason = body.optional_text("reason"), metric = body.optional_text("metric");
  r.query.source = body.optional_text("source");
  r.dry_run = body.flag("dry_run");
  if (auto good = body.finish(); !good) return good.error();
  if (!reason.empty())
    if (auto known = set_reason(r.query, reason); !known) return known.error();
  if (!metric.empty())
    if (auto known = set_metric(r.query, metric); !known) return known.error();
  return r;
}

}  // namespace

http::Response get_quarantine(const Call& call) {
  const auto q = query_of(call);
  if (!q) return problem_of(q.error());
  const auto page = call.world->quarantine ? call.world->quarantine(*q) : views::QuarantinePage{};
  return json_answer(views::quarantine(*call.fleet, *q, page));
}

http::Response post_quarantine_replay(const Call& call) {
  const auto r = replay_of(call.request);
  if (!r) return problem_of(r.error());
  if (!call.world->replay) return http::problem(503, "This server has no quarantine.");
  const auto report = call.world->replay(r->query, r->dry_run);
  if (!report) return problem_of(report.error());
  return json_answer({{"as_of", format_rfc3339(call.now())},
                      {"dry_run", r->dry_run},
                      {"replayed", report->replayed},
                      {"still_refused", report->still_refused},
                      {"lost", report->lost}});
}

}  // namespace ghm::api
