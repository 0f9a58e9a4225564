#include "apps/agent/snapshot_limits.h"

#include <gtest/gtest.h>

namespace ghm::agent {
namespace {

using namespace std::chrono_literals;
using Verdict = SnapshotLimits::Verdict;

TEST(SnapshotLimits, OneAnHourOfABoardAndFamily) {
  SnapshotLimits limits;
  EXPECT_EQ(limits.ask("GPU-1", "memory", 10s), Verdict::take);
  EXPECT_EQ(limits.ask("GPU-1", "memory", 11s), Verdict::known);
  EXPECT_EQ(limits.ask("GPU-1", "nvlink", 11s), Verdict::take) << "another fault";
  EXPECT_EQ(limits.ask("GPU-2", "memory", 11s), Verdict::take) << "another board";
  EXPECT_EQ(limits.ask("GPU-1", "memory", 1h + 9s), Verdict::known);
  EXPECT_EQ(limits.ask("GPU-1", "memory", 1h + 10s), Verdict::take);
}

TEST(SnapshotLimits, EightAnHourOfAHost) {
  SnapshotLimits limits;
  int taken = 0;
  for (int gpu = 0; gpu < 64; ++gpu) taken += limits.ask("GPU-" + std::to_string(gpu), "pcie_bus", 10s) == Verdict::take;
  EXPECT_EQ(taken, 8);
  EXPECT_EQ(limits.ask("GPU-99", "pcie_bus", 20s), Verdict::too_many);
  EXPECT_EQ(limits.ask("GPU-1", "pcie_bus", 20s), Verdict::known) << "it has one";
  EXPECT_EQ(limits.ask("GPU-99", "pcie_bus", 1h + 10s), Verdict::take);
}

TEST(SnapshotLimits, ARestartKnowsWhatWasTakenInThisBoot) {
  SnapshotLimits limits;
  limits.ask("GPU-1", "memory", 10s);
  limits.ask("a host\nof odd name", "nvlink", 20s);
  const auto text = limits.to_text("boot-1");
  auto again = SnapshotLimits::from_text(text, "boot-1");
  EXPECT_EQ(again.to_text("boot-1"), text);
  EXPECT_EQ(again.ask("GPU-1", "memory", 30s), Verdict::known);
  EXPECT_EQ(SnapshotLimits::from_text(text, "boot-2").ask("GPU-1", "memory", 30s), Verdict::take) << "a reboot is another life";
  for (const auto* odd : {"", "x", "ghm-snapshots 1 boot-1\n\n\nx y z\n-3 a b\n7\n7 a\n99999999999999999999999 a b"})
    EXPECT_EQ(SnapshotLimits::from_text(odd, "boot-1").ask("GPU-1", "memory", 30s), Verdict::take) << odd;
}

}  // namespace
}  // namespace ghm::agent
