#include <gtest/gtest.h>

#include "api/body.h"
#include "api/world_for_test.h"
#include "pipeline/ledger_records.h"

namespace ghm::api {
namespace {

using test::Json;
using test::json_of;
using test::kNow;
using test::request;
using test::Site;

struct LedgerApi : ::testing::Test {
  Site site;
  std::string operator_key = create_key(site.records, Role::operator_, "test", kNow).value().token;

  http::Response send(const char* method, const char* path, const Json& body) {
    auto q = request(path, {{"authorization", "Bearer " + operator_key}}, method);
    q.body = body.is_null() ? "" : body.dump();
    return site.ask(q);
  }
  http::Response post(const char* path, const Json& body) { return send("POST", path, body); }
};

Json asset(const char* serial) {
  return {{"serial", serial},
          {"gpu_uuid", std::string("GPU-") + serial},
          {"model", "NVIDIA H200"},
          {"host", "h7"},
          {"rack", "R07"},
          {"deployed_at", "2025-01-01T00:00:00Z"},
          {"warranty_until", "2028-01-01T00:00:00Z"},
          {"attributes", {{"cage", "2"}}}};
}

TEST_F(LedgerApi, CommandsNeedAnOperatorsKey) {
  for (const auto& [method, path] :
       {std::pair{"POST", "/api/v1/assets"}, {"POST", "/api/v1/maintenance"}, {"DELETE", "/api/v1/maintenance/h7"}})
    EXPECT_EQ(site.ask(request(path, {}, method)).status, 403) << path;
  EXPECT_TRUE(site.ledger.boards().empty());
}

TEST_F(LedgerApi, AssetsAreTakenAndWrongOnesNamed) {
  auto wrong = asset("S2");
  wrong["deployd_at"] = "x";
  auto nameless = asset("S3");
  nameless.erase("serial");
  nameless.erase("gpu_uuid");
  const auto r = post("/api/v1/assets", {{"items", {asset("S1"), wrong, nameless}}});
  ASSERT_EQ(r.status, 200) << r.bytes();
  const auto said = json_of(r);
  EXPECT_EQ(said["accepted"], 1);
  EXPECT_EQ(said["new_boards"], 1);
  ASSERT_EQ(said["refused"].size(), 2u);
  EXPECT_EQ(said["refused"][0]["item"], 1);
  EXPECT_NE(said["refused"][0]["reason"].get<std::string>().find("deployd_at: not known"), std::string::npos);
  const auto* b = site.ledger.find("S1");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->place.rack, "R07");
  EXPECT_EQ(b->asset->attributes.at("cage"), "2");
}

TEST_F(LedgerApi, MaintenanceStartsAndEnds) {
  post("/api/v1/assets", {{"items", {asset("S1")}}});
  const auto started = post("/api/v1/maintenance", {{"target", "h7"}, {"reason", "fans"}, {"until", format_rfc3339(kNow + 2h)}});
  ASSERT_EQ(started.status, 201) << started.bytes();
  EXPECT_EQ(json_of(started)["scope"], "host");
  EXPECT_EQ(json_of(started)["active"], true);
  EXPECT_EQ(post("/api/v1/maintenance", {{"target", "h7"}}).status, 409);
  EXPECT_EQ(post("/api/v1/maintenance", {{"target", "nowhere"}}).status, 404);
  EXPECT_EQ(send("DELETE", "/api/v1/maintenance/h7", nullptr).status, 200);
  EXPECT_EQ(send("DELETE", "/api/v1/maintenance/h7", nullptr).status, 404);
}

TEST_F(LedgerApi, WrongBodiesAreOneSentence) {
  struct Case {
    const char* path;
    const char* body;
    const char* says;
  };
  const Case cases[] = {
      {"/api/v1/maintenance", "", "expected a JSON object"},
      {"/api/v1/maintenance", "[]", "expected a JSON object"},
      {"/api/v1/maintenance", "{}", "target: expected a text"},
      {"/api/v1/maintenance", R"({"target":5})", "target: expected a text"},
      {"/api/v1/maintenance", R"({"target":"h7","until":"soon"})", "until: expected a time"},
      {"/api/v1/maintenance", R"({"target":"h7","untl":"2026-01-01T00:00:00Z"})", "untl: not known; known are reason, target, until"},
      {"/api/v1/assets", R"({"items":[5]})", "items: expected a list of at most 1000 objects"},
      {"/api/v1/assets", R"({})", "items: expected a list"},
      {"/api/v1/assets", R"({"items":[],"simulated":"yes"})", "simulated: expected true or false"},
  };
  for (const auto& c : cases) {
    auto q = request(c.path, {{"authorization", "Bearer " + operator_key}}, "POST");
    q.body = c.body;
    const auto r = site.ask(q);
    EXPECT_EQ(r.status, 400) << c.body;
    EXPECT_NE(r.bytes().find(c.says), std::string::npos) << c.body << r.bytes();
  }
}

TEST_F(LedgerApi, ACommandIsAnsweredWhenItIsDurable) {
  site.disk = Error{Errc::unavailable, "the disk is full"};
  const auto late = post("/api/v1/assets", {{"items", {asset("S1")}}});
  EXPECT_EQ(late.status, 503);
  EXPECT_NE(late.bytes().find("the disk is full"), std::string::npos);
  site.not_writable = "the disk is full";
  const auto refused = post("/api/v1/assets", {{"items", {asset("S9")}}});
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(test::header_of(refused, "Retry-After"), "5");
  EXPECT_EQ(site.ledger.find("S9"), nullptr) << "it did not even begin";
}

TEST_F(LedgerApi, ALifeIsReadFromItsRecords) {
  const auto id = static_cast<fleet::BoardId>(11);
  const std::vector<store::Record> records{
      pipeline::to_record(fleet::Interval{id, "slot", "old 00000000:01:00.0", {{"host", "old"}}, kNow - 48h, kNow - 24h}),
      pipeline::to_record(fleet::Interval{id, "pod", "ml/train-0/main", {}, kNow - 5h, kNow - 4h}),
      pipeline::to_record(id,
                          {{id, "slot", "gpu-host-1 00000000:02:00.0", {{"host", "gpu-host-1"}}, kNow - 24h, std::nullopt},
                           {id, "job", "4711", {}, kNow - 1h, std::nullopt}},
                          kNow),
      pipeline::to_record(fleet::Interval{static_cast<fleet::BoardId>(110), "slot", "another board's", {}, kNow, kNow})};
  ASSERT_TRUE(site.records.put(records));
  const auto ledger = json_of(site.ask(request("/api/v1/gpus/1650001/ledger")));
  ASSERT_EQ(ledger["items"].size(), 2u) << ledger;
  EXPECT_EQ(ledger["items"][0]["facts"]["host"], "gpu-host-1");
  EXPECT_TRUE(ledger["items"][0]["to"].is_null());
  EXPECT_EQ(ledger["items"][1]["to"], format_rfc3339(kNow - 24h));
  const auto jobs = json_of(site.ask(request("/api/v1/gpus/1650001/jobs")));
  ASSERT_EQ(jobs["items"].size(), 2u);
  EXPECT_EQ(jobs["items"][0]["name"], "4711");
  EXPECT_EQ(json_of(site.ask(request("/api/v1/gpus/1650001/jobs?limit=1")))["items"].size(), 1u);
  EXPECT_EQ(site.ask(request("/api/v1/gpus/999/ledger")).status, 404);
}

TEST_F(LedgerApi, CoverageNamesWhatIsSilentAndWhatContradicts) {
  auto fleet = test::small_fleet();
  fleet.hosts[0].silent = true;
  fleet.boards[1].silent = true;
  fleet.conflicts = {{"claimed_twice", fleet.boards[0].board.id, "a and b", "claimed twice", kNow - 1min, kNow}};
  fleet.maintenance.restore({{"m-1", fleet::Maintenance::Scope::rack, "r1", kNow - 1h, std::nullopt, "", ""}});
  site.fleet = std::make_shared<views::FleetSnapshot>(fleet);
  const auto c = json_of(site.ask(request("/api/v1/fleet/coverage")));
  EXPECT_EQ(c["total_gpus"], 2);
  EXPECT_EQ(c["reporting_gpus"], 1);
  EXPECT_EQ(c["silent_hosts"][0]["host"], "gpu-host-1");
  EXPECT_EQ(c["silent_hosts"][0]["maintenance"], true);
  EXPECT_EQ(c["silent_gpus"][0]["id"], "board-12");
  EXPECT_EQ(c["conflicts"][0]["id"], "1650001");
  EXPECT_TRUE(c["coverage"].is_null()) << "nothing was scored: no number";
  EXPECT_EQ(json_of(site.ask(request("/api/v1/maintenance?active=true")))["items"].size(), 1u);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/maintenance?active=false")))["items"].size(), 0u);
}

TEST_F(LedgerApi, AssetsComeInPages) {
  const auto first = json_of(site.ask(request("/api/v1/assets?limit=1")));
  ASSERT_EQ(first["items"].size(), 1u);
  EXPECT_EQ(first["items"][0]["id"], "1650001");
  EXPECT_TRUE(first["items"][0]["inventory"].is_null());
  const auto rest = json_of(site.ask(request("/api/v1/assets?limit=1&cursor=1650001")));
  EXPECT_EQ(rest["items"][0]["id"], "board-12");
  EXPECT_TRUE(rest["next"].is_null());
  EXPECT_EQ(json_of(site.ask(request("/api/v1/assets?q=KEINE")))["items"].size(), 0u);
}

}  // namespace
}  // namespace ghm::api
