#include "api/api.h"

#include <gtest/gtest.h>

#include "api/route.h"
#include "api/world_for_test.h"

namespace ghm::api {
namespace {

using test::header_of;
using test::Json;
using test::json_of;
using test::kNow;
using test::kUuid;
using test::request;
using test::Site;

TEST(Api, EveryRouteAnswersJsonWithItsTime) {
  Site site;
  for (const char* path :
       {"/api/v1/fleet/summary", "/api/v1/fleet/layout", "/api/v1/gpus", "/api/v1/gpus/1650001", "/api/v1/gpus/1650001/health",
        "/api/v1/gpus/1650001/metrics", "/api/v1/events", "/api/v1/quarantine", "/api/v1/meta", "/api/v1/me"}) {
    const auto r = site.ask(request(path));
    EXPECT_EQ(r.status, 200) << path << r.bytes();
    EXPECT_EQ(r.content_type, "application/json") << path;
    EXPECT_EQ(json_of(r)["as_of"], format_rfc3339(kNow)) << path;
    EXPECT_NE(r.static_headers.find("nosniff"), std::string_view::npos) << path;
  }
  EXPECT_EQ(json_of(site.ask(request("/healthz"))), Json({{"status", "ok"}}));
  EXPECT_EQ(site.ask(request("/metrics")).bytes(), "ghm_up 1\n");
  EXPECT_EQ(site.ask(request("/api/v1/openapi.json")).status, 200);
}

TEST(Api, WrongRequestsAreProblemsWithASentence) {
  struct Case {
    const char* method;
    const char* target;
    int status;
    const char* says;
  };
  const Case cases[] = {
      {"GET", "/api/v1/nothing", 404, "There is nothing at /api/v1/nothing"},
      {"GET", "/api/v1/gpus/1650001/nothing", 404, "There is nothing at"},
      {"GET", "/api/v1/gpus/", 404, "There is nothing at"},
      {"GET", "/api", 404, "There is nothing at"},
      {"DELETE", "/api/v1/gpus", 405, "cannot be asked with DELETE"},
      {"POST", "/healthz", 405, "cannot be asked with POST"},
      {"POST", "/", 405, "cannot be asked with POST"},
      {"GET", "/api/v1/gpus/999", 404, "There is no GPU '999' in the ledger"},
      {"GET", "/api/v1/gpus/999/health", 404, "There is no GPU '999' in the ledger"},
      {"GET", "/api/v1/gpus/999/metrics", 404, "There is no GPU '999' in the ledger"},
      {"GET", "/api/v1/gpus/board-99", 404, "There is no GPU 'board-99'"},
      {"GET", "/api/v1/fleet/summary?x=1", 400, "query parameter 'x' is not known: /api/v1/fleet/summary takes none"},
      {"GET", "/api/v1/events?lmit=1", 400, "query parameter 'lmit' is not known: /api/v1/events takes limit, kind"},
      {"GET", "/api/v1/events?limit=1&limit=2", 400, "query parameter 'limit' is given twice"},
      {"GET", "/api/v1/events?limit=0", 400, "limit: '0': expected a number from 1 to 1000"},
      {"GET", "/api/v1/gpus?limit=x", 400, "limit: 'x': expected a number from 1 to 1000"},
      {"GET", "/api/v1/gpus?limit=1001", 400, "limit: '1001'"},
      {"GET", "/api/v1/gpus?limit=-1", 400, "limit: '-1'"},
      {"GET", "/api/v1/gpus?limit=", 400, "limit: ''"},
      {"GET", "/api/v1/gpus?silent=yes", 400, "silent: 'yes': expected true or false"},
      {"GET", "/api/v1/gpus?sort=smell", 400, "smell"},
      {"GET", "/api/v1/gpus?cursor=garbage", 400, "cursor"},
      {"GET", "/api/v1/fleet/cells?colour=mauve", 400, "mauve"},
      {"GET", "/api/v1/stream?topics=weather", 400, "topics: 'weather': expected summary, cells or gpu:ID"},
      {"GET", "/api/v1/stream?topics=,", 400, "topics: expected 1 to 16"},
      {"GET", "/api/v1/stream?topics=gpu:999", 404, "There is no GPU '999'"},
      {"GET", "/api/v1/gpus/1650001/metrics?metrics=NOPE", 400, "metrics: 'NOPE' is not a metric"},
      {"GET", "/api/v1/gpus/1650001/metrics?metrics=", 400, "metrics: expected at least one name"},
      {"GET", "/api/v1/gpus/1650001/metrics?metrics=DCGM_FI_DEV_GPU_TEMP@moon", 400, "metrics: 'DCGM_FI_DEV_GPU_TEMP@moon'"},
      {"GET", "/api/v1/gpus/1650001/metrics?start=yesterday", 400, "start: 'yesterday': expected a time"},
      {"GET", "/api/v1/gpus/1650001/metrics?start=1800000000&end=1700000000", 400, "is not before end"},
      {"GET", "/api/v1/gpus/1650001/metrics?start=1000000000", 400, "the range is over 400 days"},
      {"GET", "/api/v1/gpus/1650001/metrics?interval=1s", 400, "is 3600 points: at most 2000"},
      {"GET", "/api/v1/gpus/1650001/metrics?interval=fast", 400, "interval: 'fast': expected a span"},
      {"GET", "/api/v1/gpus/1650001/metrics?interval=0", 400, "interval: '0': expected a span"},
  };
  Site site;
  for (const auto& c : cases) {
    const auto r = site.ask(request(c.target, {}, c.method));
    EXPECT_EQ(r.status, c.status) << c.target;
    EXPECT_EQ(r.content_type, "application/problem+json") << c.target;
    const auto problem = json_of(r);
    EXPECT_NE(problem["detail"].get<std::string>().find(c.says), std::string::npos) << c.target << ": " << problem["detail"];
    EXPECT_EQ(problem["status"], c.status);
    EXPECT_EQ(header_of(r, "Allow").empty(), c.status != 405) << c.target;
  }
  EXPECT_TRUE(site.telemetry.asked.empty()) << "nothing was read for a wrong question";
}

TEST(Api, MethodsAreSaid) {
  Site site;
  EXPECT_EQ(header_of(site.ask(request("/api/v1/gpus", {}, "DELETE")), "Allow"), "GET, HEAD, OPTIONS");
  const auto options = site.ask(request("/api/v1/gpus/1650001", {}, "OPTIONS"));
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(header_of(options, "Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(site.ask(request("*", {}, "OPTIONS")).status, 204);
  EXPECT_EQ(site.ask(request("/api/v1/nothing", {}, "OPTIONS")).status, 404);
  const auto head = site.ask(request("/api/v1/gpus", {}, "HEAD"));
  EXPECT_EQ(head.status, 200);
  EXPECT_FALSE(head.bytes().empty()) << "the server leaves the body out, and needs its length";
}

TEST(Api, ABoardGoesByAnyOfItsNames) {
  Site site;
  for (const char* id : {"1650001", kUuid, "gpu-0123ABCD-0000-0000-0000-00000000000A"}) {
    const auto r = site.ask(request(std::string("/api/v1/gpus/") + id));
    EXPECT_EQ(json_of(r)["serial"], "1650001") << id;
  }
  EXPECT_EQ(json_of(site.ask(request("/api/v1/gpus/board-12")))["id"], "board-12");
  EXPECT_EQ(json_of(site.ask(request("/api/v1/gpus/1650001")))["readings"].size(), 2u);
}

TEST(Api, ListsAreCutOnWishAndComeAsCsv) {
  Site site;
  const auto list = json_of(site.ask(request("/api/v1/gpus?limit=1&sort=serial")));
  EXPECT_EQ(list["items"].size(), 1u);
  EXPECT_EQ(list["total"], 2);
  const auto rest = json_of(site.ask(request("/api/v1/gpus?limit=1&sort=serial&cursor=" + list["next"].get<std::string>())));
  EXPECT_EQ(rest["items"].size(), 1u);
  EXPECT_NE(rest["items"][0]["id"], list["items"][0]["id"]);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/gpus?q=1650")))["total"], 1);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/gpus?silent=true")))["total"], 0);
  const auto csv = site.ask(request("/api/v1/gpus?limit=1", {{"accept", "text/csv"}}));
  EXPECT_TRUE(csv.content_type.starts_with("text/csv"));
  EXPECT_EQ(std::ranges::count(csv.bytes(), '\n'), 3) << "a head and all rows, whatever the limit";
  EXPECT_EQ(header_of(csv, "Vary"), "Accept");
  EXPECT_EQ(site.ask(request("/api/v1/gpus?sort=smell", {{"accept", "text/csv"}})).status, 400);
  EXPECT_EQ(site.ask(request("/api/v1/gpus", {{"accept", "application/json, text/csv"}})).content_type, "application/json");
}

