#include "services/scoring.h"

#include <gtest/gtest.h>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::services {
namespace {

namespace field = telemetry::field;
const Timestamp kBorn = from_unix_ms(1'700'000'000'000);

/// Answers a steady reading every 10 s for the metrics it is told; remembers what was asked.
struct SteadyStore : store::TelemetryStore {
  Result<std::vector<store::Point>> read(const store::SeriesKey& key, TimeRange range) const override {
    if (failing) return Error{Errc::unavailable, "disk gone"};
    std::vector<store::Point> out;
    const auto it = values.find(key.metric);
    if (it == values.end()) return out;
    for (auto t = kBorn; t < range.to; t += 10s)
      if (range.contains(t)) out.push_back({t, it->second});
    return out;
  }
  Result<void> append(std::span<const store::RowBatch>) override { return {}; }
  Result<std::vector<std::vector<store::Point>>> read_many(std::span<const store::SeriesKey> keys, TimeRange range) const override {
    ++asked;
    std::vector<std::vector<store::Point>> out;
    for (const auto& key : keys) {
      auto one = read(key, range);
      if (!one) return one.error();
      out.push_back(std::move(*one));
    }
    return out;
  }
  Result<std::vector<store::Bucket>> aggregate(const store::SeriesKey&, TimeRange, std::chrono::milliseconds) const override {
    return std::vector<store::Bucket>{};
  }
  std::vector<store::Latest> latest(telemetry::BoardId) const override { return {}; }
  std::vector<store::Latest> latest(telemetry::MetricId) const override { return {}; }
  Result<bool> maintain(Timestamp) override { return false; }
  store::StoreStats stats() const override { return {}; }

  std::map<telemetry::MetricId, double> values;
  bool failing = false;
  mutable int asked = 0;
};

struct ScoringTest : ::testing::Test {
  ScoringTest() {
    for (const auto id :
         {field::clock_reasons, field::ecc_sbe_volatile, field::ecc_dbe_volatile, field::row_remap_pending, field::row_remap_failure,
          field::banks_without_spares, field::remapped_correctable, field::remapped_uncorrectable})
      store.values[id] = 0;
    store.values[field::power_usage] = 500;
    store.values[field::gpu_temp] = 60;
    store.values[field::gpu_util] = 90;
    store.values[field::graphics_activity] = 0.9;
    pipeline::LiveUpdate update;
    fleet::Board board;
    board.id = static_cast<fleet::BoardId>(1);
    board.serial = "S1";
    board.model = "NVIDIA H200";
    board.first_seen = kBorn;
    update.boards = {board};
    live.apply(std::move(update));
  }
  std::shared_ptr<const health::Report> report() {
    live.apply({});
    return live.current()->boards[0].health;
  }
  void urgent() {
    const auto board = static_cast<fleet::BoardId>(1);
    scoring.score_soon(std::span(&board, 1));
  }

