#include "pipeline/replay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace ghm::pipeline {
namespace {

namespace field = telemetry::field;
using fleet::BoardId;
using telemetry::Reason;

const Timestamp kNow = from_unix_ms(1'700'000'000'000);
constexpr BoardId kBoard{1};

/// Readings in a map, the first of an instant stands.
class Readings final : public store::TelemetryStore {
 public:
  Result<void> append(std::span<const store::RowBatch> batch) override {
    for (const auto& row : batch)
      for (std::size_t i = 0; i < row.values.size(); ++i) points[(*row.columns)[i]].emplace(row.at, row.values[i]);
    return {};
  }
  Result<std::vector<store::Point>> read(const store::SeriesKey& series, TimeRange range) const override {
    std::vector<store::Point> out;
    if (const auto it = points.find(series); it != points.end())
      for (const auto& [at, value] : it->second)
        if (range.contains(at)) out.push_back({at, value});
    return out;
  }
  Result<std::vector<std::vector<store::Point>>> read_many(std::span<const store::SeriesKey>, TimeRange) const override {
    return std::vector<std::vector<store::Point>>();
  }
  Result<std::vector<store::Bucket>> aggregate(const store::SeriesKey&, TimeRange, std::chrono::milliseconds) const override {
    return std::vector<store::Bucket>();
  }
  std::vector<store::Latest> latest(BoardId) const override {
    std::vector<store::Latest> out;
    for (const auto& [key, all] : points) out.push_back({key, {all.rbegin()->first, all.rbegin()->second}});
    return out;
  }
  std::vector<store::Latest> latest(telemetry::MetricId) const override { return {}; }
  Result<bool> maintain(Timestamp) override { return false; }
  store::StoreStats stats() const override { return {}; }
  std::map<store::SeriesKey, std::map<Timestamp, double>> points;
};

struct ReplayTest : ::testing::Test {
  ReplayTest() {
    layout.table = std::make_shared<telemetry::SeriesTable>();
    layout.gpus.emplace_back().uuid = "GPU-1";
  }
  void refuse(telemetry::MetricId metric, double number, Reason reason, Timestamp at) {
    telemetry::Refusal r{0, {}, metric, "text", reason};
    r.number = number;
    r.at = at;
    std::vector<store::Record> keep;
    quarantine.take({source, kNow, layout, boards, BoardId{9}}, std::vector{r}, keep);
  }
  void stored(telemetry::MetricId metric, double value, Timestamp at) { readings.points[{kBoard, {}, metric}][at] = value; }
  /// replayed, still refused, lost
  std::vector<std::uint64_t> replayed(bool dry_run = false, Timestamp now = kNow) {
    const ReplayWorld world{readings,
                            [this](BoardId) { return model; },
                            overrides,
                            24h * 30,
                            [this](ToKeep k) {
                              if (!keeping) return false;
                              order.push_back(k.rows.empty() ? "records" : "rows");
                              const auto done = readings.append(k.rows);
                              for (const auto& told : k.told) told(durable);
                              return true;
                            },
                            100ms};
    const auto report = replay(quarantine, {}, dry_run, world, now);
    if (!report) return {};
    return {report->replayed, report->still_refused, report->lost};
  }
  std::size_t kept() const { return quarantine.select({}).size(); }

