#include "domain/views/gpu_health_view.h"

#include <gmock/gmock.h>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/views/cause.h"
#include "domain/views/links.h"
#include "domain/views/rule_facts.h"
#include "domain/views/story_fleet_for_test.h"

namespace ghm::views {
namespace {

using test::kNow, test::well_fleet;

// A rule without its unit or its chart would be a finding that nobody can follow up.
TEST(RuleFacts, EveryRuleHasUnitAndWindowAndAMetricOfTheCatalogue) {
  for (const auto rule : health::rule_names()) {
    const auto facts = facts_of(rule);
    EXPECT_FALSE(facts.unit.empty()) << rule;
    EXPECT_FALSE(facts.window.empty()) << rule;
    if (!facts.metric.empty()) {
      EXPECT_NE(telemetry::MetricCatalogue::built_in().by_name(facts.metric), nullptr) << rule;
    }
  }
  EXPECT_TRUE(facts_of("no.such_rule").unit.empty());
}

TEST(RuleFacts, APcieFindingIsInLanesOrAShare) {
  EXPECT_EQ(unit_of({"performance.pcie", 5, 8, 16}), "lanes");
  EXPECT_EQ(unit_of({"performance.pcie", 5, 1, 0.95}), "ratio");
}

TEST(Causes, FollowRuleFamilyAndMetricUse) {
  EXPECT_EQ(cause_of_rule("thermal.throttle"), Cause::heat);
  EXPECT_EQ(cause_of_rule("performance.nvlink"), Cause::nvlink);
  EXPECT_EQ(cause_of_rule("performance.clock"), Cause::performance);
  EXPECT_EQ(cause_of_rule("reliability.xid"), Cause::errors);
  EXPECT_EQ(cause_of_rule("reliability.uptime"), std::nullopt) << "of the past";
  EXPECT_EQ(cause_of_metric(telemetry::field::memory_temp), Cause::heat);
  EXPECT_EQ(cause_of_metric(telemetry::field::ecc_dbe_volatile), Cause::memory);
  EXPECT_EQ(cause_of_metric(telemetry::field::nvlink_state), Cause::nvlink);
  EXPECT_EQ(cause_of_metric(telemetry::field::gpu_util), std::nullopt) << "work is no trouble";
  EXPECT_EQ(score_series(Cause::heat), health::dimension_score(1));
}

TEST(Links, EscapeWhatHasAMeaning) {
  EXPECT_EQ(group_link("rack", "R 1/2"), "/racks/R%201%2F2");
  EXPECT_EQ(group_link("datacenter", "dc1"), "/sites/dc1");
  EXPECT_EQ(group_link("driver", "570.1"), "/fleet?driver=570.1");
}

struct HealthView : ::testing::Test {
  FleetSnapshot fleet = well_fleet(1);
  health::Report report;
  HealthView() {
    report.at = to_unix_seconds(kNow);
    report.profile = "baseline";
    report.overall = 87.4;
    report.coverage = 0.97;
    report.trend_7d = -5;
    health::Dimension memory{"memory", 30, 58, 1, {}, {}};
    memory.findings = {{"memory.corrected", 26, 26.1, 0, to_unix_seconds(kNow - 60s)},
                       {"memory.ue_7d", 16, 1, 0, to_unix_seconds(kNow - 2h)}};
    health::Dimension thermal{"thermal", 70, 100, 1, {}, {}};
    report.dimensions = {memory, thermal};
    fleet.boards[3].health = std::make_shared<const health::Report>(report);
    health::Report peer = report;
    peer.overall = 96;
    peer.dimensions[0].score = 95;
    for (const auto i : {1, 2, 4}) fleet.boards[static_cast<std::size_t>(i)].health = std::make_shared<const health::Report>(peer);
    for (auto& v : fleet.boards)
      v.board.model = v.board.id == fleet.boards[0].board.id || v.board.slot > 4 || v.board.host != "h0" ? "other" : "H100";
  }
};

TEST_F(HealthView, EachPointHasItsUnitWindowAndEvidence) {
  const auto h = gpu_health(fleet, 3);
  EXPECT_EQ(h["band"], "healthy");
  EXPECT_EQ(h["trend_7d"], -5);
  EXPECT_TRUE(h["trend_30d"].is_null());
  EXPECT_EQ(h["peers_median"], 96);
  const auto& memory = h["dimensions"][0];
  EXPECT_EQ(memory["peers_median"], 95);
  EXPECT_NEAR(memory["lost"].get<double>(), 12.6, 1e-9);
  EXPECT_EQ(memory["cap"]["rule"], "memory.ue_7d");
  EXPECT_EQ(memory["cap"]["level"], 58);
  const auto& f = memory["findings"][0];
  EXPECT_NEAR(f["lost_overall"].get<double>(), 7.8, 1e-9);
  EXPECT_EQ(f["unit"], "1/d");
  EXPECT_EQ(f["window"], "7d");
  EXPECT_EQ(f["evidence"], "/gpus/S3?tab=signals&metric=DCGM_FI_DEV_ECC_SBE_VOL_TOTAL&at=2027-01-15T07%3A59%3A00Z");
  EXPECT_TRUE(h["dimensions"][1]["cap"].is_null());
}

TEST_F(HealthView, TheLossesOfTheWholeSumToIt) {
  const auto h = gpu_health(fleet, 3);
  double lost = 0;
  for (const auto& d : h["dimensions"])
    for (const auto& f : d["findings"]) lost += f["lost_overall"].get<double>();
  EXPECT_NEAR(lost, 12.6, 1e-9);
}

TEST_F(HealthView, ThePastSaysWhatItIsMadeOf) {
  PastScore past;
  past.at = kNow - 48h;
  past.kept = 90;
  past.note = "no reading is left";
  const auto gone = gpu_health_at(fleet, 3, past);
  EXPECT_TRUE(gone["score"].is_null());
  EXPECT_EQ(gone["note"], "no reading is left");
  EXPECT_EQ(gone["kept_score"], 90);
  past.report = report;
  past.readings = 1000;
  const auto there = gpu_health_at(fleet, 3, past);
  EXPECT_EQ(there["score"], 87.4);
  EXPECT_EQ(there["readings"], 1000);
  EXPECT_EQ(there["at"], format_rfc3339(kNow - 48h));
}

}  // namespace
}  // namespace ghm::views
