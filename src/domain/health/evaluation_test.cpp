#include "domain/health/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace ghm::health {
namespace {

constexpr double kDay = 86'400;

// Five boards: bad ones at 40 and 70, good ones at 70, 90 and 100. Of six pairs the bad one is lower in five and equal in one.
const std::vector<Rated> kFive = {{0, 40, true}, {1, 70, true}, {2, 70, false}, {3, 90, false}, {4, 100, false}};

TEST(Evaluation, ByHand) {
  EXPECT_DOUBLE_EQ(*roc_auc(kFive), 5.5 / 6);
  // At 40: recall 1/2, precision 1. At 70: recall 1, precision 2/3.
  EXPECT_DOUBLE_EQ(*average_precision(kFive), 0.5 * 1 + 0.5 * 2 / 3);
  const auto c = confusion(kFive, 70);
  EXPECT_EQ(c.bad_called, 1u);
  EXPECT_EQ(c.bad_missed, 1u);
  EXPECT_EQ(c.good_called, 0u);
  EXPECT_EQ(c.good_left, 3u);
  EXPECT_EQ(c.precision(), 1);
  EXPECT_EQ(c.recall(), 0.5);
}

TEST(Evaluation, OfNothingThereIsNoNumber) {
  const std::vector<Rated> good = {{0, 40, false}, {1, 70, false}}, bad = {{0, 40, true}, {1, 20, true}};
  EXPECT_EQ(roc_auc({}), std::nullopt);
  EXPECT_EQ(roc_auc(good), std::nullopt);
  EXPECT_EQ(roc_auc(bad), std::nullopt);
  EXPECT_EQ(average_precision(good), std::nullopt);
  EXPECT_EQ(average_precision(bad), 1);
  EXPECT_EQ(auc_interval(good), std::nullopt);
  EXPECT_EQ(confusion(good, 10).precision(), std::nullopt);
  EXPECT_EQ(confusion(good, 10).recall(), std::nullopt);
}

std::vector<Rated> random_fleet(std::uint64_t seed, std::uint32_t boards, int scores_each, double shift) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<Rated> out;
  for (std::uint32_t b = 0; b < boards; ++b) {
    const bool bad = b % 10 == 0;
    const double own = normal(random);
    for (int n = 0; n < scores_each; ++n) out.push_back({b, std::round(10 * (own + 0.1 * normal(random) - (bad ? shift : 0))) / 10, bad});
  }
  return out;
}

TEST(Evaluation, AreaIsTheShareOfOrderedPairs) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto fleet = random_fleet(seed, 60, 3, 0.8);
    double pairs = 0, ordered = 0;
    for (const auto& bad : fleet)
      for (const auto& good : fleet)
        if (bad.bad && !good.bad) ++pairs, ordered += bad.score < good.score ? 1 : bad.score == good.score ? 0.5 : 0;
    EXPECT_NEAR(*roc_auc(fleet), ordered / pairs, 1e-12);
  }
}

// 2 bad and 2 good boards of one score each: the draws are few enough to be told one by one. Scores 1, 3 (bad), 2, 4 (good): the
// area of a draw with both is 1, 0.75, 0.5, 0.25 or 0, so the interval must reach from 0 to 1.
TEST(Evaluation, IntervalOfFourBoardsSaysThatNothingIsKnown) {
  const std::vector<Rated> four = {{0, 1, true}, {1, 3, true}, {2, 2, false}, {3, 4, false}};
  const auto range = auc_interval(four);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->low, 0);
  EXPECT_EQ(range->high, 1);
}

// Naive twin: boards are drawn and all their scores copied, by another generator.
TEST(Evaluation, IntervalAgreesWithCopiedDraws) {
  const auto fleet = random_fleet(7, 100, 4, 1.0);
  std::mt19937_64 random(3);
  std::vector<double> areas;
  for (int round = 0; round < 2000; ++round) {
    std::vector<Rated> drawn;
    for (int n = 0; n < 100; ++n) {
      const auto board = static_cast<std::uint32_t>(random() % 100);
      for (const auto& r : fleet)
        if (r.board == board) drawn.push_back(r);
    }
    if (const auto area = roc_auc(drawn)) areas.push_back(*area);
  }
  std::ranges::sort(areas);
  const auto range = auc_interval(fleet, 2000);
  ASSERT_TRUE(range);
  EXPECT_NEAR(range->low, areas[areas.size() / 40], 0.02);
  EXPECT_NEAR(range->high, areas[areas.size() * 39 / 40], 0.02);
}

// A board's days are no independent witnesses: as many scores from fewer boards say less.
TEST(Evaluation, MoreScoresOfTheSameBoardsDoNotNarrowTheInterval) {
  const auto few = auc_interval(random_fleet(1, 100, 1, 1.0)), many = auc_interval(random_fleet(1, 100, 50, 1.0));
  ASSERT_TRUE(few && many);
  EXPECT_GT(many->high - many->low, 0.6 * (few->high - few->low));
}

TEST(Evaluation, TheSameInputGivesTheSameInterval) {
  const auto fleet = random_fleet(5, 80, 2, 0.5);
  const auto a = auc_interval(fleet), b = auc_interval(fleet);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->low, b->low);
  EXPECT_EQ(a->high, b->high);
}

TEST(Evaluation, FailsWithin) {
  struct Case {
    const char* why;
    double t;
    Outcome want;
  };
  const std::vector<double> failures = {10 * kDay, 50 * kDay};
  const Fate fate{failures, 1e12, 70 * kDay};
  const Case cases[] = {
      {"fails in five days", 5 * kDay, Outcome::yes},
      {"at the very end of the horizon", -20 * kDay, Outcome::yes},
      {"at the time itself it has failed already", 10 * kDay, Outcome::no},
      {"nothing for 30 days", 12 * kDay, Outcome::no},
      {"again", 25 * kDay, Outcome::yes},
      {"the record ends before, although a failure is seen", 45 * kDay, Outcome::unknown},
      {"the record ends with the horizon", 40 * kDay, Outcome::yes},
      {"the record ends before", 60 * kDay, Outcome::unknown},
  };
  for (const auto& c : cases) EXPECT_EQ(fails_within(fate, c.t, 30 * kDay), c.want) << c.why;
  const Fate sold{failures, 30 * kDay, 70 * kDay}, swapped{failures, 10.1 * kDay, 70 * kDay};
  EXPECT_EQ(fails_within(sold, 12 * kDay, 30 * kDay), Outcome::unknown) << "it left in between";
  EXPECT_EQ(fails_within(swapped, 5 * kDay, 30 * kDay), Outcome::yes) << "it left because it failed";
}

}  // namespace
}  // namespace ghm::health
