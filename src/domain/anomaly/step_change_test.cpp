#include "domain/anomaly/step_change.h"

#include <gtest/gtest.h>

#include <deque>
#include <numeric>
#include <random>

namespace ghm::anomaly {
namespace {

TEST(StepChange, ATable) {
  struct Case {
    const char* why;
    double before, after;
    int minutes;
    double z;  // at least; 0: less than 3
  };
  const Case cases[] = {
      {"a link that trained down", 16, 8, 8, -40},
      {"nothing", 16, 16, 100, 0},
      {"one minute of it is an eighth of a step", 0, 1, 1, 0.9},
      {"a flag that was raised", 0, 1, 8, 10},
  };
  for (const auto& c : cases) {
    StepChange s;
    for (int i = 0; i < 100; ++i) s.take(c.before, true);
    for (int i = 0; i < c.minutes; ++i) s.take(c.after, true);
    const auto score = s.look(0.1);
    ASSERT_TRUE(score) << c.why;
    EXPECT_GE(c.z < 0 ? -score->z : score->z, std::abs(c.z)) << c.why;
    EXPECT_TRUE(c.z != 0 || std::abs(score->z) < 3) << c.why;
  }
}

TEST(StepChange, AnHourOfWarmUpAndAfterAGapAFullShortWindow) {
  StepChange s;
  for (std::size_t i = 0; i < StepChange::kEnough + StepChange::kShort - 1; ++i) s.take(5, true);
  EXPECT_FALSE(s.look(1));
  s.take(5, true);
  ASSERT_TRUE(s.look(1));
  s.rearm();
  for (std::size_t i = 0; i + 1 < StepChange::kShort; ++i) s.take(9, true);
  EXPECT_FALSE(s.look(1));
  s.take(9, true);
  EXPECT_NEAR(s.look(1)->z, 4, 1e-6) << "what was before the gap is remembered";
}

TEST(StepChange, WhileItIsJudgedTheOldLevelStands) {
  StepChange s;
  for (int i = 0; i < 200; ++i) s.take(10, true);
  for (int i = 0; i < 2000; ++i) s.take(20, false);
  EXPECT_NEAR(s.look(1)->expected, 10, 1e-6);
  for (int i = 0; i < 3000; ++i) s.take(20, true);
  EXPECT_NEAR(s.look(1)->expected, 20, 0.5) << "and in the end the new one is normal";
}

// The naive twin keeps all values.
TEST(StepChange, AgreesWithItsNaiveTwin) {
  std::mt19937 random(3);
  std::normal_distribution<double> noise(100, 5);
  StepChange s;
  std::vector<double> all;
  for (int i = 0; i < 700; ++i) {
    all.push_back(noise(random));
    s.take(all.back(), true);
    const auto score = s.look(1e-9);
    if (!score) continue;
    const auto cut = all.end() - static_cast<std::ptrdiff_t>(StepChange::kShort);
    const double now = std::accumulate(cut, all.end(), 0.0) / StepChange::kShort;
    const double before = std::accumulate(all.begin(), cut, 0.0) / static_cast<double>(cut - all.begin());
    EXPECT_NEAR(score->value, now, 1e-3);
    EXPECT_NEAR(score->expected, before, 1e-3) << "younger than its memory, the long mean is the plain mean";
    EXPECT_NEAR(score->sigma, 5, 1.5);
  }
}

static_assert(sizeof(StepChange) <= 64);

}  // namespace
}  // namespace ghm::anomaly
