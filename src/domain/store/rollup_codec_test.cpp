// Round trips, hostile bytes and sizes of rollups.
#include "domain/store/rollup_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::store {
namespace {

using telemetry::MetricId, windows::Point;
namespace field = telemetry::field;

const Timestamp kStart = from_unix_ms(1'770'638'400'000);

/// A minute's reading of each sort of series.
double reading(std::string_view sort, std::size_t i, std::mt19937_64& random) {
  const auto r = random();
  if (sort == "constant") return 700;
  if (sort == "noise") return static_cast<double>(60 + r % 8);
  if (sort == "ratio") return static_cast<double>(r % 1'000'000) / 1e6;
  if (sort == "counter") return 1e12 + static_cast<double>(i) * 2350 + static_cast<double>(r % 50);
  if (sort == "restarts") return static_cast<double>(i % 97) * 10;
  if (sort == "thirds") return static_cast<double>(r % 4) / 3;
  if (sort == "huge") return r % 2 == 0 ? 1.5e308 : -1e300;
  if (sort == "wide") return std::ldexp(static_cast<double>(r >> 11), static_cast<int>(r % 2000) - 1000);
  return r % 2 == 0 ? 0 : 5e-324;  // "tiny"
}

struct Sort {
  const char* name;
  MetricId metric;
};
constexpr Sort kSorts[] = {{"noise", MetricId{140}},         {"constant", field::gpu_temp}, {"counter", field::total_energy},
                           {"restarts", field::pcie_replay}, {"thirds", MetricId{203}},     {"huge", MetricId{204}},
                           {"wide", MetricId{310}},          {"tiny", MetricId{312}},       {"ratio", MetricId{1001}}};

RollupBlock block_of(std::size_t minutes, std::mt19937_64& random, bool gaps) {
  RollupBlock block{kStart, 1min, {}};
  for (const auto& sort : kSorts) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < minutes * 6; ++i)
      if (!gaps || random() % 3 == 0) points.push_back({kStart + i * 10s, reading(sort.name, i, random)});
    block.series.push_back({{{}, sort.metric}, windows::roll_up(points, 1min, windows::counting_of(sort.metric))});
  }
  std::ranges::sort(block.series, {}, &RollupSeries::name);
  return block;
}

TEST(RollupCodec, GivesBackEverySortOfSeriesToTheLastBit) {
  std::mt19937_64 random(1);
  for (const bool gaps : {false, true})
    for (const std::size_t minutes : {1u, 2u, 7u, 60u, 256u}) {
      auto block = block_of(minutes, random, gaps);
      const auto back = decode_rollups(encode_rollups(block));
      ASSERT_TRUE(back) << back.error().what;
      EXPECT_EQ(back->start, block.start);
      EXPECT_EQ(back->width, block.width);
      std::erase_if(block.series, [](const RollupSeries& s) { return s.rollups.empty(); });
      ASSERT_EQ(back->series.size(), block.series.size());
      for (std::size_t i = 0; i < block.series.size(); ++i) {
        EXPECT_EQ(back->series[i].name, block.series[i].name);
        EXPECT_EQ(back->series[i].rollups, block.series[i].rollups) << minutes << " minutes, series " << i;
      }
    }
}

TEST(RollupCodec, ASeriesIsFoundByNameAndReadAlone) {
  std::mt19937_64 random(2);
  const auto block = block_of(60, random, false);
  const auto bytes = encode_rollups(block);
  auto reader = RollupReader::open(bytes).value();
  std::vector<windows::Rollup> rollups;
  for (const auto& s : block.series) {
    const auto found = reader.find(s.name);
    ASSERT_TRUE(found);
    ASSERT_TRUE(reader.read(*found, rollups));
    EXPECT_EQ(rollups, s.rollups);
  }
  EXPECT_FALSE(reader.find({{telemetry::Entity::Kind::nvlink, 1}, MetricId{3}}));
}

TEST(RollupCodec, EveryCutAndEveryFlippedByteIsAnErrorOrABlockNeverACrash) {
  std::mt19937_64 random(3);
  const auto bytes = encode_rollups(block_of(10, random, true));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(decode_rollups(std::string_view(bytes).substr(0, cut))) << cut;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto bent = bytes;
    bent[i] = static_cast<char>(bent[i] ^ (1 << random() % 8));
    const auto block = decode_rollups(bent);
    if (!block) continue;
    const auto again = decode_rollups(encode_rollups(*block));
    ASSERT_TRUE(again) << i;
    for (std::size_t s = 0; s < block->series.size(); ++s) EXPECT_EQ(again->series[s].rollups, block->series[s].rollups) << i;
  }
}

TEST(RollupCodec, WhatStandsStillCostsNextToNothingAndNoiseAFewBytes) {
  std::mt19937_64 random(4);
  const auto bytes_per_minute = [&](const char* sort, MetricId metric) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < 360; ++i) points.push_back({kStart + i * 10s, reading(sort, i, random)});
    const RollupBlock block{kStart, 1min, {{{{}, metric}, windows::roll_up(points, 1min, windows::counting_of(metric))}}};
    return static_cast<double>(encode_rollups(block).size()) / 60;
  };
  EXPECT_LT(bytes_per_minute("constant", field::gpu_temp), 0.6);  // a block of one series: mostly its head
  EXPECT_LT(bytes_per_minute("noise", field::gpu_temp), 2.5);
  EXPECT_LT(bytes_per_minute("counter", field::total_energy), 6);
  EXPECT_LT(bytes_per_minute("ratio", MetricId{1001}), 12);
}

}  // namespace
}  // namespace ghm::store
