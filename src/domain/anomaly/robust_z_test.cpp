#include "domain/anomaly/robust_z.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace ghm::anomaly {
namespace {

const Timestamp kStart = from_unix_ms(1'700'000'000'000);

struct History {
  RobustZ z;
  Timestamp now = kStart;
  void learn(std::vector<double> values) {
    for (const double v : values) z.learn(v, now += RobustZ::kSpacing);
  }
  void learn(double value, int times) { learn(std::vector<double>(static_cast<std::size_t>(times), value)); }
};

TEST(RobustZ, ReadsLikeTheDefinition) {
  struct Case {
    const char* why;
    std::vector<double> history;
    double x, least_sigma, want;
  };
  const std::vector<double> five{60, 61, 62, 63, 64};
  std::vector<double> twenty, spiked;
  for (int i = 0; i < 4; ++i) twenty.insert(twenty.end(), five.begin(), five.end());
  spiked = twenty;
  spiked.front() = 500;
  const Case cases[] = {
      {"one MAD above the median", twenty, 63, 0.01, 1 / 1.4826},
      {"one spike moves nothing", spiked, 63, 0.01, 1 / 1.4826},
      {"below it is negative", twenty, 60, 0.01, -2 / 1.4826},
      {"a history that hardly moved has the least sigma", std::vector<double>(20, 70), 76, 1.5, 4},
  };
  for (const auto& c : cases) {
    History h;
    h.learn(c.history);
    const auto score = h.z.look(c.x, c.least_sigma);
    ASSERT_TRUE(score) << c.why;
    EXPECT_NEAR(score->z, c.want, 1e-6) << c.why;
  }
}

TEST(RobustZ, SaysNothingBeforeItKnowsEnoughAndTakesOneValueAQuarterOfAnHour) {
  History h;
  h.learn(70, RobustZ::kEnough - 1);
  EXPECT_FALSE(h.z.look(700, 1));
  for (int second = 1; second < 60; ++second) h.z.learn(70, h.now + std::chrono::seconds(second));
  EXPECT_FALSE(h.z.look(700, 1)) << "a minute of values is not an hour";
  h.learn(70, 1);
  EXPECT_TRUE(h.z.look(700, 1));
}

TEST(RobustZ, HalfADayOfAnotherLevelBecomesItsHistory) {
  History h;
  h.learn(60, 48);
  h.learn(80, 20);
  EXPECT_NEAR(h.z.look(80, 1)->expected, 60, 1e-6);
  h.learn(80, 10);
  EXPECT_NEAR(h.z.look(80, 1)->expected, 80, 1e-6);
}

// The naive twin: all values that were ever taken, the last 48 of them sorted.
TEST(RobustZ, AgreesWithItsNaiveTwin) {
  std::mt19937 random(7);
  std::normal_distribution<float> values(50, 8);
  const auto median = [](std::vector<float> v) {
    std::ranges::sort(v);
    const auto n = v.size();
    return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
  };
  History h;
  std::vector<float> all;
  for (int i = 0; i < 300; ++i) {
    all.push_back(values(random));
    h.learn(all.back(), 1);
    if (all.size() < RobustZ::kEnough) continue;
    std::vector<float> last(all.end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(all.size(), 48)), all.end());
    const float middle = median(last);
    for (auto& v : last) v = std::fabs(v - middle);
    const auto score = h.z.look(60, 1e-9);
    ASSERT_TRUE(score);
    EXPECT_NEAR(score->expected, middle, 1e-4);
    EXPECT_NEAR(score->sigma, 1.4826 * median(last), 1e-4);
  }
}

static_assert(sizeof(RobustZ) <= 216);

}  // namespace
}  // namespace ghm::anomaly
