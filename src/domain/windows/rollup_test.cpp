// Rollups and rolling windows against their naive twin, which looks at every reading each time it is asked.
#include "domain/windows/rollup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/windows/rolling_window.h"

namespace ghm::windows {
namespace {

const Timestamp kStart = from_unix_ms(1'770'638'400'000);  // 2026-02-09T12:00:00Z
constexpr Counting kCountings[] = {Counting::none, Counting::restarts, Counting::climbs};

/// The twin: one bucket of readings in time order, by the definition.
Rollup naive(std::span<const Point> points, Timestamp from, Counting counting) {
  Rollup r{from, points.size(), INFINITY, -INFINITY, points.back().value, counting == Counting::none ? 0 : points[0].value, {}, {}};
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double v = points[i].value;
    r.min = std::min(r.min, v);
    r.max = std::max(r.max, v);
    r.sum.add(v);
    if (i == 0 || counting == Counting::none) continue;
    const double before = points[i - 1].value;
    if (v >= before) {
      r.increase.add(v);
      r.increase.subtract(before);
    } else if (counting == Counting::restarts) {
      r.increase.add(v);
    }
  }
  return r;
}

std::vector<Rollup> naive_buckets(const std::vector<Point>& points, std::chrono::milliseconds width, Counting counting) {
  std::map<Timestamp, std::vector<Point>> buckets;
  for (const auto& p : points) buckets[bucket_start(p.at, width)].push_back(p);
  std::vector<Rollup> all;
  for (const auto& [from, inside] : buckets) all.push_back(naive(inside, from, counting));
  return all;
}

/// A counter that climbs, sometimes restarts, sometimes is no decimal; with gaps.
std::vector<Point> random_story(std::mt19937_64& random, std::size_t n) {
  std::vector<Point> points;
  double value = 100;
  auto at = kStart - 3h;
  for (std::size_t i = 0; i < n; ++i) {
    at += std::chrono::milliseconds(random() % 20'000 + 1) + (random() % 50 == 0 ? 2h : 0h);
    value = random() % 20 == 0 ? static_cast<double>(random() % 50) : value + static_cast<double>(random() % 1000) / 10;
    if (random() % 30 == 0) value += 1.0 / 3;
    points.push_back({at, value});
  }
  return points;
}

TEST(Rollup, AnyTierSaysWhatTheReadingsSay) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 60; ++round)
    for (const auto counting : kCountings) {
      const auto points = random_story(random, 600);
      const auto minutes = roll_up(points, 1min, counting);
      ASSERT_EQ(minutes, naive_buckets(points, 1min, counting));
      const auto hours = roll_up(minutes, 1h, counting);
      ASSERT_EQ(roll_up(minutes, 5min, counting), naive_buckets(points, 5min, counting));
      ASSERT_EQ(hours, naive_buckets(points, 1h, counting));
      ASSERT_EQ(roll_up(hours, 24h, counting), naive_buckets(points, 24h, counting));
      ASSERT_EQ(roll_up(roll_up(minutes, 15min, counting), 24h, counting), naive_buckets(points, 24h, counting));
    }
}

TEST(Rollup, MergingIsAssociativeWhereverItIsCut) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 300; ++round)
    for (const auto counting : kCountings) {
      const auto points = random_story(random, 20);
      const std::span all(points);
      const auto cut = random() % 18 + 1, second = cut + 1 + random() % (19 - cut);
      const auto part = [&](std::size_t from, std::size_t to) { return naive(all.subspan(from, to - from), points[from].at, counting); };
      auto left = part(0, cut), middle = part(cut, second);
      merge(left, middle, counting);
      merge(left, part(second, 20), counting);
      auto right = part(0, cut);
      merge(middle, part(second, 20), counting);
      merge(right, middle, counting);
      ASSERT_EQ(left, right);
      ASSERT_EQ(left, part(0, 20));
    }
}

TEST(Rollup, AFallIsARestartOnlyWhereTheCatalogueSaysSo) {
  struct Case {
    const char* why;
    std::vector<double> values;
    Counting counting;
    double want;
  };
  const Case cases[] = {
      {"climbs", {10, 12, 15}, Counting::restarts, 5},
      {"stands", {10, 10, 10}, Counting::restarts, 0},
      {"restarts from 0 and counts on", {100, 110, 4, 6}, Counting::restarts, 16},
      {"restarts twice in a row", {100, 5, 2}, Counting::restarts, 7},
      {"falls though it cannot: nothing", {100, 110, 4, 6}, Counting::climbs, 12},
      {"a gauge has no increase", {1, 2, 3}, Counting::none, 0},
      {"tenths do not add up their rounding", {0.1, 0.2, 0.3}, Counting::restarts, 0.2},
  };
  for (const auto& c : cases) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < c.values.size(); ++i) points.push_back({kStart + i * 40s, c.values[i]});
    EXPECT_EQ(roll_up(points, 1h, c.counting)[0].increase.value(), c.want) << c.why;
    EXPECT_EQ(roll_up(roll_up(points, 1min, c.counting), 1h, c.counting)[0].increase.value(), c.want) << c.why;
  }
}

