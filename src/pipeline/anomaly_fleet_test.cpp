// The promises of docs/anomalies.md on a small scale; bench/anomaly.cpp measures them on a large one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/watched_host_for_test.h"

namespace ghm::pipeline {
namespace {

using simulation::Fleet;
using test::WatchedHost;

const Timestamp kBirth = from_unix_ms(1'770'000'000'000);

WatchedHost host_of(std::uint64_t seed) {
  return {std::move(*Fleet::create({8, seed, "healthy", kBirth})), 0};
}

struct Healthy : ::testing::Test {
  std::vector<std::string> said;
  void live(std::uint64_t seed, int days, bool gaps) {
    auto host = host_of(seed);
    for (int minute = 0; minute < days * 1440; ++minute) {
      const auto now = kBirth + std::chrono::minutes(minute);
      for (const auto& change : host.live(now, !gaps || !test::is_gap(seed, 0, now)))
        if (change.opened) said.push_back(std::to_string(seed) + ": " + change.anomaly.sentence);
    }
    if (gaps) {
      EXPECT_GT(host.watch().counts().gaps, 0u);
    }
  }
};

// 320 GPU-days: one alarm is allowed where 0.3 are promised at most.
TEST_F(Healthy, FleetsAreSilent) {
  for (std::uint64_t seed = 40; seed < 44; ++seed) live(seed, 10, false);
  EXPECT_LE(said.size(), 1u) << ::testing::PrintToString(said);
}

TEST_F(Healthy, FleetsWithGapsAreSilent) {
  for (std::uint64_t seed = 50; seed < 52; ++seed) live(seed, 10, true);
  EXPECT_LE(said.size(), 1u) << ::testing::PrintToString(said);
}

// Each fault on one board that has lived for 30 hours: seen in time, or rightly none of the detectors' business.
TEST(Faults, AreSeenInTime) {
  struct Case {
    const char* fault;
    int minutes;  // 0: never
    const char* by;
  };
  const Case cases[] = {
      {"hbm_ue", 10, "event_burst"},
      {"ce_storm", 10, "event_burst"},
      {"row_remap_pending", 10, "event_burst"},
      {"row_remap_fail", 20, "step_change"},
      {"gsp_hang", 30, "stuck_sensor"},
      {"nvlink_down", 20, "step_change"},
      {"nvlink_crc", 10, "event_burst"},
      {"thermal_tim", 20, "event_burst"},
      {"fan_fail", 60, "robust_z"},
      {"power_brake", 10, "event_burst"},
      {"pcie_width", 20, "step_change"},
      {"sensor_stuck", 300, "stuck_sensor"},
      {"app_xid31", 0, ""},  // a program's fault
      {"off_bus", 0, ""},
      {"gpu_vanish", 0, ""},
      {"page_500", 0, ""},
      {"page_hang", 0, ""},  // silence: the ledger tells
  };
  ASSERT_EQ(std::size(cases), Fleet::faults().size());
  auto warm = host_of(1);
  constexpr int kWarm = 30 * 60;
  for (int minute = 0; minute <= kWarm; ++minute) EXPECT_THAT(warm.live(kBirth + std::chrono::minutes(minute)), ::testing::IsEmpty());
  for (const auto& c : cases) {
    auto host = warm;
    ASSERT_TRUE(host.fleet().inject("2", c.fault, kBirth));
    int first = 0;
    for (int minute = 1; minute <= std::max(c.minutes, 120); ++minute)
      for (const auto& change : host.live(kBirth + std::chrono::minutes(kWarm + minute)))
        if (change.opened && first == 0 && (c.minutes == 0 || anomaly::to_string(change.anomaly.detector) == c.by)) first = minute;
    EXPECT_EQ(first > 0, c.minutes > 0) << c.fault;
    EXPECT_LE(first, c.minutes) << c.fault;
    if (first > 0) {
      EXPECT_GE(first, 5) << c.fault << ": not before five minutes";
    }
  }
}

}  // namespace
}  // namespace ghm::pipeline
