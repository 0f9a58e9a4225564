// What the server says about itself.
#include "api/keys.h"
#include "api/route.h"

namespace ghm::api {

http::Response get_me(const Call& call) {
  return json_answer({{"as_of", format_rfc3339(call.now())},
                      {"role", to_string(call.who.role)},
                      {"auth", call.who.auth},
                      {"key_id", call.who.key_id.empty() ? views::Json() : views::Json(call.who.key_id)}});
}

http::Response get_healthz(const Call&) {
  return json_answer({{"status", "ok"}});
}

http::Response get_readyz(const Call& call) {
  const auto why_not = call.world->not_ready ? call.world->not_ready() : std::string();
  if (why_not.empty()) return json_answer({{"status", "ready"}});
  views::Json document = {{"status", "not ready"}};
  if (call.who.role >= Role::viewer) document["reasons"] = {why_not};  // a sentence may name paths and hosts
  auto r = json_answer(document);
  r.status = 503;
  return r;
}

http::Response get_self_metrics(const Call& call) {
  http::Response r;
  r.content_type = "text/plain; version=0.0.4; charset=utf-8";
  if (call.world->self_metrics) r.body = call.world->self_metrics();
  return r;
}

}  // namespace ghm::api
