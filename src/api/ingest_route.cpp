// POST /api/v1/ingest/prometheus: the one route whose answer promises something. A sender may forget what was answered 204,
// so that is said only of what is on disk; 5xx makes it send again, 4xx makes it give up.
#include "adapters/remote_write/write_request.h"
#include "api/route.h"

namespace ghm::api {
void post_prometheus(const Call& call, http::Reply reply) {
  const auto& q = call.request;
  const auto why = remote_write::why_unsupported(
      {q.header("content-type"), q.header("content-encoding"), q.header("x-prometheus-remote-write-version")});
  if (!why.empty()) return reply(http::problem(415, why));
  const auto backfill = q.header("x-ghm-backfill");
  if (!backfill.empty() && backfill != "0" && backfill != "1")
    return reply(http::problem(400, "X-Ghm-Backfill: expected 1 for readings older than 48 hours, or 0"));
  if (!call.world->remote_write) return reply(http::problem(403, "This server takes no remote_write: set ingest.prometheus to true."));
  auto request = remote_write::decode(q.body);
  if (!request) return reply(problem_of(request.error()));
  call.world->remote_write(std::move(*request), backfill == "1",
                           [reply = std::move(reply)](const Result<void>& outcome) { reply(answer_to_sender(outcome)); });
}

}  // namespace ghm::api
