#include "api/access.h"

#include <gtest/gtest.h>

#include "api/world_for_test.h"

namespace ghm::api {
namespace {

using test::json_of;
using test::request;
using test::Site;

enum class Sends { nothing, viewer, viewer_in_x_api_key, revoked, wrong, metrics_token };

struct Case {
  const char* why;
  bool required, loopback_listen;  // the settings
  bool loopback_peer;              // who asks
  const char* host;
  Sends sends;
  int summary, metrics, healthz, page;  // the answers
};

// mode auto on a loopback listen unless said otherwise
const Case kCases[] = {
    {"the browser of this machine", false, true, true, "localhost:9480", Sends::nothing, 200, 200, 200, 200},
    {"by number", false, true, true, "127.0.0.1:9480", Sends::nothing, 200, 200, 200, 200},
    {"by number, IPv6", false, true, true, "[::1]:9480", Sends::nothing, 200, 200, 200, 200},
    {"any port, any case", false, true, true, "LocalHost", Sends::nothing, 200, 200, 200, 200},
    {"a page led here under its own name", false, true, true, "evil.example:9480", Sends::nothing, 403, 403, 200, 403},
    {"a name that only begins well", false, true, true, "localhost.evil.example", Sends::nothing, 403, 403, 200, 403},
    {"a number that only begins well", false, true, true, "127.0.0.1.evil.example", Sends::nothing, 403, 403, 200, 403},
    {"user info before the name", false, true, true, "localhost@evil.example", Sends::nothing, 403, 403, 200, 403},
    {"no name", false, true, true, "", Sends::nothing, 403, 403, 200, 403},
    {"a key goes under any name", false, true, true, "monitor.example", Sends::viewer, 200, 200, 200, 200},
    {"a wrong key does not fall back", false, true, true, "localhost:9480", Sends::wrong, 401, 401, 200, 200},
    {"a revoked key does not either", false, true, true, "localhost:9480", Sends::revoked, 401, 401, 200, 200},
    {"not from this machine", false, true, false, "localhost:9480", Sends::nothing, 401, 401, 200, 200},
    {"required: no key", true, true, true, "localhost:9480", Sends::nothing, 401, 401, 200, 200},
    {"required: a key", true, true, true, "localhost:9480", Sends::viewer, 200, 200, 200, 200},
    {"required: the other header", true, true, true, "localhost:9480", Sends::viewer_in_x_api_key, 200, 200, 200, 200},
    {"required: the metrics token is for metrics", true, true, true, "localhost:9480", Sends::metrics_token, 401, 200, 200, 200},
    {"open listen: loopback is nothing special", false, false, true, "localhost:9480", Sends::nothing, 401, 401, 200, 200},
    {"open listen: a key from afar", false, false, false, "monitor.example", Sends::viewer, 200, 200, 200, 200},
    {"open listen: the metrics token from afar", false, false, false, "monitor.example", Sends::metrics_token, 401, 200, 200, 200},
};

std::map<std::string, std::string> headers_of(const Case& c, Site& site) {
  std::map<std::string, std::string> headers{{"host", c.host}};
  const auto key = create_key(site.records, Role::viewer, "test", test::kNow).value();
  switch (c.sends) {
    case Sends::nothing: break;
    case Sends::viewer: headers["authorization"] = "bearer " + key.token; break;
    case Sends::viewer_in_x_api_key: headers["x-api-key"] = key.token; break;
    case Sends::revoked:
      EXPECT_TRUE(revoke_key(site.records, key.key.id, test::kNow));
      headers["authorization"] = "Bearer " + key.token;
      break;
    case Sends::wrong: headers["authorization"] = "Bearer ghm_0123456789_" + std::string(64, '0'); break;
    case Sends::metrics_token: headers["authorization"] = "Bearer scrape-me"; break;
  }
  return headers;
}

TEST(Access, WhoGetsWhat) {
  for (const auto& c : kCases) {
    Site site;
    site.access = {c.required, c.loopback_listen, "scrape-me"};
    const auto headers = headers_of(c, site);
    const auto status = [&](const char* path) {
      auto q = request(path, headers);
      q.peer.loopback = c.loopback_peer;
      const auto r = site.ask(q);
      EXPECT_EQ(test::header_of(r, "WWW-Authenticate").empty(), r.status != 401) << c.why << " " << path;
      return r.status;
    };
    EXPECT_EQ(status("/api/v1/fleet/summary"), c.summary) << c.why;
    EXPECT_EQ(status("/api/v1/stream"), c.summary) << c.why;
    EXPECT_EQ(status("/api/v1/openapi.json"), c.summary) << c.why;
    EXPECT_EQ(status("/metrics"), c.metrics) << c.why;
    EXPECT_EQ(status("/healthz"), c.healthz) << c.why;
    EXPECT_EQ(status("/readyz"), c.healthz) << c.why;
    EXPECT_EQ(status("/"), c.page) << c.why;
  }
}

TEST(Access, AClientCertificateOpensIngestAlone) {
  struct Shown {
    const char* why;
    const char* certificate;
    const char* trouble;
    bool loopback;
    bool wrong_key;
    int ingest, summary;
  };
  const Shown cases[] = {
      {"none", "", "", false, false, 401, 401},
      {"one of ours", "gpu-host-1", "", false, false, 204, 401},
      {"one that does not count", "gpu-host-1", "The client certificate 'gpu-host-1' has expired: renew it.", false, false, 401, 401},
      {"beside a wrong key", "gpu-host-1", "", false, true, 401, 401},
      {"one that does not count takes nothing away on this machine", "x", "It is not trusted.", true, false, 204, 200},
  };
  for (const auto& c : cases) {
    Site site;
    const auto ask = [&](const char* method, const char* path) {
      auto q = request(path, {{"host", "localhost"}});
      q.method = method;
      if (c.wrong_key) q.headers["authorization"] = "Bearer ghm_0123456789_" + std::string(64, '0');
      q.peer = {"10.0.0.7", c.loopback, true, 0, c.certificate, c.trouble};
      return q;
    };
    const auto who = identify(ask("POST", "/api/v1/ingest/batch"), {}, site.records);
    const auto* refused = std::get_if<http::Response>(&who);
    const auto answer = refused ? std::optional(*refused) : why_not_ingest(std::get<Identity>(who));
    EXPECT_EQ(answer ? answer->status : 204, c.ingest) << c.why;
    if (answer && !std::string_view(c.trouble).empty()) {
      EXPECT_EQ(json_of(*answer)["detail"], c.trouble);
    }
    EXPECT_EQ(site.ask(ask("GET", "/api/v1/fleet/summary")).status, c.summary) << c.why;
  }
}

TEST(Access, TheDocsPageHoldsNoDataAndOpensToAll) {
  Site site;
  site.access.required = true;
  for (const char* path : {"/docs", "/docs/docs.js", "/docs/docs.css"}) EXPECT_EQ(site.ask(request(path)).status, 200) << path;
}

TEST(Access, MeSaysWhoOneIs) {
  Site site;
  auto me = json_of(site.ask(request("/api/v1/me")));
  EXPECT_EQ(me["role"], "viewer");
  EXPECT_EQ(me["auth"], "loopback");
  EXPECT_TRUE(me["key_id"].is_null());
  const auto key = create_key(site.records, Role::admin, "me", test::kNow).value();
  me = json_of(site.ask(request("/api/v1/me", {{"authorization", "Bearer " + key.token}})));
  EXPECT_EQ(me["role"], "admin");
  EXPECT_EQ(me["auth"], "key");
  EXPECT_EQ(me["key_id"], key.key.id);
  EXPECT_EQ(me["as_of"], format_rfc3339(test::kNow));
}

TEST(Access, ReasonsAreForThoseWithAccess) {
  Site site;
  site.not_ready = "readings cannot be kept: /data is full";
  const auto known = site.ask(request("/readyz"));
  EXPECT_EQ(known.status, 503);
  EXPECT_EQ(json_of(known)["reasons"], test::Json::array({site.not_ready}));
  const auto stranger = site.ask(request("/readyz", {{"host", "probe.example"}}));
  EXPECT_EQ(stranger.status, 503);
  EXPECT_FALSE(json_of(stranger).contains("reasons"));
  site.not_ready.clear();
  EXPECT_EQ(json_of(site.ask(request("/readyz")))["status"], "ready");
}

TEST(Access, KeysThatCannotBeLookedUpAreA503) {
  Site site;
  const auto key = create_key(site.records, Role::viewer, "", test::kNow).value();
  site.records.broken = true;
  EXPECT_EQ(site.ask(request("/api/v1/me", {{"authorization", "Bearer " + key.token}})).status, 503);
}

TEST(Access, ASmallRoleIsForbiddenNotUnknown) {
  EXPECT_EQ(why_not_allowed({Role::viewer, "key", "x"}, Role::admin)->status, 403);
  EXPECT_EQ(why_not_allowed({}, Role::viewer)->status, 401);
  EXPECT_FALSE(why_not_allowed({Role::admin, "key", "x"}, Role::operator_));
}

}  // namespace
}  // namespace ghm::api
