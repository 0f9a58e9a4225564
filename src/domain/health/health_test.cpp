#include "domain/health/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "domain/health/windows.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::health {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr double kT = 1'790'006'400, kStep = 60;
constexpr auto kTemp = "DCGM_FI_DEV_GPU_TEMP", kActive = "DCGM_FI_PROF_GR_ENGINE_ACTIVE", kUtil = "DCGM_FI_DEV_GPU_UTIL",
               kReasons = "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", kFan = "DCGM_FI_DEV_FAN_SPEED", kSbe = "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL",
               kSbeLife = "DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", kDbe = "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL",
               kPending = "DCGM_FI_DEV_ROW_REMAP_PENDING", kFailure = "DCGM_FI_DEV_ROW_REMAP_FAILURE",
               kBanks = "DCGM_FI_DEV_BANKS_REMAP_ROWS_AVAIL_NONE";

// `value` every minute over the last `seconds`, up to and including t.
Series steady(double value, double seconds = kDay) {
  Series s;
  for (double at = kT - seconds + kStep; at <= kT; at += kStep) s.push_back({at, value});
  return s;
}

Series counter(double from, double to, double changed_at, double seconds = 8 * kDay) {
  auto s = steady(from, seconds);
  for (auto& r : s)
    if (r.at >= changed_at) r.value = to;
  return s;
}

Input healthy() {
  Input in;
  in.t = kT;
  in.interval_s = kStep;
  in.deployed_at = kT - 100 * kDay;
  in.metrics = {{kReasons, steady(0)}, {kTemp, steady(60)},         {kActive, steady(0.8)},
                {kFan, std::nullopt},  {kSbe, steady(7, 8 * kDay)}, {kDbe, steady(0, 8 * kDay)},
                {kPending, steady(0)}, {kFailure, steady(0)},       {kBanks, steady(0)}};
  return in;
}

const Dimension& dimension(const Report& r, const std::string& name) {
  return *std::ranges::find(r.dimensions, name, &Dimension::name);
}

std::vector<std::string> rules(const Report& r) {
  std::vector<std::string> out;
  for (const auto& d : r.dimensions)
    for (const auto& f : d.findings) out.push_back(f.rule);
  return out;
}

TEST(Health, AHealthyBoardHasAScoreFromTwoDimensions) {
  const auto r = score(baseline(), healthy());
  EXPECT_EQ(r.overall, 100);
  EXPECT_DOUBLE_EQ(r.coverage, 0.55);
  EXPECT_EQ(r.class_name, "excellent");
  EXPECT_EQ(r.risk, "low");
  EXPECT_TRUE(rules(r).empty());
  EXPECT_EQ(dimension(r, "power").score, std::nullopt);
  EXPECT_DOUBLE_EQ(dimension(r, "power").coverage, 2.0 / 7) << "activity and clock reasons are there";
  EXPECT_EQ(dimension(r, "reliability").coverage, 0) << "nobody noted when the source answered";
}

TEST(Health, NothingIsNever100) {
  Input nothing;
  nothing.t = kT;
  const auto r = score(baseline(), nothing);
  EXPECT_EQ(r.overall, std::nullopt);
  EXPECT_EQ(r.coverage, 0);
  EXPECT_EQ(r.class_name, "");
  EXPECT_EQ(r.risk, "");
  EXPECT_EQ(r.dimensions.size(), dimensions().size());
}

TEST(Health, APartWithoutAnyInputHasNoScore) {
  auto in = healthy();
  for (auto& [name, series] : in.metrics) series = std::nullopt;
  const auto r = score(baseline(), in);
  EXPECT_EQ(r.overall, std::nullopt);
  EXPECT_EQ(dimension(r, "memory").coverage, 0);
}

