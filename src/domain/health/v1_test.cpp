// The rules of `v1` at their borders, the weighing of its dimensions, and the example of docs/health.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "domain/health/utc_hours.h"

namespace ghm::health {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr double kT = 1'790'006'400, kStep = 600;
const std::string kDev = "DCGM_FI_DEV_", kActive = "DCGM_FI_PROF_GR_ENGINE_ACTIVE";
const std::string kSbe = kDev + "ECC_SBE_VOL_TOTAL", kReasons = kDev + "CLOCK_THROTTLE_REASONS";

template <class Value>
Series readings(Value value, double days = 32) {
  Series s;
  for (double at = kT - days * kDay + kStep; at <= kT; at += kStep) s.push_back({at, value(at)});
  return s;
}
Series steady(double value) {
  return readings([value](double) { return value; });
}
// 0, and from `at` on `value`.
Series risen(double value, double at) {
  return readings([=](double now) { return now >= at ? value : 0; });
}
// Work and rest by turns of six hours.
bool works(double at) {
  return std::fmod(at, kDay / 2) < kDay / 4;
}

// Every input there, nothing wrong.
Input board() {
  Input in;
  in.t = kT;
  in.interval_s = kStep;
  in.deployed_at = kT - 300 * kDay;
  in.source_silent.emplace();
  in.events.emplace();
  in.links_expected = 1;
  for (const auto& need : needs(v1())) in.metrics[std::string(need.metric)] = steady(0);
  in.metrics[kDev + "NVLINK_GET_STATE@nvlink0"] = steady(1);
  in.metrics[kDev + "FAN_SPEED"] = std::nullopt;
  in.metrics[kActive] = readings([](double at) { return works(at) ? 0.95 : 0.01; });
  in.metrics[kDev + "POWER_USAGE"] = readings([](double at) { return works(at) ? 650.0 : 100.0; });
  in.metrics[kDev + "GPU_TEMP"] = readings([](double at) { return 25 + 0.06 * (works(at) ? 650 : 100); });
  in.metrics[kDev + "SM_CLOCK"] = steady(1900);
  in.metrics[kDev + "MAX_SM_CLOCK"] = steady(1980);
  for (const auto* width : {"PCIE_LINK_WIDTH", "PCIE_MAX_LINK_WIDTH"}) in.metrics[kDev + width] = steady(16);
  for (const auto* gen : {"PCIE_LINK_GEN", "PCIE_MAX_LINK_GEN"}) in.metrics[kDev + gen] = steady(5);
  return in;
}

std::vector<Finding> findings(const Input& in) {
  std::vector<Finding> out;
  for (const auto& d : score(v1(), in).dimensions) out.insert(out.end(), d.findings.begin(), d.findings.end());
  return out;
}
std::vector<std::string> rules(const Input& in) {
  std::vector<std::string> out;
  for (const auto& f : findings(in)) out.push_back(f.rule);
  return out;
}
const Dimension& dimension(const Report& r, std::string_view name) {
  return *std::ranges::find(r.dimensions, name, &Dimension::name);
}

TEST(ProfileV1, AHealthyBoardLosesNothing) {
  const auto r = score(v1(), board());
  EXPECT_EQ(r.overall, 100);
  EXPECT_EQ(r.coverage, 1);
  EXPECT_EQ(r.profile, "v1");
  EXPECT_THAT(rules(board()), IsEmpty());
}

// docs/health.md, "By hand".
TEST(ProfileV1, TheWorstDimensionCountsHalf) {
  auto in = board();
  in.metrics[kSbe] = readings([](double at) { return std::floor(std::max(0.0, at - kT + 11 * kHour) / 1800); });
  in.events->push_back({kT - 10 * kDay, "xid", 79});
  const auto r = score(v1(), in);
  EXPECT_THAT(rules(in), ElementsAre("memory.ce_hours", "reliability.incidents"));
  EXPECT_DOUBLE_EQ(*dimension(r, "memory").score, 70);
  EXPECT_DOUBLE_EQ(*dimension(r, "reliability").score, 60);
  EXPECT_EQ(dimension(r, "reliability").weight_percent, 60);
  EXPECT_EQ(dimension(r, "memory").weight_percent, 15);
  EXPECT_DOUBLE_EQ(*r.overall, 0.15 * 70 + 0.10 * 100 + 0.10 * 100 + 0.05 * 100 + 0.60 * 60);
  EXPECT_EQ(r.class_name, "fair");
}

TEST(ProfileV1, WeightsAddUpAndSoDoLosses) {
  auto in = board();
  in.metrics[kDev + "PCIE_LINK_WIDTH"] = steady(8);
  in.metrics[kDev + "UNCORRECTABLE_REMAPPED_ROWS"] = risen(2, kT - kDay);
  in.metrics[kDev + "POWER_USAGE"] = Series{};
  const auto r = score(v1(), in);
  double weights = 0, lost = 0;
  for (const auto& d : r.dimensions) weights += d.score ? d.weight_percent : 0;
  for (const auto& d : r.dimensions)
    for (const auto& f : d.findings) lost += d.score ? d.weight_percent / weights * f.lost : 0;
  EXPECT_NEAR(lost, 100 - *r.overall, 1e-12);
}

// A site's own word on a code is what its scores go by, and the report says whose word that was.
TEST(ProfileV1, ASitesOwnRowsCount) {
  const auto& ours = faults::FaultCatalogue::built_in();
  const auto site = ours.with_site(
      "xid,name,class,likely_origin,severity,first_action,repeats,within,then,counts_for,architectures,drivers,source,sign\n"
      "48,,,,warning,,,,,,,,,\n"
      "4711,our_board_controller,other,hardware,error,drain_and_test,,,,30d,,,,\n"
      "94,renamed,other,driver,info,none,,,,1d,,600-,,\n",
      "site.csv");
  ASSERT_TRUE(site) << site.error().what;
  struct Case {
    int code;
    double by_ours, by_site;
    bool critical_by_ours;
  };
  for (const auto& c : {Case{48, 60, 10, true}, Case{4711, 0, 30, false}, Case{63, 10, 10, false}}) {
    auto in = board();
    in.events = {{kT - 1, "xid", c.code}};
    const auto lost = [&] { return 100 - *dimension(score(v1(), in), "reliability").score; };
    EXPECT_NEAR(lost(), c.by_ours, 1e-3) << c.code;
    EXPECT_EQ(score(v1(), in).codes, ours.version());
    EXPECT_EQ(!score(v1(), in).critical.empty(), c.critical_by_ours) << c.code;
    in.codes = &*site;
    EXPECT_NEAR(lost(), c.by_site, 1e-3) << c.code;
    EXPECT_EQ(score(v1(), in).codes, ours.version() + "+site");
    EXPECT_THAT(score(v1(), in).critical, IsEmpty()) << c.code;
  }
  auto in = board();
  in.codes = &*site;
  in.events = {{kT - 1, "xid", 94}};
  in.driver = 570;
  EXPECT_NEAR(*dimension(score(v1(), in), "reliability").score, 70, 1e-3) << "a row for drivers from 600 on is not this board's";
}

// Temperature follows power by 0.06 °C per watt, and by `now` in the last seven days.
Input drifting(double now, double room) {
  auto in = board();
  in.metrics[kDev + "GPU_TEMP"] = readings([=](double at) {
    const bool late = at >= std::floor(kT / kHour) * kHour - 7 * kDay;
    return 25 + (late ? room : 0) + (late ? now : 0.06) * (works(at) ? 650 : 100);
  });
  return in;
}

TEST(ProfileV1, DegreesPerWattAgainstTheOwnPast) {
  const auto drift = findings(drifting(0.075, 0));
  ASSERT_EQ(drift.size(), 1u);
  EXPECT_EQ(drift[0].rule, "thermal.resistance");
  EXPECT_NEAR(drift[0].value, 0.075, 1e-9);
  EXPECT_NEAR(drift[0].reference, 0.06, 1e-9);
  EXPECT_NEAR(drift[0].lost, 200 * (1.25 - 1.1), 1e-6);
  EXPECT_THAT(rules(drifting(0.065, 0)), IsEmpty()) << "within a tenth";
  EXPECT_THAT(rules(drifting(0.06, 12)), IsEmpty()) << "a hot room is no fault of the board";
}

TEST(ProfileV1, ABusyBoardIsNotPunished) {
  auto in = board();
  in.metrics[kActive] = steady(0.98);
  in.metrics[kDev + "POWER_USAGE"] = readings([](double at) { return std::fmod(at, 1200) < 600 ? 690.0 : 620.0; });
  in.metrics[kDev + "GPU_TEMP"] = steady(79);
  EXPECT_THAT(rules(in), IsEmpty()) << "power that steps under steady load is synchronous training";
}

TEST(ProfileV1, CountsAtTheirBorders) {
  struct Case {
    const char* why;
    std::string metric;
    double growth;
    std::vector<std::string> want;
  };
  const double at = kT - kHour;
  const Case cases[] = {
      {"replays as healthy boards have", kDev + "PCIE_REPLAY_COUNTER", 250, {}},
      {"more", kDev + "PCIE_REPLAY_COUNTER", 251, {"performance.replays"}},
      {"CRC errors as healthy boards have", kDev + "NVLINK_ERROR_DL_CRC", 20, {}},
      {"more", kDev + "NVLINK_ERROR_DL_REPLAY", 21, {"performance.link_errors"}},
      {"a row", kDev + "CORRECTABLE_REMAPPED_ROWS", 1, {"memory.rows"}},
      {"an uncorrected error", kDev + "ECC_DBE_VOL_TOTAL", 1, {"memory.uncorrected", "memory.ue_rising"}},
      {"corrected errors", kSbe, 1000, {"memory.ce_hours"}},
      {"a flood of them", kSbe, 1001, {"memory.ce_hours", "memory.ce_flood"}},
  };
  for (const auto& c : cases) {
    auto in = board();
    in.metrics[c.metric] = risen(c.growth, at);
    EXPECT_EQ(rules(in), c.want) << c.why;
  }
}

TEST(ProfileV1, ErrorsOfLinksGoByTheLogarithm) {
  auto in = board();
  in.metrics[kDev + "NVLINK_ERROR_DL_CRC"] = risen(2000, kT - kHour);
  const auto f = findings(in);
  ASSERT_EQ(f.size(), 1u);
  EXPECT_DOUBLE_EQ(f[0].lost, 60);
  in.metrics[kDev + "NVLINK_ERROR_DL_CRC"] = risen(200, kT - kHour);
  EXPECT_DOUBLE_EQ(findings(in)[0].lost, 30);
  in.links_expected = 0;
  EXPECT_THAT(rules(in), IsEmpty()) << "a part without NVLink has no such input";
}

TEST(ProfileV1, AnIncidentFades) {
  struct Case {
    const char* why;
    std::vector<Event> events;
    double lost, count;
  };
  const double day = kT - kDay;
  const Case cases[] = {
      {"a loss, half a month ago", {{kT - 15 * kDay, "gpu_missing"}}, 30, 1},
      {"what follows within the hour belongs to it", {{day, "xid", 79}, {day + 60, "gpu_missing"}, {day + 3600, "gpu_reset"}}, 58, 1},
      {"... and the gravest tells the cost", {{day, "xid", 63}, {day + 60, "xid", 48}}, 58, 1},
      {"a second one", {{kT - 15 * kDay, "gpu_reset"}, {kT - 27 * kDay, "xid", 119}}, 36, 2},
      {"an error of hardware", {{kT - 15 * kDay, "xid", 94}}, 15, 1},
      {"a warning of hardware", {{kT - 15 * kDay, "xid", 63}}, 5, 1},
  };
  for (const auto& c : cases) {
    auto in = board();
    in.events = c.events;
    const auto f = findings(in);
    ASSERT_EQ(f.size(), 1u) << c.why;
    EXPECT_EQ(f[0].rule, "reliability.incidents") << c.why;
    EXPECT_DOUBLE_EQ(f[0].lost, c.lost) << c.why;
    EXPECT_EQ(f[0].value, c.count) << c.why;
  }
  auto in = board();
  in.events = {{day, "xid", 31}, {day, "xid", 13}, {day, "xid", 9999}, {kT - 31 * kDay, "xid", 79}};
  EXPECT_THAT(rules(in), IsEmpty()) << "applications' faults, unknown codes, and what is long ago";
  in.events = {{day, "gpu_reset"}};
  in.maintenance = {{day - 60, day + 60}};
  EXPECT_THAT(rules(in), IsEmpty()) << "a reset that somebody wanted";
}

TEST(ProfileV1, WhatIsCriticalInBaselineIsCriticalHere) {
  for (const int code : {79, 48, 64, 95, 140}) {
    auto in = board();
    in.events = {{kT - kHour, "xid", code}};
    EXPECT_EQ(score(v1(), in).critical.empty(), score(baseline(), in).critical.empty()) << code;
    EXPECT_THAT(score(v1(), in).critical, ElementsAre("reliability.incidents")) << code;
  }
}

TEST(ProfileV1, LostReadingsAreNoOutage) {
  auto in = board();
  for (auto& [name, series] : in.metrics)
    if (series) std::erase_if(*series, [](const Reading& r) { return std::fmod(r.at / kStep, 33) == 0; });
  EXPECT_THAT(rules(in), IsEmpty()) << "three in a hundred";
  for (auto& [name, series] : in.metrics)
    if (series) std::erase_if(*series, [](const Reading& r) { return r.at > kT - 10 * kDay && std::fmod(r.at / kStep, 3) == 0; });
  EXPECT_THAT(rules(in), ElementsAre("reliability.uptime"));
}

TEST(Hours, AreCountedOnce) {
  const Series counter = {{kT - 7200, 0}, {kT - 7100, 1}, {kT - 7000, 2}, {kT - 100, 3}, {kT, 3}};
  const auto hours = hours_of_growth(counter, kT - kDay, kT);
  EXPECT_EQ(hours.count, 2);
  EXPECT_EQ(hours.last_at, kT - 100);
}

TEST(Profiles, AreFoundByName) {
  EXPECT_EQ(find_profile("baseline"), &baseline());
  EXPECT_EQ(find_profile("v1"), &v1());
  EXPECT_EQ(find_profile("v2"), nullptr);
  EXPECT_THAT(profile_names(), ElementsAre("baseline", "v1"));
}

// Series of scores are told apart by the dimension's number.
TEST(Profiles, HaveTheSameDimensionsInTheSameOrder) {
  const auto a = dimensions(baseline()), b = dimensions(v1());
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].name, b[i].name);
}

}  // namespace
}  // namespace ghm::health
