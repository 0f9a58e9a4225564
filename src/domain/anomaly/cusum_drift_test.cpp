#include "domain/anomaly/cusum_drift.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace ghm::anomaly {
namespace {

struct Drifting {
  CusumDrift cusum;
  std::mt19937 random{5};
  std::normal_distribution<double> noise{0, 1};
  /// Hours until |z| reaches `open`, or `hours`.
  int pass(int hours, double from, double per_hour, double open = 14) {
    for (int h = 0; h < hours; ++h) {
      for (int m = 0; m < 60; ++m) cusum.take(from + per_hour * h + noise(random), 0.5);
      if (const auto s = cusum.look(0.5); s && std::fabs(s->z) >= open) return h;
    }
    return hours;
  }
};

TEST(CusumDrift, ATable) {
  struct Case {
    const char* why;
    double per_day;
    int least, most;  // hours
  };
  const Case cases[] = {
      {"no drift, half a year", 0, 4380, 4380},
      {"paste that dries: one percent a day is seen within a week", 1, 20, 168},
      {"downwards likewise", -1, 20, 168},
  };
  for (const auto& c : cases) {
    Drifting d;
    d.pass(CusumDrift::kBaseline, 10, 0);
    const int hours = d.pass(4380, 10, c.per_day / 24);
    EXPECT_GE(hours, c.least) << c.why;
    EXPECT_LE(hours, c.most) << c.why;
    if (c.per_day != 0) {
      EXPECT_EQ(d.cusum.look(0.5)->z > 0, c.per_day > 0) << c.why;
    }
  }
}

TEST(CusumDrift, TheBaselineDoesNotFollowTheDrift) {
  Drifting d;
  d.pass(CusumDrift::kBaseline, 10, 0);
  d.pass(1000, 10, 0.05, 1e9);
  EXPECT_NEAR(d.cusum.look(0.5)->expected, 10, 0.2);
}

TEST(CusumDrift, OneWildHourIsNoDriftAndARepairEndsOne) {
  Drifting d;
  d.pass(CusumDrift::kBaseline, 10, 0);
  d.pass(1, 1000, 0);
  EXPECT_LE(d.cusum.look(0.5)->z, 3);
  d.pass(100, 20, 0, 1e9);
  EXPECT_EQ(d.cusum.look(0.5)->z, CusumDrift::kCeiling);
  d.pass(30, 10, 0, 1e9);
  EXPECT_LT(d.cusum.look(0.5)->z, 1);
}

// Page's own form: the sum less its lowest value so far is the one-sided CUSUM.
TEST(CusumDrift, IsTheDistanceFromTheLowestSum) {
  CusumDrift cusum;
  for (int h = 0; h < CusumDrift::kBaseline; ++h)
    for (int m = 0; m < 60; ++m) cusum.take(0, 1);
  std::mt19937 random(9);
  std::normal_distribution<double> step(1, 1);
  double sum = 0, lowest = 0;
  for (int h = 0; h < 40; ++h) {
    const double x = std::clamp(step(random), -4.0, 4.0);
    for (int m = 0; m < 60; ++m) cusum.take(x, 1);
    sum += x - CusumDrift::kSlack;
    lowest = std::min(lowest, sum);
    if (const auto s = cusum.look(1); s->z > 0) {
      EXPECT_NEAR(s->z, std::min(sum - lowest, CusumDrift::kCeiling), 1e-3);
    }
  }
}

static_assert(sizeof(CusumDrift) <= 48);

}  // namespace
}  // namespace ghm::anomaly
