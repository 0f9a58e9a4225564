#include "domain/validation/rates.h"

#include <gtest/gtest.h>

#include <functional>

#include "domain/validation/believe.h"

namespace ghm::validation {
namespace {

namespace field = telemetry::field;
using telemetry::MetricId;
using telemetry::Reason;

const Timestamp kStart = from_unix_ms(1'700'000'000'000);
constexpr double kAbsent = -1e300;  // in a story: the page does not have it
constexpr MetricId kThrottle{1420}, kCorrected{312}, kSbe = field::ecc_sbe_volatile, kPcieSent{1091}, kLinkSent{1201};

/// One GPU whose pages have these columns. A page is a list of values.
struct Board {
  explicit Board(std::vector<MetricId> metrics, const std::string& model = "NVIDIA H100 80GB HBM3") {
    auto table = std::make_shared<telemetry::SeriesTable>();
    for (const auto m : metrics) table->series.push_back({0, {}, m, false});
    auto made = std::make_shared<telemetry::PageLayout>();
    made->table = table;
    made->gpus.emplace_back().model = model;
    layout = made;
    rules = ColumnRules::build(*layout, {}, telemetry::MetricCatalogue::built_in(), telemetry::ModelCatalogue::built_in());
    for (const auto m : metrics) keys.push_back({telemetry::BoardId{1}, {}, m});
    memory.adopt(rules.rates(), keys);
  }
  /// The values that are believed; kAbsent for the others.
  std::vector<double> page(std::vector<double> values, std::chrono::milliseconds after = 10s) {
    now += after;
    telemetry::PageReading r;
    r.layout = layout;
    for (const double v : values) r.values.push_back(v == kAbsent ? telemetry::absent() : v);
    believe(r, rules, now);
    findings = memory.check(r, now);
    refused = r.refused;
    for (auto& v : r.values) v = telemetry::is_absent(v) ? kAbsent : v;
    return r.values;
  }