TEST(Health, WhatThePartLacksIsNotMissing) {
  struct Case {
    const char* why;
    std::optional<Series> fan;
    bool mentioned;
    double coverage;
  };
  const Case cases[] = {{"no fan on the part", std::nullopt, true, 1.0},
                        {"a fan that never spoke", Series{}, true, 0.75},
                        {"a fan nobody mentions is listed too", {}, false, 0.75},
                        {"a fan that spoke a day ago", steady(40, 2 * kDay), true, 1.0}};
  for (const auto& c : cases) {
    auto in = healthy();
    if (c.mentioned) in.metrics[kFan] = c.fan;
    else in.metrics.erase(kFan);
    EXPECT_EQ(dimension(score(baseline(), in), "thermal").coverage, c.coverage) << c.why;
  }
}

TEST(Health, TheMissingInputsAreNamed) {
  auto in = healthy();
  in.metrics[kTemp] = steady(60, 3 * kHour);
  in.metrics.erase(kActive);
  const auto r = score(baseline(), in);
  EXPECT_THAT(dimension(r, "thermal").missing, UnorderedElementsAre(kTemp, kActive));
  EXPECT_EQ(dimension(r, "thermal").score, std::nullopt);
  EXPECT_EQ(r.overall, std::nullopt) << "memory alone covers 0.30";
}

TEST(Health, PresenceBeginsAtSixtyPercent) {
  auto in = healthy();
  const auto thinned = [](std::size_t keep) {
    auto s = steady(80);
    s.resize(keep);  // 1,440 minutes are expected
    return s;
  };
  in.metrics[kTemp] = thinned(864);
  EXPECT_THAT(rules(score(baseline(), in)), ElementsAre("thermal.mean")) << "864 of 1440";
  in.metrics[kTemp] = thinned(863);
  EXPECT_TRUE(rules(score(baseline(), in)).empty()) << "a rule whose input is not present is skipped";
}

TEST(Health, AYoungBoardIsMeasuredSinceItsDeployment) {
  auto in = healthy();
  in.deployed_at = kT - kHour;
  for (auto& [name, series] : in.metrics)
    if (series) series = steady(series->back().value, kHour);
  EXPECT_EQ(score(baseline(), in).overall, 100);
  in.deployed_at = kT - 3 * kHour;  // now a third of its life is there
  EXPECT_EQ(score(baseline(), in).overall, std::nullopt);
}

TEST(Health, NothingAfterTheScoringTimeCounts) {
  auto in = healthy();
  in.metrics[kFailure]->push_back({kT + 1, 1});
  in.metrics[kReasons]->push_back({kT + 1, 0x40});
  EXPECT_EQ(score(baseline(), in).overall, 100);
}

TEST(Health, CountersThatBeginAnewAddTheirNewValue) {
  struct Case {
    const char* why;
    double before, after;
    double per_day;
  };
  const Case cases[] = {{"a step", 3, 17, 2},
                        {"a fall adds the new value", 100, 14, 2},
                        {"a fall to zero adds nothing", 100, 0, 0},
                        {"a counter that stands", 100, 100, 0}};
  for (const auto& c : cases) {
    auto in = healthy();
    in.metrics[kSbe] = counter(c.before, c.after, kT - kDay);
    const auto findings = dimension(score(baseline(), in), "memory").findings;
    EXPECT_EQ(findings.size(), c.per_day > 0 ? 1u : 0u) << c.why;
    EXPECT_DOUBLE_EQ(findings.empty() ? 0 : findings[0].value, c.per_day) << c.why;
  }
}

TEST(Health, TheFirstReadingEverAddsNothing) {
  auto in = healthy();
  in.metrics[kDbe] = steady(40, 7 * kDay);
  EXPECT_TRUE(rules(score(baseline(), in)).empty());
}

TEST(Health, AStepAcrossAGapBelongsToItsLaterReading) {
  auto in = healthy();
  auto dbe = steady(1, 7 * kDay);
  dbe.insert(dbe.begin(), {kT - 20 * kDay, 0});  // the last reading before the window
  in.metrics[kDbe] = dbe;
  const auto r = score(baseline(), in);
  EXPECT_THAT(rules(r), ElementsAre("memory.ue_7d"));
  EXPECT_EQ(r.dimensions[0].findings[0].at, dbe[1].at);
}