TEST(Rollup, CountersAreToldByTheCatalogue) {
  EXPECT_EQ(counting_of(telemetry::field::gpu_temp), Counting::none);
  EXPECT_EQ(counting_of(telemetry::field::total_energy), Counting::restarts);
  EXPECT_EQ(counting_of(telemetry::field::ecc_sbe_aggregate), Counting::climbs);
  EXPECT_EQ(counting_of(telemetry::MetricId{65'000}), Counting::none);
}

TEST(Rollup, WhatIsNoNumberIsPassedOver) {
  const std::vector<Point> points = {{kStart, NAN}, {kStart + 1s, -0.0}, {kStart + 2s, INFINITY}, {kStart + 70s, NAN}};
  const auto buckets = roll_up(points, 1min, Counting::none);
  ASSERT_EQ(buckets.size(), 1u);
  EXPECT_EQ(buckets[0].count, 1u);
  EXPECT_FALSE(std::signbit(buckets[0].min));
}

TEST(Rollup, ARangeGrowsToWholeBuckets) {
  const auto range = [](TimeRange given, std::chrono::milliseconds width) {
    const auto r = whole_buckets(given, width);
    return std::pair(r.from - kStart, r.to - kStart);
  };
  using Pair = std::pair<std::chrono::milliseconds, std::chrono::milliseconds>;
  EXPECT_EQ(range({kStart + 1s, kStart + 61s}, 1min), Pair(0s, 120s));
  EXPECT_EQ(range({kStart, kStart + 60s}, 1min), Pair(0s, 60s));
  EXPECT_EQ(range({kStart, kStart + 1ms}, 1h), Pair(0h, 1h));
  const auto all = whole_buckets({Timestamp::min(), Timestamp::max()}, 24h);
  EXPECT_EQ(all.from, Timestamp{});
  EXPECT_GT(all.to, kStart);
  const auto none = whole_buckets({kStart, kStart}, 1min);
  EXPECT_EQ(none.from, none.to);
}

/// The twin of the window: all readings in a map, looked through each time.
struct NaiveWindow {
  std::chrono::milliseconds span;
  Timestamp end{};
  std::map<Timestamp, double> readings;

  bool add(const Point& p) {
    if (p.at <= end - span || !readings.try_emplace(p.at, p.value).second) return false;
    advance(p.at);
    return true;
  }
  void advance(Timestamp now) {
    end = std::max(end, now);
    std::erase_if(readings, [this](const auto& r) { return r.first <= end - span; });
  }
  std::optional<Rollup> stats(Counting counting) const {
    std::vector<Point> points;
    for (const auto& [at, value] : readings) points.push_back({at, value});
    return points.empty() ? std::nullopt : std::optional(naive(points, points[0].at, counting));
  }
};

TEST(RollingWindow, SaysAtEveryMomentWhatItsReadingsSay) {
  std::mt19937_64 random(5);
  for (const auto counting : kCountings) {
    RollingWindow window(10min, counting);
    NaiveWindow twin{10min, {}, {}};
    auto now = kStart;
    for (int i = 0; i < 3000; ++i) {
      now += std::chrono::seconds(random() % 20);
      const auto at = random() % 5 == 0 ? now - std::chrono::seconds(random() % 900) : now;
      const double value = random() % 8 == 0 ? static_cast<double>(random() % 10) / 7 : static_cast<double>(random() % 300) / 10;
      ASSERT_EQ(window.add({at, value}), twin.add({at, value}));
      if (random() % 10 == 0) {
        now += std::chrono::seconds(random() % 700);
        window.advance(now);
        twin.advance(now);
      }
      ASSERT_EQ(window.stats(), twin.stats(counting));
    }
  }
}

TEST(RollingWindow, PassesOverWhatIsOldRepeatedOrNoNumber) {
  RollingWindow window(1min, Counting::none);
  EXPECT_FALSE(window.stats());
  EXPECT_TRUE(window.add({kStart, 1}));
  EXPECT_FALSE(window.add({kStart, 2}));
  EXPECT_FALSE(window.add({kStart + 1s, NAN}));
  EXPECT_FALSE(window.add({kStart - 60s, 3}));
  EXPECT_TRUE(window.add({kStart - 59s, 4}));
  EXPECT_EQ(window.stats()->max, 4);
  window.advance(kStart + 60s);
  EXPECT_FALSE(window.stats());
}

}  // namespace
}  // namespace ghm::windows
