#include <gtest/gtest.h>

#include "api/world_for_test.h"
#include "services/case_records.h"
#include "services/cases.h"
#include "services/incident_records.h"

namespace ghm::api {
namespace {

using test::Json;
using test::json_of;
using test::kNow;
using test::request;

/// A site with its cases, which are kept at once.
struct Workshop : test::Site {
  std::shared_ptr<const faults::FaultCatalogue> codes = std::make_shared<faults::FaultCatalogue>(faults::FaultCatalogue::built_in());
  std::unique_ptr<services::Incidents> incidents;
  std::unique_ptr<services::Cases> repairs;
  std::string key = create_key(records, Role::operator_, "test", kNow).value().token;

  Workshop() {
    fleet::Ledger::Kept kept;
    for (const auto& v : fleet->boards) kept.boards.push_back(v.board);
    for (const auto& h : fleet->hosts) kept.hosts.push_back(h.host);
    ledger.restore(kept);
    incidents = std::make_unique<services::Incidents>(ledger, codes, Log::off());
    std::vector<store::Record> fault{
        {"event", "e1", kNow - 2h, R"({"kind":"xid","board":11,"host":"gpu-host-1","detail":"Xid","code":48})"}};
    incidents->take(fault, kNow);
    EXPECT_TRUE(records.put(fault));
    repairs = std::make_unique<services::Cases>(ledger, *incidents, Log::off());
    change_cases = [this](const auto& change, const auto& kept_now) {
      auto changed = change(*repairs);
      if (!changed) return kept_now(changed.error());
      if (disk) {
        EXPECT_TRUE(records.put(*changed));
      }
      kept_now(disk);
    };
    cases = [this] { return repairs->now(); };
  }
  http::Response post(const std::string& path, const Json& body) {
    auto q = request("/api/v1/cases" + path, {{"authorization", "Bearer " + key}}, "POST");
    q.body = body.dump();
    return ask(q);
  }
  Json get(const std::string& path) { return json_of(ask(request("/api/v1/" + path))); }
  Json open() { return json_of(post("", {{"incident", "1"}, {"action", "reset_gpu"}, {"watch_days", 2}, {"note", "first try"}})); }
};

TEST(CaseRoutes, OfAnIncidentACaseIsOpened) {
  Workshop site;
  const auto r = site.post("", {{"incident", "1"}, {"action", "reset_gpu"}, {"watch_days", 2}, {"note", "first try"}});
  ASSERT_EQ(r.status, 201) << r.bytes();
  const auto c = json_of(r);
  EXPECT_EQ(c["id"], "1");
  EXPECT_EQ(c["state"], "open");
  EXPECT_EQ(c["gpu"], "1650001");
  EXPECT_EQ(c["slot"], "gpu-host-1/0");
  EXPECT_EQ(c["fault"], "memory");
  EXPECT_EQ(c["expects"], "A test passes, and no memory fault of GPU 1650001 on gpu-host-1 is seen in 2 days at work after it.");
  EXPECT_EQ(c["steps"].size(), 2u);
  EXPECT_EQ(c["before"]["signs"], 1);
  EXPECT_EQ(c["after"], nullptr);
  EXPECT_EQ(c["next"][0], (Json{{"to", "acting"}, {"needs", Json::array()}}));
  EXPECT_EQ(c["next"][1]["to"], "closed");
  EXPECT_EQ(c["why_not_closed"], c["next"][1]["needs"][0]);
  EXPECT_EQ(site.get("gpus/1650001")["case"], (Json{{"id", "1"}, {"state", "open"}}));
  EXPECT_EQ(site.get("gpus/board-12")["case"], nullptr);
  EXPECT_EQ(site.post("", {{"host", "gpu-host-1"}, {"action", "check_cooling"}, {"fault", "thermal"}}).status, 201);
  EXPECT_EQ(site.get("gpus/board-12")["case"]["id"], "2") << "its host is under repair";
  EXPECT_EQ(site.get("gpus/1650001")["case"]["id"], "1");
  site.clock.advance(1s);
  EXPECT_EQ(site.get("gpus/1650001/timeline")["items"][0]["what"], "case");
}

TEST(CaseRoutes, StepsGoOnOrAreRefusedWithAReason) {
  Workshop site;
  site.open();
  const auto early = site.post("/1/advance", {{"to", "watching"}});
  EXPECT_EQ(early.status, 409);
  EXPECT_NE(json_of(early)["detail"].get<std::string>().find("next is acting or closed"), std::string::npos) << early.bytes();
  EXPECT_EQ(site.post("/1/advance", {{"to", "acting"}, {"note", "drained"}}).status, 200);
  EXPECT_EQ(site.post("/1/advance", {{"to", "testing"}}).status, 200);
  const auto watching = json_of(
      site.post("/1/advance", {{"to", "watching"}, {"cost", 80}, {"test", {{"name", "diag"}, {"passed", true}, {"detail", "all well"}}}}));
  EXPECT_EQ(watching["state"], "watching") << watching;
  EXPECT_EQ(watching["tests"][0]["detail"], "all well");
  EXPECT_EQ(watching["cost"], 80);
  EXPECT_EQ(watching["after"]["per_30_days"], nullptr) << "no rate from minutes";
  EXPECT_EQ(site.post("/1/close", {{"reason", "surely well"}}).status, 409);
  EXPECT_EQ(site.post("/1/close", {{"outcome", "cancelled"}}).status, 400);
  EXPECT_EQ(site.post("/1/note", {{"note", "half of it is over"}}).status, 200);
  site.clock.advance(std::chrono::days(2));
  EXPECT_EQ(site.get("cases/1")["why_not_closed"], nullptr);
  const auto closed = json_of(site.post("/1/close", Json::object()));
  EXPECT_EQ(closed["outcome"], "helped") << closed;
  EXPECT_EQ(site.get("cases")["items"].size(), 0u);
  EXPECT_EQ(site.get("cases?state=closed&gpu=1650001&host=gpu-host-1")["items"].size(), 1u);
  const auto stats = site.get("cases/stats?by=model");
  EXPECT_EQ(stats["confidence"], 0.95);
  ASSERT_EQ(stats["items"].size(), 1u);
  EXPECT_EQ(stats["items"][0]["action"], nullptr);
  EXPECT_EQ(stats["items"][0]["model"], "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(stats["items"][0]["share"], 1.0);
  EXPECT_EQ(stats["items"][0]["median_days"], 2.0);
  const auto helped = site.get("incidents/1")["what_helped"];
  ASSERT_EQ(helped.size(), 1u);
  EXPECT_EQ(helped[0]["says"], "a GPU reset helped 1 of 1 time against memory faults of this model (21-100 %)");
}

TEST(CaseRoutes, WrongQuestionsAreTold) {
  Workshop site;
  site.open();
  for (const auto* path :
       {"cases?state=sad", "cases?limit=0", "cases/stats?by=colour", "cases/offenders?days=8", "cases/offenders?by=rack"})
    EXPECT_EQ(site.ask(request(std::string("/api/v1/") + path)).status, 400) << path;
  for (const auto* path : {"cases/99", "cases/x", "cases?gpu=nobody"})
    EXPECT_EQ(site.ask(request(std::string("/api/v1/") + path)).status, 404) << path;
  const std::pair<Json, int> bodies[] = {
      {{{"action", "reset_gpu"}}, 400},
      {{{"gpu", "1650001"}}, 400},
      {{{"gpu", "1650001"}, {"host", "gpu-host-1"}, {"action", "reset_gpu"}}, 400},
      {{{"gpu", "1650001"}, {"action", "pray"}}, 400},
      {{{"gpu", "1650001"}, {"action", "none"}}, 400},
      {{{"gpu", "1650001"}, {"action", "reset_gpu"}, {"fault", "mood"}}, 400},
      {{{"gpu", "1650001"}, {"action", "reset_gpu"}, {"watch_days", 1.5}}, 400},
      {{{"gpu", "1650001"}, {"action", "reset_gpu"}, {"watch_days", 91}}, 400},
      {{{"gpu", "1650001"}, {"action", "reset_gpu"}, {"surprise", 1}}, 400},
      {{{"gpu", "nobody"}, {"action", "reset_gpu"}}, 404},
      {{{"incident", "seventeen"}}, 400},
      {{{"incident", "17"}}, 404},
      {{{"host", "gpu-host-9"}, {"action", "reboot_host"}}, 404},
      {{{"gpu", "1650001"}, {"action", "reset_gpu"}, {"fault", "memory"}}, 409},
  };
  for (const auto& [body, status] : bodies) EXPECT_EQ(site.post("", body).status, status) << body << site.post("", body).bytes();
  for (const auto& body : {Json{{"to", "open"}}, Json{{"to", "closed"}}, Json{{"to", "acting"}, {"cost", -1}}, Json{{"note", "x"}},
                           Json{{"to", "testing"}, {"test", {{"name", "diag"}}}}})
    EXPECT_EQ(site.post("/1/advance", body).status, 400) << body;
  EXPECT_EQ(site.post("/9/advance", {{"to", "acting"}}).status, 404);
  EXPECT_EQ(site.post("/1/close", {{"outcome", "perhaps"}}).status, 400);
  EXPECT_EQ(site.post("/1/note", {{"note", ""}}).status, 400);
  EXPECT_EQ(site.ask(request("/api/v1/cases/1/note", {}, "POST")).status, 403) << "an operator's key is needed";
  EXPECT_EQ(site.get("cases/1")["steps"].size(), 2u) << "nothing of it changed the case";
}

TEST(CaseRoutes, WhatIsNotDurableIsNotAnsweredAsDone) {
  Workshop site;
  site.disk = Error{Errc::unavailable, "the disk is full"};
  EXPECT_EQ(site.post("", {{"gpu", "1650001"}, {"action", "reset_gpu"}}).status, 503);
}

TEST(CaseRoutes, OffendersAreThoseWhoFailTwice) {
  Workshop site;
  EXPECT_EQ(site.get("cases/offenders?by=host&days=7")["items"].size(), 0u);
  std::vector<store::Record> again{{"event", "e2", kNow - 90min, R"({"kind":"gpu_reset","board":11,"host":"gpu-host-1","detail":"reset"})"},
                                   {"event", "e3", kNow - 1h, R"({"kind":"xid","board":11,"host":"gpu-host-1","detail":"Xid","code":48})"}};
  site.incidents->take(again, kNow);
  ASSERT_TRUE(site.records.put(again));
  const auto all = site.get("cases/offenders?days=7");
  ASSERT_EQ(all["items"].size(), 1u) << all;
  EXPECT_EQ(all["by"], "serial");
  EXPECT_EQ(all["items"][0]["name"], "1650001");
  EXPECT_EQ(all["items"][0]["says"], "1 incident, 1 opened again in 7 days: memory");
}

TEST(CaseRoutes, ADamagedRecordIsLeftOut) {
  Workshop site;
  site.open();
  site.records.kept[{"case", services::case_key(2)}] = {"case", services::case_key(2), kNow, R"({"id":2,"state":"open","steps":[]})"};
  EXPECT_EQ(site.get("cases?state=all")["items"].size(), 1u);
  EXPECT_EQ(site.ask(request("/api/v1/cases/2")).status, 500);
}

}  // namespace
}  // namespace ghm::api
