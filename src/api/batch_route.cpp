// POST /api/v1/ingest/batch: an agent may forget what was answered 204, so that is said only of what is on disk. 409 asks for
// the same standing alone; 5xx for the same later; 400 says that it will never do.
#include "api/route.h"
#include "domain/transport/batch_codec.h"

namespace ghm::api {
namespace {

constexpr std::string_view kType = "application/vnd.ghm.batch";

}  // namespace

void post_batch(const Call& call, http::Reply reply) {
  const auto& q = call.request;
  if (q.header("content-type") != kType)
    return reply(http::problem(415, "Content-Type: expected application/vnd.ghm.batch, which ghm-agent sends"));
  const auto backfill = q.header("x-ghm-backfill");
  if (!backfill.empty() && backfill != "0" && backfill != "1")
    return reply(http::problem(400, "X-Ghm-Backfill: expected 1 for rounds older than 48 hours, or 0"));
  if (!call.world->take_batch) return reply(http::problem(403, "This server takes no batches of agents: set ingest.batch to true."));
  auto packed = transport::PackedBatch::open(q.body);
  if (!packed) return reply(answer_to_sender(packed.error()));
  call.world->take_batch(std::move(*packed), backfill == "1",
                         [reply = std::move(reply)](const Result<void>& outcome) { reply(answer_to_sender(outcome)); });
}

}  // namespace ghm::api
