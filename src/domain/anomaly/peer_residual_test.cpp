#include "domain/anomaly/peer_residual.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace ghm::anomaly {
namespace {

TEST(PeerResidual, ATable) {
  struct Case {
    const char* why;
    std::vector<double> group;
    std::size_t which;
    std::optional<double> expected;
  };
  const Case cases[] = {
      {"the odd one is compared with the others only", {60, 61, 62, 99}, 3, 61},
      {"and does not spoil them", {60, 61, 62, 99}, 0, 62},
      {"of an even number of others the middle", {60, 61, 62, 63, 99}, 4, 61.5},
      {"ties", {60, 60, 60, 60}, 2, 60},
      {"two cannot outvote one", {60, 61, 99}, 2, std::nullopt},
  };
  for (const auto& c : cases) {
    PeerMedians medians;
    medians.take(c.group);
    const auto score = peer_residual(medians, c.group[c.which], 1);
    EXPECT_EQ(score ? std::optional(score->expected) : std::nullopt, c.expected) << c.why;
  }
}

TEST(PeerResidual, WhatMovesAllMovesNoResidual) {
  const std::vector<double> group{60, 64, 61, 66, 59, 63, 80, 62};
  PeerMedians cool, hot;
  auto heated = group;
  for (auto& v : heated) v += 12;
  cool.take(group);
  hot.take(heated);
  for (std::size_t i = 0; i < group.size(); ++i) EXPECT_DOUBLE_EQ(peer_residual(cool, group[i], 1)->z, peer_residual(hot, heated[i], 1)->z);
}

// The naive twin removes the member and sorts the rest.
TEST(PeerMedians, AgreeWithTheirNaiveTwin) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> value(0, 9), size(2, 20);
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> group(static_cast<std::size_t>(size(random)));
    for (auto& v : group) v = value(random);
    PeerMedians medians;
    medians.take(group);
    for (std::size_t i = 0; i < group.size(); ++i) {
      auto rest = group;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
      std::ranges::sort(rest);
      const auto n = rest.size();
      EXPECT_EQ(medians.of_others(group[i]), n % 2 == 1 ? rest[n / 2] : (rest[n / 2 - 1] + rest[n / 2]) / 2);
    }
  }
}

TEST(WarmthPerWatt, LearnsTheSlopeAndDoubtsItWhereItHasNotLooked) {
  WarmthPerWatt warmth;
  std::mt19937 random(2);
  std::normal_distribution<double> noise(0, 1);
  EXPECT_GT(warmth.doubt(700), 2);
  for (int minute = 0; minute < 4 * 1440; ++minute) {
    const double watts = minute / 180 % 2 == 0 ? 100 : 650;
    warmth.take(watts + 10 * noise(random), 25 + 0.045 * watts + noise(random), 1, 700);
  }
  EXPECT_NEAR(warmth.slope(), 0.045, 0.001);
  EXPECT_LT(warmth.doubt(700), 2);
}

TEST(WarmthPerWatt, OneLoadAloneTeachesNothing) {
  WarmthPerWatt warmth;
  for (int minute = 0; minute < 4 * 1440; ++minute) warmth.take(650, minute % 2 == 0 ? 60 : 61, 1, 700);
  EXPECT_NEAR(warmth.slope(), 0.06, 0.001) << "the prior stands";
  EXPECT_GT(warmth.doubt(200), 2);
}

}  // namespace
}  // namespace ghm::anomaly