TEST(Api, CellsAreBytesInLayoutOrder) {
  Site site;
  const auto r = site.ask(request("/api/v1/fleet/cells?colour=temperature"));
  EXPECT_EQ(r.content_type, "application/octet-stream");
  ASSERT_EQ(r.bytes().size(), 24u + 2);
  EXPECT_EQ(r.bytes().substr(0, 4), "GHMC");
}

TEST(Api, WhatTheClientHasIsNotSentAgain) {
  Site site;
  for (const char* path : {"/api/v1/fleet/layout", "/api/v1/openapi.json"}) {
    const auto etag = header_of(site.ask(request(path)), "ETag");
    ASSERT_FALSE(etag.empty()) << path;
    const auto again = site.ask(request(path, {{"if-none-match", "\"other\", " + etag}}));
    EXPECT_EQ(again.status, 304) << path;
    EXPECT_TRUE(again.bytes().empty()) << path;
    EXPECT_EQ(header_of(again, "ETag"), etag);
    EXPECT_EQ(site.ask(request(path, {{"if-none-match", "\"other\""}})).status, 200) << path;
  }
  const auto before = header_of(site.ask(request("/api/v1/fleet/layout")), "ETag");
  auto changed = test::small_fleet(2);
  changed.boards.pop_back();
  changed.hosts[0].boards.pop_back();
  site.fleet = std::make_shared<views::FleetSnapshot>(changed);
  EXPECT_EQ(site.ask(request("/api/v1/fleet/layout", {{"if-none-match", before}})).status, 200) << "a board has gone";
}