  std::shared_ptr<const telemetry::PageLayout> layout;
  ColumnRules rules;
  std::vector<telemetry::SeriesKey> keys;
  RateMemory memory;
  Timestamp now = kStart;
  RateFindings findings;
  std::vector<telemetry::Refusal> refused;
};

using Values = std::vector<double>;

TEST(Rates, EachRuleReadsLikeItsTable) {
  struct Case {
    const char* why;
    MetricId metric;
    std::vector<double> pages;  // 10 s apart
    std::vector<double> want;   // the last page's value, or kAbsent
  };
  constexpr double second = 1e9, gj = 1e12;
  const Case cases[] = {
      {"a load step: 45 K in 10 s", field::gpu_temp, {35, 35, 80}, {80}},
      {"a die cannot jump by 60 K in 10 s", field::gpu_temp, {35, 36, 96}, {kAbsent}},
      {"nor fall by as much", field::gpu_temp, {95, 96, 36}, {kAbsent}},
      {"memory likewise", field::memory_temp, {35, 36, 96}, {kAbsent}},
      {"700 W for 10 s are 7 kJ", field::total_energy, {gj, gj + 7e6, gj + 14e6}, {gj + 14e6}},
      {"half as much again, over a refresh and a scrape, is possible", field::total_energy, {gj, gj + 7e6, gj + 7e6 + 21e6}, {gj + 28e6}},
      {"3,000 W for 10 s are not", field::total_energy, {gj, gj + 7e6, gj + 7e6 + 30e6}, {kAbsent}},
      {"throttled all the time", kThrottle, {0, 10 * second, 20 * second}, {20 * second}},
      {"throttled for longer than it lasted", kThrottle, {0, 10 * second, 40 * second}, {kAbsent}},
      {"PCIe 5 x16 sends 63 GB/s", kPcieSent, {0, 6.3e11, 12.6e11}, {12.6e11}},
      {"not twice that", kPcieSent, {0, 6.3e11, 6.3e11 + 18e11}, {kAbsent}},
      {"NVLink 4 sends 450 GB/s", kLinkSent, {0, 4.5e12, 9e12}, {9e12}},
      {"not three times that", kLinkSent, {0, 4.5e12, 4.5e12 + 15e12}, {kAbsent}},
      {"an error counter may rise by anything", kSbe, {0, 1, 100'000}, {100'000}},
      {"remapped rows may fall: uncorrectable ones displace them", field::remapped_correctable, {5, 5, 3}, {3}},
      {"a rate is no counter, whatever its TYPE says", field::nvlink_bandwidth, {400'000, 400'000, 3}, {3}},
  };
  for (const auto& c : cases) {
    Board board({c.metric});
    Values last;
    for (const double v : c.pages) last = board.page({v});
    EXPECT_EQ(last, c.want) << c.why;
    if (c.want[0] != kAbsent) continue;
    ASSERT_EQ(board.refused.size(), 1u) << c.why;
    EXPECT_EQ(board.refused[0].reason, Reason::impossible_rate) << c.why;
    EXPECT_EQ(board.refused[0].number, c.pages.back()) << c.why;
  }
}

// The exporter collects every 30 s, ghm scrapes every 10: two of three pages repeat the one before.
TEST(Rates, ARepeatFromTheExportersCacheIsNoMeasureOfTime) {
  Board board({field::total_energy, field::gpu_temp});
  double energy = 1e12;
  for (int refresh = 0; refresh < 20; ++refresh) {
    energy += 30 * 700e3;
    for (int repeat = 0; repeat < 3; ++repeat)
      EXPECT_EQ(board.page({energy, refresh % 2 ? 84.0 : 34.0}), (Values{energy, refresh % 2 ? 84.0 : 34.0})) << refresh;
  }
  EXPECT_EQ(board.memory.refresh_period(), 30s);
}

TEST(Rates, AfterAGapTheWholeGapCounts) {
  Board board({field::total_energy, field::gpu_temp});
  board.page({1e12, 35});
  board.page({1e12 + 7e6, 35});
  EXPECT_EQ(board.page({1e12 + 7e6 + 700e3 * 3600, 85}, 1h), (Values{1e12 + 7e6 + 700e3 * 3600, 85}));
}

TEST(Rates, ALongQuietCounterIsStillBoundByItsRefreshPeriod) {
  Board board({kThrottle, field::total_energy});
  for (int i = 0; i < 360; ++i) board.page({0, 1e12 + i * 7e6});
  EXPECT_EQ(board.page({600e9, 1e12 + 360 * 7e6})[0], kAbsent) << "ten minutes of throttling within ten seconds";
}

TEST(Rates, ALiarDoesNotPoisonTheNext) {
  Board board({field::gpu_temp});
  for (const double t : {36, 37, 38}) board.page({t});
  EXPECT_EQ(board.page({100}), Values{kAbsent});
  EXPECT_EQ(board.page({39}), Values{39});
  for (int i = 0; i < 10; ++i) {  // a flapping sensor never becomes the truth
    EXPECT_EQ(board.page({101}), Values{kAbsent}) << i;
    EXPECT_EQ(board.page({39}), Values{39}) << i;
  }
}

TEST(Rates, ALevelThatStaysBecomesPossibleWithTime) {
  Board board({field::gpu_temp});
  for (const double t : {36, 37, 38}) board.page({t});
  EXPECT_EQ(board.page({100}), Values{kAbsent}) << "62 K in 20 s at most";
  EXPECT_EQ(board.page({100}), Values{kAbsent});
  EXPECT_EQ(board.page({100}), Values{100}) << "in 40 s";
}

TEST(Rates, WhatStaysIsBelievedInTheEnd) {
  Board board({kThrottle, field::total_energy});
  for (int i = 0; i < 3; ++i) board.page({0, 1e12 + i * 7e6});
  for (int i = 3; i < 3 + RateMemory::kConfirmations; ++i) EXPECT_EQ(board.page({9e14, 1e12 + i * 7e6})[0], kAbsent) << i;
  EXPECT_EQ(board.page({9e14, 1e12 + 6 * 7e6})[0], 9e14);
  EXPECT_EQ(board.findings.settled, std::vector<std::uint32_t>{0});
  EXPECT_EQ(board.page({9e14 + 5e9, 1e12 + 7 * 7e6})[0], 9e14 + 5e9);
}

TEST(Rates, AFirstLiarIsOutvoted) {
  Board board({field::total_energy});
  board.page({9e13});  // garbage, and nothing to judge it by
  for (int i = 0; i < RateMemory::kConfirmations; ++i) EXPECT_EQ(board.page({1e12 + i * 7e6}), Values{kAbsent}) << i;
  EXPECT_EQ(board.page({1e12 + 3 * 7e6}), Values{1e12 + 3 * 7e6});
}

TEST(Rates, ACachedRepeatIsNoSecondWitness) {
  Board board({kThrottle, field::total_energy});
  for (int i = 0; i < 30; ++i) board.page({0, 1e12 + i / 3 * 21e6});  // refreshed every 30 s
  for (int i = 0; i < 3 * RateMemory::kConfirmations; ++i) EXPECT_EQ(board.page({9e14, 1e12 + (10 + i / 3) * 21e6})[0], kAbsent) << i;
  EXPECT_EQ(board.page({9e14, 1e12 + 13 * 21e6})[0], 9e14);
}

TEST(Falls, ADriverThatStartsAnewTakesAllItsCountersWithIt) {
  Board board({field::total_energy, kThrottle, kSbe, field::gpu_temp});
  board.page({1e12, 5e9, 7, 40});
  board.page({1e12 + 1e6, 6e9, 7, 40});
  EXPECT_EQ(board.page({2e6, 0, 0, 38}), (Values{2e6, 0, 0, 38}));
  EXPECT_EQ(board.findings.restarted, std::vector<std::uint16_t>{0});
  board.page({4e6, 0, 0, 38});
  EXPECT_TRUE(board.findings.restarted.empty()) << "once";
}

TEST(Falls, EnergyIsTheWitness) {
  struct Case {
    const char* why;
    std::vector<MetricId> metrics;
    Values before, after, want;
    bool restarted;
  };
  const Case cases[] = {
      {"one counter alone while energy goes on", {field::total_energy, kSbe}, {1e12, 7}, {1e12 + 1e6, 3}, {1e12 + 1e6, kAbsent}, false},
      {"two at once while energy goes on were cleared by hand",
       {field::total_energy, kSbe, field::ecc_dbe_volatile},
       {1e12, 7, 1},
       {1e12 + 1e6, 0, 0},
       {1e12 + 1e6, 0, 0},
       false},
      {"energy alone while others stand", {field::total_energy, kThrottle}, {1e12, 5e9}, {1e6, 5e9}, {kAbsent, 5e9}, false},
      {"energy alone, the others have counted nothing", {field::total_energy, kSbe}, {1e12, 0}, {1e6, 0}, {1e6, 0}, true},
      {"energy that fell to what nobody can have drawn since", {field::total_energy}, {1e12}, {5e11}, {kAbsent}, false},
      {"without energy one fall is a restart", {kSbe}, {7}, {0}, {0}, false},
      {"without energy two are an event", {kSbe, kThrottle}, {7, 5e9}, {0, 0}, {0, 0}, true},
  };
  for (const auto& c : cases) {
    Board board(c.metrics);
    board.page(c.before);
    board.page(c.before);
    EXPECT_EQ(board.page(c.after), c.want) << c.why;
    EXPECT_EQ(board.findings.restarted.size(), c.restarted ? 1u : 0u) << c.why;
  }
}

TEST(Falls, ACounterThatTakesUpAgainLosesNothing) {
  Board board({field::total_energy});
  board.page({1e12});
  board.page({1e12 + 7e6});
  board.page({0});  // believed: nothing speaks against it
  EXPECT_EQ(board.page({1e12 + 21e6}), Values{1e12 + 21e6});
}

TEST(Falls, ACounterForLifeThatFallsIsAFindingOnceAndDoubtedUntilItStays) {
  Board board({kCorrected, field::total_energy});
  double energy = 1e12;
  const auto next = [&](double corrected) { return board.page({corrected, energy += 7e6})[0]; };
  for (int i = 0; i < 3; ++i) next(40);
  EXPECT_EQ(next(3), kAbsent);
  EXPECT_EQ(board.findings.fell, std::vector<std::uint32_t>{0});
  EXPECT_EQ(next(3), kAbsent);
  EXPECT_TRUE(board.findings.fell.empty());
  EXPECT_EQ(next(3), kAbsent);
  EXPECT_EQ(next(4), 4);
  EXPECT_EQ(board.findings.settled, std::vector<std::uint32_t>{0});
}

TEST(Rates, AClockThatIsSetBackJudgesNothing) {
  Board board({field::total_energy, field::gpu_temp});
  board.page({1e12, 36});
  EXPECT_EQ(board.page({1e12 + 1e9, 99}, -1h), (Values{1e12 + 1e9, 99}));
  EXPECT_EQ(board.page({1e12 + 1e9 + 7e6, 98}), (Values{1e12 + 1e9 + 7e6, 98}));
}

TEST(Rates, ANewLayoutKeepsWhatWasKnown) {
  Board board({field::gpu_temp});
  for (const double t : {36, 37, 38}) board.page({t});
  Board wider({field::total_energy, field::gpu_temp});
  board.layout = wider.layout;
  board.rules = wider.rules;
  board.memory.adopt(wider.rules.rates(), wider.keys);
  EXPECT_EQ(board.page({1e12, 100}), (Values{1e12, kAbsent}));
  EXPECT_EQ(board.page({1e12 + 7e6, 39}), (Values{1e12 + 7e6, 39}));
}

TEST(Rates, ASiteMayMendARate) {
  const auto& spec = *telemetry::MetricCatalogue::built_in().find(field::gpu_temp);
  const Override mended{field::gpu_temp, "", std::nullopt, std::nullopt, 20.0};
  EXPECT_FALSE(possible(*rate_rule(spec, {}), 30, 100, 2));
  EXPECT_TRUE(possible(*rate_rule(spec, {}, &mended), 30, 100, 2));
}

}  // namespace
}  // namespace ghm::validation
