// Scores as series in a real store: what a round keeps, what trends read back, what a person sees as change points.
#include "services/score_history.h"

#include <gtest/gtest.h>

#include "adapters/memory/memory_store.h"

namespace ghm::services {
namespace {

constexpr fleet::BoardId kA{1}, kB{2};
const Timestamp kNoon = from_unix_ms(1'770'638'400'000);

std::shared_ptr<const health::Report> report(std::optional<double> overall, double thermal) {
  health::Report r;
  r.overall = overall;
  for (const auto& spec : health::dimensions()) {
    health::Dimension d;
    d.name = spec.name;
    if (spec.name == "thermal") d.score = thermal;
    r.dimensions.push_back(std::move(d));
  }
  return std::make_shared<const health::Report>(std::move(r));
}

struct ScoreHistoryTest : ::testing::Test {
  void round(Timestamp at, std::optional<double> a, double b = 100) {
    const std::vector<Scored> scored{{kA, report(a, 80)}, {kB, report(b, 90)}};
    ASSERT_TRUE(store.append(std::vector{rows.row("h1", scored, at)}));
  }
  memory::MemoryStore store;
  ScoreRows rows;
};

TEST_F(ScoreHistoryTest, AScoreThatStandsIsOnePoint) {
  for (int i = 0; i < 20; ++i) round(kNoon + i * 15min, i < 10 ? 95.02 : 95.04);
  for (int i = 20; i < 30; ++i) round(kNoon + i * 15min, 71);
  const auto changes = score_history(store, kA, {kNoon, kNoon + 24h});
  ASSERT_TRUE(changes);
  ASSERT_EQ(changes->size(), 2u) << "two hundredths are nothing that people see";
  EXPECT_EQ((*changes)[0].at, kNoon);
  EXPECT_EQ((*changes)[0].overall, 95.02);
  EXPECT_EQ((*changes)[1].at, kNoon + 20 * 15min);
  EXPECT_EQ((*changes)[1].overall, 71);
  EXPECT_EQ((*changes)[1].dimensions[1], 80) << "thermal is the second of the profile";
  EXPECT_EQ((*changes)[1].dimensions[0], std::nullopt);
}

TEST_F(ScoreHistoryTest, BoardsAreTheirOwn) {
  round(kNoon, 50, 99);
  EXPECT_EQ(score_history(store, kB, {kNoon, kNoon + 1h})->at(0).overall, 99);
  EXPECT_TRUE(score_history(store, fleet::BoardId{7}, {kNoon, kNoon + 1h})->empty());
}

TEST_F(ScoreHistoryTest, TrendsReadTheDaysTheyCompare) {
  const auto days = [](int n) { return std::chrono::days(n); };
  for (auto t = kNoon - days(32); t <= kNoon; t += 15min) round(t, t <= kNoon - days(5) ? 90.0 : 80.0);
  health::Input input;
  input.t = to_unix_seconds(kNoon);
  const auto scores = previous_scores(store, kA, kNoon);
  EXPECT_TRUE(std::ranges::is_sorted(scores, {}, &health::Reading::at));
  EXPECT_GE(scores.size(), 3u * 95);
  for (const auto& s : scores) EXPECT_EQ(s.value, s.at <= to_unix_seconds(kNoon - days(5)) ? 90 : 80);
}

TEST_F(ScoreHistoryTest, ARoundWithoutAScoreIsNoScore) {
  round(kNoon, std::nullopt);
  EXPECT_TRUE(previous_scores(store, kA, kNoon + 1min).empty());
  const auto changes = score_history(store, kA, {kNoon, kNoon + 1h});
  ASSERT_EQ(changes->size(), 1u);
  EXPECT_FALSE(changes->at(0).overall);
  EXPECT_EQ(changes->at(0).dimensions[1], 80);
}

}  // namespace
}  // namespace ghm::services