TEST(Api, AnswersOfASnapshotAreMadeOnce) {
  Site site;
  const auto first = site.ask(request("/api/v1/fleet/summary")), second = site.ask(request("/api/v1/fleet/summary"));
  EXPECT_EQ(first.shared_body, second.shared_body);
  const auto json = site.ask(request("/api/v1/gpus")), csv = site.ask(request("/api/v1/gpus", {{"accept", "text/csv"}}));
  EXPECT_NE(json.bytes(), csv.bytes()) << "another representation is another answer";
  EXPECT_NE(site.ask(request("/api/v1/gpus?limit=1")).shared_body, json.shared_body);
  site.publish(2);
  EXPECT_NE(site.ask(request("/api/v1/fleet/summary")).shared_body, first.shared_body);
}

TEST(Metrics, TheDefaultIsTheLastHourOfEightSignals) {
  Site site;
  const auto r = json_of(site.ask(request("/api/v1/gpus/1650001/metrics")));
  ASSERT_EQ(site.telemetry.asked.size(), 8u);
  const auto& asked = site.telemetry.asked[0];
  EXPECT_EQ(asked.series.board, static_cast<telemetry::BoardId>(11));
  EXPECT_EQ(asked.range.from, kNow - 1h);
  EXPECT_EQ(asked.range.to, kNow);
  EXPECT_EQ(asked.width, 10s);
  EXPECT_EQ(r["gpu"], "1650001");
  EXPECT_EQ(r["interval_s"], 10);
  EXPECT_EQ(r["t"].size(), 360u);
  const auto& temperature = r["series"]["DCGM_FI_DEV_GPU_TEMP"];
  EXPECT_EQ(temperature["avg"][0], 62);
  EXPECT_EQ(temperature["max"][0], 64);
  EXPECT_TRUE(temperature["avg"][1].is_null()) << "a gap stays a gap";
}

TEST(Metrics, TheIntervalFollowsTheRange) {
  struct Case {
    const char* query;
    std::chrono::milliseconds width;
  };
  const Case cases[] = {
      {"start=1799999700", 10s},  // not finer than the source speaks
      {"start=2027-01-15T02:00:00Z&end=2027-01-15T08:00:00Z", 1min},
      {"start=1799913600", 5min},  // a day: 144 s, rounded up
      {"start=1797408000", 2h},    // 30 days: 72 min
      {"start=1768464000", 24h},   // a year
      {"interval=30s", 30s},
      {"interval=45", 45s},
      {"interval=5m&start=1799913600", 5min},
  };
  for (const auto& c : cases) {
    Site site;
    const auto r = site.ask(request(std::string("/api/v1/gpus/1650001/metrics?metrics=DCGM_FI_DEV_GPU_TEMP&") + c.query));
    ASSERT_EQ(site.telemetry.asked.size(), 1u) << c.query << r.bytes();
    EXPECT_EQ(site.telemetry.asked[0].width, c.width) << c.query;
    EXPECT_LE(json_of(r)["t"].size(), 2001u) << c.query;
  }
}

