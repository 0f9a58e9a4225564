#include <gtest/gtest.h>

#include "api/world_for_test.h"

namespace ghm::api {
namespace {

using test::json_of;
using test::kNow;
using test::request;
using test::Site;

std::shared_ptr<const health::Report> report(double score, std::optional<double> trend) {
  health::Report r;
  r.overall = score;
  r.trend_7d = trend;
  health::Dimension thermal;
  thermal.name = "thermal";
  thermal.weight_percent = 25;
  thermal.score = score;
  thermal.findings.push_back({"thermal.fan", 5, 95, 90, to_unix_seconds(kNow - 1h)});
  r.dimensions.push_back(thermal);
  return std::make_shared<const health::Report>(r);
}

struct HealthApi : ::testing::Test {
  HealthApi() {
    auto fleet = test::small_fleet();
    fleet.boards[0].health = report(62, -4);
    fleet.boards[1].health = report(90, 1);
    fleet.boards[1].board.place.rack = "r2";
    site.fleet = std::make_shared<views::FleetSnapshot>(fleet);
  }
  Site site;
};

TEST_F(HealthApi, EveryGroupNamesItsLowestAndWhoMovedIt) {
  const auto h = json_of(site.ask(request("/api/v1/fleet/health")));
  EXPECT_EQ(h["index"], 76);
  EXPECT_EQ(h["below_70"], 1);
  EXPECT_EQ(h["lowest"]["id"], "1650001");
  EXPECT_EQ(h["moved_by"]["trend_7d"], -4);
  const auto& racks = h["groups"]["rack"];
  ASSERT_EQ(racks.size(), 2u);
  EXPECT_EQ(racks[0]["name"], "r1") << "the lowest index first";
  EXPECT_EQ(racks[0]["lowest"]["since"], format_rfc3339(kNow - 1h));
  EXPECT_TRUE(racks[1]["moved_by"].is_null()) << "nothing fell there";
  EXPECT_TRUE(h["groups"]["batch"][0]["name"].is_null());
}

TEST_F(HealthApi, WithoutAScoreThereIsNoIndex) {
  site.fleet = std::make_shared<views::FleetSnapshot>(test::small_fleet());
  const auto h = json_of(site.ask(request("/api/v1/fleet/health")));
  EXPECT_TRUE(h["index"].is_null());
  EXPECT_TRUE(h["lowest"].is_null());
}

TEST_F(HealthApi, DegradedBoardsComeLowestFirst) {
  const auto d = json_of(site.ask(request("/api/v1/fleet/degraded")));
  ASSERT_EQ(d["items"].size(), 1u);
  EXPECT_EQ(d["items"][0]["score"], 62);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/fleet/degraded?below=95&limit=1")))["total"], 2);
  EXPECT_EQ(site.ask(request("/api/v1/fleet/degraded?below=200")).status, 400);
}

TEST_F(HealthApi, TheHistoryIsAskedOfTheBoardsOwnSeries) {
  const auto h = json_of(site.ask(request("/api/v1/gpus/1650001/health/history")));
  ASSERT_EQ(site.telemetry.asked.size(), 1 + health::dimensions().size());
  EXPECT_EQ(site.telemetry.asked[0].series.metric, health::kOverallScore);
  EXPECT_EQ(site.telemetry.asked[0].range.from, kNow - std::chrono::days(30));
  EXPECT_EQ(h["items"].size(), 1u);
  EXPECT_EQ(h["items"][0]["score"], 64) << "the bucket's last";
  EXPECT_EQ(site.ask(request("/api/v1/gpus/1650001/health/history?start=2030-01-01T00:00:00Z")).status, 400);
  EXPECT_EQ(site.ask(request("/api/v1/gpus/9/health/history")).status, 404);
}

}  // namespace
}  // namespace ghm::api