  telemetry::PageLayout layout;
  std::vector<BoardId> boards{kBoard};
  const std::string source = "h1:9400";
  std::string model = "NVIDIA H100 80GB HBM3";
  validation::Overrides overrides;
  Quarantine quarantine;
  Readings readings;
  bool keeping = true;
  Result<void> durable;
  std::vector<std::string> order;
};

using Fates = std::vector<std::uint64_t>;

TEST_F(ReplayTest, AMendedRangeBelievesWhatItRefused) {
  refuse(field::gpu_temp, 125, Reason::out_of_range, kNow - 1h);
  EXPECT_EQ(replayed(), (Fates{0, 1, 0}));
  overrides = {{field::gpu_temp, "", std::nullopt, 130.0}};
  EXPECT_EQ(replayed(true), (Fates{1, 0, 0}));
  EXPECT_EQ(kept(), 1u) << "a dry run changes nothing";
  EXPECT_TRUE(readings.points.empty());
  EXPECT_EQ(replayed(), (Fates{1, 0, 0}));
  EXPECT_EQ(kept(), 0u);
  EXPECT_EQ((readings.points[{kBoard, {}, field::gpu_temp}]), (std::map<Timestamp, double>{{kNow - 1h, 125.0}})) << "at its own time";
  EXPECT_EQ(order, (std::vector<std::string>{"rows", "records"})) << "durable before it leaves the quarantine";
  EXPECT_EQ(replayed(), (Fates{0, 0, 0}));
}

TEST_F(ReplayTest, TheDevicesOwnLimitsCountHereToo) {
  stored(field::power_limit_max, 300, kNow);
  refuse(field::power_usage, 500, Reason::out_of_range, kNow - 1h);
  EXPECT_EQ(replayed(), (Fates{0, 1, 0}));
}

TEST_F(ReplayTest, TimesAreJudgedAsABackFill) {
  refuse(field::gpu_temp, 60, Reason::future, kNow + 10min);
  refuse(field::gpu_temp, 61, Reason::too_old, kNow - 72h);
  refuse(field::gpu_temp, 62, Reason::too_old, kNow - 24h * 40);
  EXPECT_EQ(replayed(), (Fates{1, 1, 1})) << "the future waits, 72 h are within retention, 40 days are not";
  EXPECT_EQ(replayed(false, kNow + 10min), (Fates{1, 0, 1})) << "its time has come";
}

TEST_F(ReplayTest, AnotherValueAtThatTimeStands) {
  refuse(field::gpu_temp, 60, Reason::future, kNow - 1h);
  refuse(field::power_usage, 300, Reason::future, kNow - 1h);
  stored(field::gpu_temp, 59, kNow - 1h);
  stored(field::power_usage, 300, kNow - 1h);
  EXPECT_EQ(replayed(), (Fates{1, 0, 1})) << "what stands there already is as good as replayed";
}

TEST_F(ReplayTest, ARateIsJudgedBetweenItsNeighbours) {
  const auto at = kNow - 1h;
  stored(field::gpu_temp, 40, at - 1s);
  stored(field::gpu_temp, 41, at + 1s);
  refuse(field::gpu_temp, 105, Reason::impossible_rate, at);
  EXPECT_EQ(replayed(), (Fates{0, 1, 0})) << "a spike";
  overrides = {{field::gpu_temp, "", std::nullopt, std::nullopt, 20.0}};
  EXPECT_EQ(replayed(), (Fates{1, 0, 0})) << "a site whose sensor does that";
}

TEST_F(ReplayTest, TheBeginningOfALevelThatStayedIsRecovered) {
  const auto at = kNow - 1h;
  stored(field::total_energy, 9e13, at - 10s);  // the liar
  for (int i = 0; i < 3; ++i) refuse(field::total_energy, 1e12 + i * 7e6, Reason::impossible_rate, at + i * 10s);
  stored(field::total_energy, 1e12 + 3 * 7e6, at + 30s);
  EXPECT_EQ(replayed(), (Fates{3, 0, 0}));
}

TEST_F(ReplayTest, WhileNothingCanBeKeptNothingLeaves) {
  refuse(field::gpu_temp, 60, Reason::future, kNow - 1h);
  keeping = false;
  EXPECT_TRUE(replayed().empty());
  keeping = true;
  durable = Error{Errc::unavailable, "disk full"};
  EXPECT_TRUE(replayed().empty());
  EXPECT_EQ(kept(), 1u);
  durable = {};
  EXPECT_EQ(replayed(), (Fates{1, 0, 0}));
}

}  // namespace
}  // namespace ghm::pipeline