  SteadyStore store;
  pipeline::LiveView live;
  Scoring scoring{store, live, {}, Log::off()};
};

TEST_F(ScoringTest, ANewBoardIsScoredAfterTwoIntervalsThenEveryQuarterOfAnHour) {
  EXPECT_EQ(scoring.tick(kBorn + 10s), 0u);
  EXPECT_EQ(scoring.tick(kBorn + 20s), 1u);
  EXPECT_EQ(scoring.tick(kBorn + 21s), 0u);
  EXPECT_EQ(scoring.tick(kBorn + 20s + 15min), 1u);
  EXPECT_EQ(scoring.stats().rounds, 1u);
  EXPECT_EQ(scoring.stats().urgent, 1u);
}

TEST_F(ScoringTest, AScoreHasCoverageAndNoReasonWhenAllIsWell) {
  scoring.tick(kBorn + 10min);
  const auto r = report();
  ASSERT_NE(r, nullptr);
  ASSERT_TRUE(r->overall.has_value());
  EXPECT_EQ(*r->overall, 100);
  EXPECT_GE(r->coverage, 0.5);
}

TEST_F(ScoringTest, TheProfileIsASetting) {
  EXPECT_EQ((scoring.tick(kBorn + 10min), report()->profile), "v1");
  Scoring other(store, live, {.profile = &health::baseline()}, Log::off());
  EXPECT_EQ((other.tick(kBorn + 10min), report()->profile), "baseline");
}

TEST_F(ScoringTest, TheFaultCatalogueIsASettingAndTheScoreSaysSo) {
  const auto site = faults::FaultCatalogue::built_in().with_site(
      "xid,name,class,likely_origin,severity,first_action,repeats,within,then,counts_for,architectures,drivers,source,sign\n"
      "48,,,,info,,,,,,,,,\n",
      "site.csv");
  ASSERT_TRUE(site) << site.error().what;
  const StoryTeller stories = [](auto boards, Timestamp) {
    std::vector<BoardStory> told(boards.size());
    told[0].source_silent.emplace();
    told[0].events = {{to_unix_seconds(kBorn + 5min), "xid", 48}};
    return told;
  };
  Scoring ours(store, live, {}, Log::off(), stories);
  ours.tick(kBorn + 10min);
  EXPECT_LT(*report()->overall, 100);
  EXPECT_EQ(report()->codes, faults::FaultCatalogue::built_in().version());
  Scoring sites(store, live, {.codes = &*site}, Log::off(), stories);
  sites.tick(kBorn + 10min);
  EXPECT_EQ(*report()->overall, 100);
  EXPECT_EQ(report()->codes, site->version());
}

TEST_F(ScoringTest, AChangeIsScoredAtOnceButNotWithoutPause) {
  scoring.tick(kBorn + 1min);
  store.values[field::row_remap_failure] = 1;
  urgent();
  EXPECT_EQ(scoring.tick(kBorn + 2min), 1u);
  EXPECT_EQ(report()->critical, std::vector<std::string>{"memory.remap_failed"});
  urgent();
  EXPECT_EQ(scoring.tick(kBorn + 2min + 1s), 0u) << "a board that flaps is not scored on every page";
  EXPECT_EQ(scoring.tick(kBorn + 2min + 5s), 1u);
}

TEST_F(ScoringTest, BoardsOfOneHostAreReadTogetherAndEachGetsItsOwnScore) {
  pipeline::LiveUpdate update;
  for (const std::uint32_t n : {2u, 3u}) {
    fleet::Board board;
    board.id = static_cast<fleet::BoardId>(n);
    board.serial = "S" + std::to_string(n);
    board.model = "NVIDIA H200";
    board.host = n == 2 ? "" : "elsewhere";  // the first board's host has no name
    board.first_seen = kBorn;
    update.boards.push_back(board);
  }
  live.apply(std::move(update));
  EXPECT_EQ(scoring.tick(kBorn + 10min), 3u);
  EXPECT_LE(store.asked, 2 * 5) << "one read per window and host";
  live.apply({});
  for (const auto& view : live.current()->boards) ASSERT_NE(view.health, nullptr) << view.board.serial;
}

TEST_F(ScoringTest, WithoutReadingsThereIsNoScore) {
  store.values.clear();
  scoring.tick(kBorn + 10min);
  EXPECT_FALSE(report()->overall.has_value());
}

TEST_F(ScoringTest, APassiveBoardsFanIsNotMissing) {
  const auto* board = &live.current()->boards[0].board;
  const auto inputs = health_inputs(store, std::span(&board, 1), {10s}, kBorn + 10min);
  ASSERT_TRUE(inputs);
  const auto& metrics = (*inputs)[0].metrics;
  const auto fan = metrics.find("DCGM_FI_DEV_FAN_SPEED");
  ASSERT_NE(fan, metrics.end());
  EXPECT_FALSE(fan->second.has_value());
}

TEST_F(ScoringTest, LinksOfThePartAreReadEach) {
  const auto* board = &live.current()->boards[0].board;
  store.values[field::nvlink_state] = 1;
  const auto inputs = health_inputs(store, std::span(&board, 1), {10s}, kBorn + 10min);
  ASSERT_TRUE(inputs);
  EXPECT_EQ((*inputs)[0].links_expected, 18) << "an H200 on its board";
  for (const auto* link : {"@nvlink0", "@nvlink17"}) {
    const auto found = (*inputs)[0].metrics.find(std::string("DCGM_FI_DEV_NVLINK_GET_STATE") + link);
    ASSERT_NE(found, (*inputs)[0].metrics.end());
    EXPECT_EQ(found->second->size(), 61u);
  }
}

TEST_F(ScoringTest, AStandInIsReadOnlyWhereItsMetricIsSilent) {
  const auto* board = &live.current()->boards[0].board;
  const auto utilisation = [&] {
    const auto inputs = health_inputs(store, std::span(&board, 1), {10s}, kBorn + 10min);
    return inputs ? (*inputs)[0].metrics.at("DCGM_FI_DEV_GPU_UTIL") : std::nullopt;
  };
  EXPECT_FALSE(utilisation()) << "activity has readings";
  store.values.erase(field::graphics_activity);
  ASSERT_TRUE(utilisation());
  EXPECT_EQ(utilisation()->size(), 61u);
}

TEST_F(ScoringTest, NoDimensionClaimsWhatNobodyTold) {
  scoring.tick(kBorn + 10min);
  for (const auto& d : report()->dimensions) {
    if (d.name != "reliability") continue;
    EXPECT_FALSE(d.score);
    EXPECT_EQ(d.coverage, 0);
    EXPECT_TRUE(d.findings.empty()) << "a gap of the server's own is no fault of the board";
  }
  EXPECT_FALSE(report()->trend_7d);
}

TEST_F(ScoringTest, StoriesReachTheScore) {
  const double now = to_unix_seconds(kBorn + 10min);
  int told = 0;
  Scoring with_stories(store, live, {}, Log::off(), [&](std::span<const fleet::Board* const> boards, Timestamp) {
    ++told;
    std::vector<BoardStory> stories(boards.size());
    stories[0].source_silent.emplace();
    stories[0].events = {{now - 60, "xid", 79}};
    return stories;
  });
  with_stories.tick(kBorn + 10min);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(report()->critical, std::vector<std::string>{"reliability.incidents"});
  EXPECT_EQ(report()->risk, "critical");
}

TEST_F(ScoringTest, AStoreThatCannotAnswerLeavesTheScoreAsItWas) {
  scoring.tick(kBorn + 1min);
  store.failing = true;
  EXPECT_EQ(scoring.tick(kBorn + 17min), 0u);
  EXPECT_NE(report(), nullptr);
}

}  // namespace
}  // namespace ghm::services