TEST(Metrics, SeriesGoByNameAndEntity) {
  Site site;
  const auto r = json_of(
      site.ask(request("/api/v1/gpus/1650001/metrics?metrics=DCGM_FI_DEV_GPU_TEMP,DCGM_FI_DEV_GPU_TEMP@mig2,DCGM_FI_DEV_GPU_TEMP")));
  ASSERT_EQ(site.telemetry.asked.size(), 2u) << "the same series twice is read once";
  EXPECT_EQ(site.telemetry.asked[1].series.entity, (telemetry::Entity{telemetry::Entity::Kind::mig, 2}));
  EXPECT_TRUE(r["series"].contains("DCGM_FI_DEV_GPU_TEMP@mig2"));
  std::string many = "DCGM_FI_DEV_GPU_TEMP";
  for (int n = 0; n < 32; ++n) many += ",DCGM_FI_DEV_GPU_TEMP@nvlink" + std::to_string(n);
  const auto refused = site.ask(request("/api/v1/gpus/1650001/metrics?metrics=" + many));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(json_of(refused)["detail"], "metrics: 33 series: at most 32 in one request");
}

TEST(Metrics, AStoreThatFailsIsA503) {
  Site site;
  site.telemetry.broken = true;
  const auto r = site.ask(request("/api/v1/gpus/1650001/metrics"));
  EXPECT_EQ(r.status, 503);
  EXPECT_EQ(json_of(r)["detail"], "disk gone");
}

TEST(Events, AreNewestFirstAndFiltered) {
  Site site;
  for (int n = 0; n < 5; ++n) {
    const Json body = {{"kind", n % 2 ? "gpu_moved" : "gpu_appeared"},
                       {"host", "h"},
                       {"detail", "event " + std::to_string(n)},
                       {"gpu", n == 4 ? "" : "1650001"}};
    const store::Record record{"event", std::to_string(n), kNow - 10s + std::chrono::seconds(n), body.dump()};
    ASSERT_TRUE(site.records.put({&record, 1}));
  }
  const auto all = json_of(site.ask(request("/api/v1/events")));
  ASSERT_EQ(all["items"].size(), 5u);
  EXPECT_TRUE(all["next"].is_null());
  EXPECT_EQ(all["items"][0], Json({{"at", format_rfc3339(kNow - 6s)},
                                   {"kind", "gpu_appeared"},
                                   {"gpu", nullptr},
                                   {"host", "h"},
                                   {"code", nullptr},
                                   {"detail", "event 4"}}));
  const auto moved = json_of(site.ask(request("/api/v1/events?kind=gpu_moved&limit=1")));
  ASSERT_EQ(moved["items"].size(), 1u);
  EXPECT_EQ(moved["items"][0]["detail"], "event 3");
  site.records.broken = true;
  EXPECT_EQ(site.ask(request("/api/v1/events")).status, 503);
}

TEST(Events, AnAnomalyHasItsNumbers) {
  Site site;
  const Json numbers = {{"metric", "DCGM_FI_DEV_GPU_TEMP"}, {"peers", "rack"}, {"value", 71.5}, {"expected", 58}};
  const store::Record record{"event", "1", kNow, Json{{"kind", "anomaly"}, {"host", "h"}, {"anomaly", numbers}}.dump()};
  ASSERT_TRUE(site.records.put({&record, 1}));
  EXPECT_EQ(json_of(site.ask(request("/api/v1/events?kind=anomaly")))["items"][0]["anomaly"], numbers);
}

TEST(Api, RequestsAreCountedByRouteNotByPath) {
  Site site;
  site.ask(request("/api/v1/gpus/1650001"));
  site.ask(request("/api/v1/gpus/999/metrics"));
  site.ask(request("/api/v1/nothing"));
  site.ask(request("/"));
  const std::vector<std::pair<int, std::string>> want{
      {200, "/api/v1/gpus/{id}"}, {404, "/api/v1/gpus/{id}/metrics"}, {404, "unmatched"}, {200, "static"}};
  EXPECT_EQ(site.counted, want);
}

TEST(Routes, EachFitsItself) {
  for (const Route& r : routes()) {
    const auto found = match(r.method, r.pattern);  // "{id}" is a fine id
    ASSERT_NE(found.route, nullptr) << r.pattern;
    EXPECT_EQ(found.route->pattern, r.pattern);
  }
}

}  // namespace
}  // namespace ghm::api