TEST(Health, TheOtherCounterSpeaksOnlyWhereTheFirstIsSilent) {
  auto in = healthy();
  in.metrics[kSbeLife] = counter(0, 14, kT - kDay);
  EXPECT_TRUE(rules(score(baseline(), in)).empty()) << "the volatile counter has readings";
  for (const std::optional<Series>& silent : {std::optional(Series{}), std::optional<Series>()}) {
    in.metrics[kSbe] = silent;
    EXPECT_THAT(rules(score(baseline(), in)), ElementsAre("memory.corrected"));
  }
}

TEST(Health, UtilisationStandsInForActivity) {
  auto in = healthy();
  in.metrics[kActive] = std::nullopt;
  in.metrics[kUtil] = steady(80);
  auto& temperature = *in.metrics[kTemp];
  for (std::size_t i = 0; i < temperature.size(); i += 2) temperature[i].value = 74;
  EXPECT_THAT(rules(score(baseline(), in)), ElementsAre("thermal.swing"));
  in.metrics[kUtil] = steady(49);
  EXPECT_TRUE(rules(score(baseline(), in)).empty()) << "not under load";
}

TEST(Health, ThrottlingIsCountedInEpisodes) {
  struct Case {
    const char* why;
    std::vector<double> minutes_ago;
    int reason;
    std::size_t episodes;
  };
  const Case cases[] = {{"one reading", {10}, 0x20, 1},
                        {"neighbours are one", {10, 11, 12}, 0x40, 1},
                        {"a good reading between", {10, 12}, 0x40, 2},
                        {"a power cap is no heat", {10}, 0x04, 0},
                        {"yesterday", {1440}, 0x40, 0},
                        {"the first minute of the day", {1439}, 0x40, 1}};
  for (const auto& c : cases) {
    auto in = healthy();
    in.metrics[kReasons] = steady(0, 2 * kDay);
    for (auto& r : *in.metrics[kReasons])
      if (std::ranges::find(c.minutes_ago, (kT - r.at) / 60) != c.minutes_ago.end()) r.value = c.reason;
    const auto findings = dimension(score(baseline(), in), "thermal").findings;
    EXPECT_EQ(findings.empty() ? 0 : findings[0].value, static_cast<double>(c.episodes)) << c.why;
  }
}

TEST(Health, ACriticalRuleSpeaksWithoutAScore) {
  auto in = healthy();
  in.metrics = {{kFailure, steady(1)}};
  const auto r = score(baseline(), in);
  EXPECT_EQ(r.overall, std::nullopt);
  EXPECT_EQ(dimension(r, "memory").score, std::nullopt);
  EXPECT_THAT(r.critical, ElementsAre("memory.remap_failed"));
  EXPECT_EQ(r.risk, "critical");
}

TEST(Health, RiskFollowsTheScoreWhereThereIsNoTrend) {
  struct Case {
    double mean_temperature;
    const char* class_name;
    const char* risk;
  };
  // Thermal loses 2 points a degree above 75; the whole loses 25/55 of them, and 30/55 of memory's 50.
  const Case cases[] = {{75, "fair", "medium"}, {85, "degraded", "high"}, {110, "critical", "critical"}, {125, "failed", "critical"}};
  for (const auto& c : cases) {
    auto in = healthy();
    in.metrics[kTemp] = steady(c.mean_temperature);
    in.metrics[kSbe] = counter(0, 7 * 50, kT - kDay);
    const auto r = score(baseline(), in);
    EXPECT_EQ(r.class_name, c.class_name) << c.mean_temperature << ": " << *r.overall;
    EXPECT_EQ(r.risk, c.risk) << c.mean_temperature;
  }
}

