#include <gtest/gtest.h>

#include "api/world_for_test.h"
#include "services/incident_records.h"

namespace ghm::api {
namespace {

using test::json_of;
using test::kNow;
using test::request;
using test::Site;

faults::Sign sign(const char* word, std::uint32_t board, Timestamp at) {
  faults::Sign s;
  s.what = faults::evidence(word);
  s.severity = faults::Severity::critical;
  s.at = at;
  s.id = std::string(word) + std::to_string(board);
  s.board = static_cast<faults::BoardId>(board);
  s.gpu = board == 11 ? "1650001" : "other";
  s.host = "gpu-host-1";
  s.rack = board == 11 ? "r1" : "r2";
  if (board == 11) s.code = 79;
  s.boards_on_host = 8;
  s.simulated = board == 12;
  return s;
}

/// A site on which board 11 fell off the bus and board 12's firmware hung and was reset.
struct Troubled : Site {
  faults::IncidentBook book;
  Troubled() {
    book.observe(sign("off_bus", 11, kNow - 2h));
    book.observe(sign("gpu_missing", 11, kNow - 2h + 30s));
    book.observe(sign("gsp_timeout", 12, kNow - 1h));
    book.end({"e", kNow - 30min, faults::Ending::gpu_reset, faults::BoardId{12}, "gpu-host-1", "reset", {}});
    for (const auto* i : book.take_changed()) {
      const auto r = services::to_record(*i, book.ranking(*i), book.causes());
      records.kept[{r.kind, r.key}] = r;
    }
    records.kept[{"event", "1"}] = {"event", "1", kNow - 3h, R"({"kind":"source_slow","host":"gpu-host-1","detail":"slow"})"};
    records.kept[{"event", "2"}] = {"event", "2", kNow - 2h, R"({"kind":"xid","board":11,"host":"gpu-host-1","detail":"Xid","code":79})"};
    records.kept[{"event", "3"}] = {"event", "3", kNow - 2h,
                                    R"({"kind":"xid","board":12,"host":"gpu-host-1","detail":"not mine","code":119})"};
  }
};

TEST(IncidentRoutes, ListsTheNewestFirstAndFilters) {
  Troubled site;
  const auto all = json_of(site.ask(request("/api/v1/incidents")));
  ASSERT_EQ(all["items"].size(), 2u) << all;
  EXPECT_EQ(all["items"][0]["id"], "2");
  EXPECT_EQ(all["items"][0]["state"], "cleared");
  EXPECT_EQ(all["items"][0]["simulated"], true);
  EXPECT_EQ(all["items"][1]["cause"], "off_bus");
  EXPECT_EQ(all["items"][1]["severity"], "critical");
  EXPECT_EQ(json_of(site.ask(request("/api/v1/incidents?state=open")))["items"].size(), 1u);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/incidents?gpu=1650001")))["items"][0]["id"], "1");
  EXPECT_EQ(json_of(site.ask(request("/api/v1/incidents?host=elsewhere")))["items"].size(), 0u);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/incidents?rack=r1")))["items"][0]["id"], "1");
  EXPECT_EQ(json_of(site.ask(request("/api/v1/incidents?rack=r")))["items"].size(), 0u);
  EXPECT_EQ(site.ask(request("/api/v1/incidents?rack=\xff\"")).status, 200) << "no name, and no harm";
  EXPECT_EQ(json_of(site.ask(request("/api/v1/incidents?limit=1")))["items"].size(), 1u);
}

TEST(IncidentRoutes, ARowSaysItsLeadingSign) {
  Troubled site;
  const auto row = json_of(site.ask(request("/api/v1/incidents?gpu=1650001")))["items"][0];
  EXPECT_EQ(row["sign"], "off_bus");
  EXPECT_EQ(row["sign_says"], "the GPU fell off the bus (Xid 79)");
  auto old = site.records.kept[{"incident", "0000000001"}];
  const auto at = old.body.find(R"("leading":"off_bus",)");
  ASSERT_NE(at, old.body.npos);
  old.body.erase(at, std::string_view(R"("leading":"off_bus",)").size());
  site.records.kept[{"incident", "0000000001"}] = old;
  EXPECT_EQ(json_of(site.ask(request("/api/v1/incidents?gpu=1650001")))["items"][0]["sign"], "off_bus")
      << "of an older version: the heaviest";
}

TEST(IncidentRoutes, WrongQuestionsAreTold) {
  Troubled site;
  EXPECT_EQ(site.ask(request("/api/v1/incidents?state=sad")).status, 400);
  EXPECT_EQ(site.ask(request("/api/v1/incidents?gpu=nobody")).status, 404);
  EXPECT_EQ(site.ask(request("/api/v1/incidents/99")).status, 404);
  EXPECT_EQ(site.ask(request("/api/v1/incidents/zero")).status, 404);
  EXPECT_EQ(site.ask(request("/api/v1/gpus/nobody/timeline")).status, 404);
  EXPECT_EQ(site.ask(request("/api/v1/gpus/1650001/timeline?limit=0")).status, 400);
}

TEST(IncidentRoutes, OneTellsItsEvidence) {
  Troubled site;
  const auto one = json_of(site.ask(request("/api/v1/incidents/1")));
  EXPECT_EQ(one["causes"][0]["cause"], "off_bus");
  EXPECT_EQ(one["causes"][0]["evidence_for"][0]["evidence"], "off_bus");
  EXPECT_FALSE(one["causes"][0]["evidence_for"][0]["source"].get<std::string>().empty());
  EXPECT_EQ(one["action"], "reboot_host");
  EXPECT_EQ(one["signs"].size(), 2u);
  EXPECT_EQ(one["history"][0]["what"], "opened");
  EXPECT_EQ(one["parts"][0]["open"], true);
}

TEST(IncidentRoutes, ATimelineIsTheBoardsAndItsHosts) {
  Troubled site;
  const auto line = json_of(site.ask(request("/api/v1/gpus/1650001/timeline")));
  std::vector<std::string> kinds;
  for (const auto& i : line["items"]) kinds.push_back(i["kind"]);
  EXPECT_EQ(kinds, (std::vector<std::string>{"updated", "xid", "opened", "source_slow"})) << line;
  EXPECT_EQ(line["items"][2]["incident"], "1");
  EXPECT_EQ(line["more"], false);
}

TEST(IncidentRoutes, ATimelineIsWholeWhateverTheFleetTells) {
  Troubled site;
  for (int n = 0; n < 25'000; ++n) {
    const auto key = std::to_string(100 + n);
    site.records.kept[{"event", key}] = {"event", key, kNow - 1h, R"({"kind":"xid","board":99,"host":"other","detail":"x"})"};
  }
  EXPECT_EQ(json_of(site.ask(request("/api/v1/gpus/1650001/timeline")))["items"].size(), 4u) << "25,000 newer events of others";
  EXPECT_EQ(json_of(site.ask(request("/api/v1/gpus/1650001/events")))["items"].size(), 1u);
  const auto cut = json_of(site.ask(request("/api/v1/gpus/1650001/timeline?limit=2")));
  EXPECT_EQ(cut["items"].size(), 2u);
  EXPECT_EQ(cut["more"], true);
}

TEST(IncidentRoutes, ADamagedRecordIsLeftOut) {
  Troubled site;
  site.records.kept[{"incident", "0000000009"}] = {"incident", "0000000009", kNow, "{\"id\":9,"};
  EXPECT_EQ(json_of(site.ask(request("/api/v1/incidents")))["items"].size(), 2u);
  EXPECT_EQ(site.ask(request("/api/v1/incidents/9")).status, 500);
}

}  // namespace
}  // namespace ghm::api
