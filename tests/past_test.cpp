// What is read back from a store about the past: how a score fell, the score at a time, what peers did.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "adapters/memory/memory_store.h"
#include "domain/telemetry/metric_catalogue.h"
#include "services/past_score.h"
#include "services/peer_bands.h"
#include "services/score_fall.h"
#include "services/scoring.h"

namespace ghm::services {
namespace {

namespace field = telemetry::field;
using fleet::BoardId;

const Timestamp kNoon = from_unix_ms(1'770'638'400'000);

void put(memory::MemoryStore& store, BoardId board, telemetry::MetricId metric, Timestamp at, double value) {
  const auto columns = std::make_shared<const std::vector<store::SeriesKey>>(std::vector<store::SeriesKey>{{board, {}, metric}});
  const store::RowBatch row{"s", columns, at, {value}};
  ASSERT_TRUE(store.append(std::span(&row, 1)));
}

views::BoardView board(std::uint32_t id, std::string host, std::string rack, std::string model = "NVIDIA H100 80GB HBM3") {
  views::BoardView v;
  v.board.id = BoardId{id};
  v.board.serial = "S" + std::to_string(id);
  v.board.host = std::move(host);
  v.board.slot = static_cast<int>(id % 8);
  v.board.place = {"eu", "dc1", std::move(rack)};
  v.board.model = std::move(model);
  v.board.first_seen = kNoon - std::chrono::days(60);
  return v;
}

TEST(ScoreFall, FindsWhenHalfOfItWasLost) {
  memory::MemoryStore store;
  for (int i = 0; i < 96; ++i) put(store, BoardId{1}, health::kOverallScore, kNoon - 24h + i * 15min, i < 60 ? 96 : i < 64 ? 90 : 61);
  const auto fall = score_fall(store, BoardId{1}, health::kOverallScore, kNoon, 24h);
  ASSERT_TRUE(fall);
  EXPECT_EQ(fall->from, 96);
  EXPECT_EQ(fall->to, 61);
  EXPECT_EQ(fall->since, kNoon - 24h + 64 * 15min);
}

TEST(ScoreFall, ADipThatIsOverIsNone) {
  memory::MemoryStore store;
  for (int i = 0; i < 96; ++i) put(store, BoardId{1}, health::kOverallScore, kNoon - 24h + i * 15min, i == 40 ? 50 : 96);
  EXPECT_FALSE(score_fall(store, BoardId{1}, health::kOverallScore, kNoon, 24h));
  EXPECT_FALSE(score_fall(store, BoardId{2}, health::kOverallScore, kNoon, 24h)) << "nobody knows";
}

struct PastScoreTest : ::testing::Test {
  memory::MemoryStore store;
  views::FleetSnapshot fleet;
  PastScoreTest() {
    fleet.as_of = kNoon;
    fleet.boards = {board(1, "h1", "r1")};
    fleet.boards[0].board.first_seen = kNoon - 48h;
    fleet.hosts.resize(1);
    fleet.hosts[0].host.name = "h1";
    fleet.hosts[0].host.interval = 60s;
    for (auto at = kNoon - 48h; at < kNoon; at += 60s) {
      const double temp = at < kNoon - 24h ? 60 : 90;
      for (const auto& [metric, value] : {std::pair(field::gpu_temp, temp),
                                          {field::clock_reasons, temp < 90 ? 0.0 : 64.0},  // slowed down by heat
                                          {field::gpu_util, 95.0},
                                          {field::row_remap_pending, 0.0},
                                          {field::row_remap_failure, 0.0},
                                          {field::ecc_sbe_volatile, 0.0},
                                          {field::ecc_dbe_volatile, 0.0},
                                          {field::banks_without_spares, 0.0}})
        put(store, BoardId{1}, metric, at, value);
    }
  }
};

// The same inputs and the same code: at a moment when a score of now was made, both are the same.
TEST_F(PastScoreTest, IsTheScoreThatWasMadeThen) {
  const auto at = kNoon - 30h;
  const auto past = past_score(store, store, fleet, 0, at);
  ASSERT_TRUE(past);
  ASSERT_TRUE(past->report);
  const std::array boards{&fleet.boards[0].board};
  BoardStory story;
  story.events.emplace();
  story.source_silent.emplace();
  const auto inputs = health_inputs(store, boards, {60s}, at, {story});
  const auto then = health::score(inputs->front());
  ASSERT_EQ(past->report->dimensions.size(), then.dimensions.size());
  for (std::size_t d = 0; d < then.dimensions.size(); ++d)
    EXPECT_EQ(past->report->dimensions[d].score, then.dimensions[d].score) << then.dimensions[d].name;
  EXPECT_EQ(past->report->overall, then.overall);
}

TEST_F(PastScoreTest, LooksNoFurtherThanItsTime) {
  const auto thermal = [&](Timestamp at) {
    const auto past = past_score(store, store, fleet, 0, at);
    return std::ranges::find(past->report->dimensions, "thermal", &health::Dimension::name)->findings.size();
  };
  EXPECT_EQ(thermal(kNoon - 25h), 0u) << "it was cool then";
  EXPECT_EQ(thermal(kNoon - 1h), 1u);
}

TEST_F(PastScoreTest, SaysWhenNothingIsLeft) {
  memory::MemoryStore empty;
  const auto past = past_score(empty, empty, fleet, 0, kNoon - 1h);
  ASSERT_TRUE(past);
  EXPECT_FALSE(past->report);
  EXPECT_EQ(past->readings, 0u);
  EXPECT_THAT(past->note, testing::HasSubstr("no reading"));
  EXPECT_EQ(past_score(empty, empty, fleet, 0, kNoon - std::chrono::days(90)).error().code, Errc::invalid_input);
}

struct PeersTest : ::testing::Test {
  memory::MemoryStore store;
  views::FleetSnapshot fleet;
  TimeRange range{kNoon - 1h, kNoon};
  PeersTest() {
    std::uint32_t id = 0;
    for (const auto* host : {"h1", "h2", "h3", "h4"})
      for (int i = 0; i < 8; ++i) fleet.boards.push_back(board(++id, host, host < std::string("h3") ? "r1" : "r2"));
    fleet.boards[5].board.model = "NVIDIA H200";
    fleet.boards[6].board.in_service = false;
    for (const auto& v : fleet.boards)
      for (auto at = range.from; at < range.to; at += 60s) {
        put(store, v.board.id, field::gpu_temp, at, 50 + static_cast<double>(static_cast<std::uint32_t>(v.board.id)));
        put(store, v.board.id, field::gpu_util, at, at < kNoon - 30min ? 0 : 95);
        put(store, v.board.id, field::ecc_sbe_volatile, at, static_cast<double>((at - range.from) / 60s) * 2);
      }
  }
};

TEST_F(PeersTest, NeighboursComeFirst) {
  const auto all = choose_peers(fleet, 0, 64);
  EXPECT_EQ(all.host, 5u) << "not itself, nor another model, nor one out of service";
  EXPECT_EQ(all.rack, 8u);
  EXPECT_EQ(all.fleet, 16u);
  const auto few = choose_peers(fleet, 0, 10);
  EXPECT_EQ(few.host, 5u);
  EXPECT_EQ(few.rack, 5u);
  EXPECT_EQ(few.fleet, 0u);
  EXPECT_EQ(choose_peers(fleet, 5, 64).boards.size(), 0u);
}

TEST_F(PeersTest, ABandIsOfBusyPeers) {
  const std::array series{store::SeriesKey{BoardId{1}, {}, field::gpu_temp}, store::SeriesKey{BoardId{1}, {}, field::ecc_sbe_volatile},
                          store::SeriesKey{BoardId{1}, {}, field::clock_reasons}};
  const auto bands = peer_bands(store, fleet, 0, series, range, 5min);
  ASSERT_TRUE(bands);
  const auto& temp = (*bands)[0];
  ASSERT_TRUE(temp);
  EXPECT_TRUE(temp->under_load);
  ASSERT_EQ(temp->points.size(), 6u) << "the first half hour they were idle";
  EXPECT_EQ(temp->points[0].from, kNoon - 30min);
  // 29 peers at 52 … 55, 58 … 82: type 7 percentiles.
  EXPECT_NEAR(temp->points[0].p50, 68, 1e-9);
  EXPECT_LT(temp->points[0].p10, temp->points[0].p50);
  const auto& errors = (*bands)[1];
  ASSERT_TRUE(errors);
  EXPECT_TRUE(errors->increases);
  EXPECT_FALSE(errors->under_load) << "errors come to idle boards too";
  EXPECT_EQ(errors->points.size(), 12u);
  EXPECT_NEAR(errors->points[5].p50, 10, 1e-9);
  EXPECT_FALSE((*bands)[2]) << "bits have no order";
}

}  // namespace
}  // namespace ghm::services