TEST(Health, ClassBordersBelongToTheBetterClass) {
  struct Case {
    double score;
    const char* name;
  };
  const Case cases[] = {{100, "excellent"}, {90, "excellent"}, {89.999999, "good"}, {80, "good"},     {74, "fair"},     {70, "fair"},
                        {60, "degraded"},   {50, "poor"},      {49.9, "critical"},  {40, "critical"}, {39.9, "failed"}, {0, "failed"}};
  for (const auto& c : cases) EXPECT_EQ(class_of(c.score), c.name) << c.score;
}

TEST(Health, NeedsAreKnownMetricsAndEnoughForTheRules) {
  const auto& catalogue = telemetry::MetricCatalogue::built_in();
  std::set<std::string_view> names;
  for (const auto& n : needs(baseline())) {
    const auto* spec = catalogue.by_name(n.metric);
    ASSERT_NE(spec, nullptr) << n.metric;
    EXPECT_EQ(spec->name, n.metric) << "the canonical name";
    EXPECT_TRUE(n.instead_of.empty() || names.contains(n.instead_of)) << n.metric << " comes after what it stands in for";
    EXPECT_TRUE(names.insert(n.metric).second) << n.metric << " stands twice";
  }
  for (const auto& [name, series] : healthy().metrics) EXPECT_TRUE(names.contains(name)) << name;
}

TEST(Health, SentencesReadLikeEnglish) {
  struct Case {
    Finding finding;
    const char* sentence;
  };
  const Case cases[] = {
      {{"thermal.throttle", 10, 1, 0}, "slowed down by heat 1 time in 24 h; reference 0"},
      {{"thermal.throttle", 40, 4, 0}, "slowed down by heat 4 times in 24 h; reference 0"},
      {{"thermal.mean", 6.5, 78.25, 75}, "mean GPU temperature 78.2 °C over 24 h; reference 75 °C"},
      {{"thermal.trend", 5, 2.206, 2}, "GPU temperature under load rises by 2.2 °C in 30 days; reference 2 °C"},
      {{"thermal.swing", 3, 12, 10}, "GPU temperature swings by 12.0 °C in an hour of steady load; reference 10 °C"},
      {{"thermal.fan", 5, 91, 90}, "fan at 91 % or more for an hour; reference 90 %"},
      {{"memory.corrected", 26, 26, 0}, "26 corrected memory errors a day over 7 days; reference 0"},
      {{"memory.corrected", 1, 1, 0}, "1 corrected memory error a day over 7 days; reference 0"},
      {{"memory.bandwidth", 6.25, 0.9375, 0.95}, "a test reached 93.8 % of the memory bandwidth; reference 95 %"},
      {{"memory.ue_7d", 30, 3, 1}, "3 uncorrected memory errors in 7 days; reference 0; memory held at 70"},
      {{"memory.ue_rising", 0, 3, 0}, "3 uncorrected memory errors in 24 h; reference 0 in the 24 h before"},
      {{"memory.remap_failed", 60, 2, 0}, "2 memory banks without spare rows; reference 0; RMA candidate"},
      {{"future.rule", 1, 2.5, 1}, "future.rule: 2.5; reference 1"},
  };
  for (const auto& c : cases) EXPECT_EQ(sentence(c.finding), c.sentence);
}

TEST(Windows, PercentileIsTypeSeven) {
  struct Case {
    std::vector<double> values;
    double p, want;
  };
  const Case cases[] = {{{5}, 95, 5}, {{1, 2, 3, 4}, 50, 2.5}, {{4, 1, 3, 2}, 0, 1}, {{1, 2, 3, 4}, 100, 4}, {{10, 20, 30}, 95, 29}};
  for (const auto& c : cases) EXPECT_DOUBLE_EQ(percentile(c.values, c.p), c.want);
}

TEST(Windows, AWindowLeavesOutItsBeginning) {
  const Series s{{10, 1}, {20, 2}, {30, 3}};
  EXPECT_EQ(within(s, 10, 30).size(), 2u);
  EXPECT_EQ(within(s, 9, 29).size(), 2u);
  EXPECT_TRUE(within(s, 30, 40).empty());
  EXPECT_TRUE(within({}, 0, 100).empty());
}

}  // namespace
}  // namespace ghm::health
