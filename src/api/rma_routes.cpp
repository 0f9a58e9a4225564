// Evidence for a board's way back to its manufacturer.
#include <fmt/format.h>

#include "api/params.h"
#include "api/route.h"
#include "services/rma_evidence.h"

namespace ghm::api {
namespace {

using std::chrono::milliseconds;

constexpr auto kFutureAllowed = 5min;

Result<milliseconds> span_param(const http::Request& request, const std::string& name, milliseconds otherwise, std::chrono::days most) {
  const auto text = request.param(name);
  if (!text) return otherwise;
  const auto span = parse_duration(*text);
  if (!span || *span < 1min || *span > most)
    return Error{Errc::invalid_input,
                 fmt::format("{}: '{}': expected a span such as 6h or 3d, from 1m to {}d", name, text->substr(0, 80), most.count())};
  return *span;
}

Result<services::RmaRequest> read_request(const Call& call) {
  services::RmaRequest q;
  const auto board = board_named(*call.fleet, call.id);
  if (!board) return board.error();
  q.board = *board;
  const auto before = span_param(call.request, "before", q.before, std::chrono::days(90));
  if (!before) return before.error();
  const auto after = span_param(call.request, "after", q.after, std::chrono::days(30));
  if (!after) return after.error();
  q.before = *before, q.after = *after;
  if (!call.request.param("at")) return q;
  const auto at = time_param(call.request, "at", call.now());
  if (!at) return at.error();
  if (*at > call.now() + kFutureAllowed || *at < Timestamp(q.before))
    return Error{Errc::invalid_input, fmt::format("at: {}: expected a time in the past", format_rfc3339(*at))};
  q.at = *at;
  return q;
}

Result<evidence::SigningKey> signing_key(const Call& call) {
  if (call.world->rma_key_file.empty()) return Error{Errc::unavailable, "This server signs no evidence: it has no data folder."};
  return evidence::SigningKey::open_or_make(call.world->rma_key_file);
}

}  // namespace

http::Response get_gpu_rma(const Call& call) {
  const auto request = read_request(call);
  if (!request) return problem_of(request.error());
  const auto key = signing_key(call);
  if (!key) return problem_of(key.error());
  auto bundle = services::rma_bundle({call.world->telemetry, call.world->records, *call.fleet}, *request, *key, call.now());
  if (!bundle) return problem_of(bundle.error());
  http::Response r;
  r.content_type = "application/zstd";
  r.headers.emplace_back("Content-Disposition",
                         fmt::format("attachment; filename=\"{}\"", services::rma_file_name(call.fleet->boards[request->board].board)));
  r.body = std::move(*bundle);
  return r;
}

http::Response get_rma_key(const Call& call) {
  const auto key = signing_key(call);
  if (!key) return problem_of(key.error());
  const auto shown = key->public_key();
  if (!shown) return problem_of(shown.error());
  return json_answer({{"public_key", shown->pem()}, {"fingerprint", shown->fingerprint()}});
}

}  // namespace ghm::api
