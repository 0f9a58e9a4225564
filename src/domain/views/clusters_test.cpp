// A story that is wrong once costs trust: what is said, and above all what is not.
#include "domain/views/clusters.h"

#include <gmock/gmock.h>

#include <random>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/views/story.h"
#include "domain/views/story_fleet_for_test.h"

namespace ghm::views {
namespace {

using test::ill, test::kNow, test::well_fleet;
using testing::ElementsAre, testing::HasSubstr, testing::IsEmpty;

std::vector<std::string> said(const FleetSnapshot& fleet) {
  std::vector<std::string> out;
  for (const auto& c : find_clusters(fleet, Signs(fleet)))
    out.push_back(fmt::format("{} {} {} {}/{}", c.kind->name, c.id, to_string(c.cause), c.gpus, c.of));
  return out;
}

TEST(Clusters, AHotRackIsSaidAndItsSiteIsNot) {
  auto fleet = well_fleet(20);
  for (const auto i : {24, 25, 26, 33, 34, 35, 40, 41, 42}) fleet.boards[static_cast<std::size_t>(i)].health = ill("thermal.throttle");
  EXPECT_THAT(said(fleet), ElementsAre("rack R1 heat 9/24"));
  const auto c = find_clusters(fleet, Signs(fleet)).front();
  EXPECT_LT(c.p_chance, 1e-6);
  EXPECT_EQ(c.elsewhere, 0u);
  EXPECT_EQ(c.others, 456u);
}

TEST(Clusters, OneBadHostIsNotItsRack) {
  auto fleet = well_fleet(20);
  for (std::size_t i = 24; i < 32; ++i) fleet.boards[i].health = ill("thermal.throttle");
  fleet.boards[33].health = ill("thermal.throttle");  // somebody else in the rack
  EXPECT_THAT(said(fleet), ElementsAre("host h3 heat 8/8"));
}

TEST(Clusters, WhatAllHaveIsNoCluster) {
  auto fleet = well_fleet(10);
  for (auto& v : fleet.boards) v.health = ill("memory.corrected");
  EXPECT_THAT(said(fleet), IsEmpty());
}

TEST(Clusters, TwoBoardsAreNone) {
  auto fleet = well_fleet(400);
  fleet.boards[24].health = fleet.boards[25].health = ill("memory.corrected");
  EXPECT_THAT(said(fleet), IsEmpty());
}

TEST(Clusters, ABadDriverIsSaidAcrossRacks) {
  auto fleet = well_fleet(20);
  for (std::size_t i = 0; i < fleet.boards.size(); i += 14) fleet.boards[i].health = ill("reliability.reset", 30);  // half of driver 560
  EXPECT_THAT(said(fleet), ElementsAre("driver 560 errors 35/69"));
  const auto clusters = find_clusters(fleet, Signs(fleet));
  EXPECT_EQ(cluster_text(clusters[0], fleet, std::nullopt),
            "GPUs with driver 560 raise hardware Xids more often than others: 35 of 69, elsewhere 0 of 411.");
}

TEST(Clusters, WhoIsUnderMaintenanceOrGoneSaysNothing) {
  auto fleet = well_fleet(20);
  for (std::size_t i = 24; i < 32; ++i) fleet.boards[i].silent = true;
  EXPECT_THAT(said(fleet), ElementsAre("host h3 silence 8/8"));
  auto resting = fleet;
  resting.maintenance.restore({{"m-1", fleet::Maintenance::Scope::host, "h3", kNow - 1h, std::nullopt, "fans", "me"}});
  EXPECT_THAT(said(resting), IsEmpty());
  for (std::size_t i = 24; i < 32; ++i) fleet.boards[i].board.in_service = false;
  EXPECT_THAT(said(fleet), IsEmpty());
}

TEST(Clusters, AnAnomalyOfAHostIsASignOfAllItsBoards) {
  auto fleet = well_fleet(20);
  fleet.anomalies.push_back(
      {fleet::BoardId::none, "h7", telemetry::field::gpu_temp, "robust_z", "warning", kNow - 2h, "GPU temperature: …"});
  EXPECT_THAT(said(fleet), ElementsAre("host h7 heat 8/8"));
  EXPECT_EQ(Signs(fleet).since(Cause::heat, 56), kNow - 2h);
  fleet.anomalies[0].severity = "info";
  EXPECT_THAT(said(fleet), IsEmpty());
}

TEST(Clusters, SmallWearIsNoSign) {
  auto fleet = well_fleet(20);
  for (std::size_t i = 24; i < 32; ++i) fleet.boards[i].health = ill("thermal.mean", 2);
  EXPECT_THAT(said(fleet), IsEmpty());
}

// Boards that are ill by chance, whole hosts that are, and racks of which nobody knows anything: 600 looks at fleets in which no
// rack, site, model, batch or driver has anything to do with it. One false story would be one too many.
TEST(Clusters, ChanceIsNoStory) {
  constexpr const char* kRules[] = {"thermal.throttle", "memory.corrected", "power.limit", "performance.pcie", "reliability.xid"};
  std::size_t false_stories = 0;
  std::vector<std::string> wrong;
  for (unsigned seed = 0; seed < 600; ++seed) {
    std::mt19937 random(seed);
    auto fleet = well_fleet(6 + seed % 15);
    std::bernoulli_distribution board_is_ill(0.002 + 0.1 * (seed % 4)), host_is_ill(0.03);
    for (const auto& host : fleet.hosts) {
      const bool all = host_is_ill(random);
      for (const auto i : host.boards)
        if (all || board_is_ill(random)) fleet.boards[i].health = ill(kRules[random() % 5]);
    }
    for (const auto& text : said(fleet))
      if (!text.starts_with("host ")) {
        ++false_stories;
        wrong.push_back(fmt::format("{}: {}", seed, text));
      }
  }
  EXPECT_EQ(false_stories, 0u) << testing::PrintToString(wrong);
}

TEST(Story, TellsCauseSinceAndEffect) {
  auto fleet = well_fleet(20);
  for (const auto i : {24, 25, 33, 34, 40, 41, 42}) fleet.boards[static_cast<std::size_t>(i)].health = ill("thermal.throttle");
  const auto falls = [&](fleet::BoardId, telemetry::MetricId score, std::chrono::hours within) -> std::optional<Fall> {
    EXPECT_TRUE(score == score_series(Cause::heat) || score == health::kOverallScore);
    if (within > 24h) return std::nullopt;
    return Fall{96, 75, kNow - 110min};
  };
  const auto story = fleet_story(fleet, falls);
  ASSERT_EQ(story["clusters"].size(), 1u);
  const auto& c = story["clusters"][0];
  EXPECT_EQ(c["text"], "Rack R1 runs hot since 06:10 UTC (7 of 24 GPUs) and has already cut clocks on 7 GPUs.");
  EXPECT_EQ(c["kind"], "rack");
  EXPECT_EQ(c["cause"], "heat");
  EXPECT_EQ(c["since"], format_rfc3339(kNow - 110min));
  EXPECT_EQ(c["evidence"], "/racks/R1");
  EXPECT_EQ(c["members"].size(), 7u);
  ASSERT_FALSE(story["moved"].empty());
  const auto& moved = story["moved"][0];
  EXPECT_EQ(moved["kind"], "host") << "the narrowest first: it lost most";
  EXPECT_THAT(moved["text"].get<std::string>(), HasSubstr(", 96 to 75 since 06:10 UTC."));
  EXPECT_NEAR(moved["from"].get<double>() - moved["to"].get<double>(), 3 * 21 / 8.0, 1e-9);
}

TEST(Story, SaysNothingWhereNothingIsKnown) {
  const auto story = fleet_story(well_fleet(4), {});
  EXPECT_EQ(story["headline"], "No GPU needs action. The fleet is steady.");
  EXPECT_TRUE(story["clusters"].empty());
  EXPECT_TRUE(story["moved"].empty());
  EXPECT_EQ(story["silences"]["open"], 0);
  EXPECT_EQ(fleet_story(FleetSnapshot(), {})["headline"], "No GPU has reported yet.");
}

TEST(Story, OldTroubleHasItsDate) {
  EXPECT_EQ(since_text(kNow - 3h, kNow), "05:00 UTC");
  EXPECT_EQ(since_text(kNow - 48h, kNow), "2027-01-13");
}

TEST(Story, ASilentHostSpeaksForItsBoards) {
  auto fleet = well_fleet(4);
  fleet.hosts[2].silent = true;
  fleet.hosts[2].host.silent_since = kNow - 10min;
  for (std::size_t i = 16; i < 24; ++i) fleet.boards[i].silent = true;
  fleet.boards[30].silent = true;
  fleet.boards[30].board.silent_since = kNow - 5min;
  const auto silences = fleet_story(fleet, {})["silences"];
  EXPECT_EQ(silences["open"], 2);
  EXPECT_EQ(silences["items"][0]["text"], "Host h2 is silent since 07:50 UTC.");
  EXPECT_EQ(silences["items"][1]["id"], "S30");
}

}  // namespace
}  // namespace ghm::views
