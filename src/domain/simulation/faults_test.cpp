#include <gmock/gmock.h>

#include "domain/simulation/page_for_test.h"

namespace ghm::simulation {
namespace {

using test::kBirth;
using test::Seen;
using test::seen;

constexpr int kGpu = 3;
constexpr std::chrono::seconds kInjected = 300s;

/// One host on which one fault strikes GPU 3 after five minutes; looked at every 10 s.
struct Drama {
  explicit Drama(std::string_view fault, std::uint64_t seed = 7) : fleet(test::fleet_of(8, "healthy", seed)) {
    before = seen(fleet, 0, kGpu, kBirth + kInjected);
    neighbour_before = seen(fleet, 0, 0, kBirth + kInjected);
    const auto said = fleet.inject(std::to_string(kGpu), fault, kBirth + kInjected);
    EXPECT_TRUE(said) << said.error().what;
    for (auto t = 10s; t <= 600s; t += 10s) after.push_back(seen(fleet, 0, kGpu, kBirth + kInjected + t));
  }
  const Seen& at(int seconds) const { return after[static_cast<std::size_t>(seconds / 10 - 1)]; }
  double rise(const std::string& name, int seconds) const { return at(seconds)[name] - before[name]; }
  /// How many separate episodes of `bits` a scraper at 10 s sees within `seconds`: a new one needs a gap of 60 s.
  int episodes(int bits, int seconds) const {
    int n = 0, last = -1000;
    for (int s = 10; s <= seconds; s += 10)
      if (static_cast<int>(at(s)["DEV_CLOCK_THROTTLE_REASONS"]) & bits) {
        if (s - last >= 60) ++n;
        last = s;
      }
    return n;
  }
  Fleet fleet;
  Seen before, neighbour_before;
  std::vector<Seen> after;
};

TEST(Injected, HbmUncorrectable) {
  const Drama d("hbm_ue");
  EXPECT_EQ(d.rise("DEV_ECC_DBE_VOL_TOTAL", 10), 1);
  EXPECT_EQ(d.rise("DEV_ECC_DBE_AGG_TOTAL", 10), 1);
  EXPECT_EQ(d.rise("DEV_UNCORRECTABLE_REMAPPED_ROWS", 10), 1);
  EXPECT_EQ(d.at(10)["DEV_ROW_REMAP_PENDING"], 1);
  EXPECT_EQ(d.at(10)["DEV_XID_ERRORS"], 94);
  EXPECT_THAT(d.at(10).xid_codes, testing::UnorderedElementsAre(48, 63, 94));
  EXPECT_EQ(d.at(10)["DEV_GET_GPU_RECOVERY_ACTION"], 1);
  EXPECT_THAT(d.at(600).xid_codes, testing::IsEmpty()) << "the window is five minutes";
  EXPECT_EQ(d.at(600)["DEV_XID_ERRORS"], 94) << "the gauge keeps the last code";
}

TEST(Injected, CorrectedErrorStorm) {
  const Drama d("ce_storm");
  EXPECT_GT(d.rise("DEV_ECC_SBE_VOL_TOTAL", 30), 300);
  EXPECT_EQ(d.rise("DEV_ECC_DBE_VOL_TOTAL", 600), 0);
  EXPECT_EQ(d.at(10)["DEV_XID_ERRORS"], 92);
}

TEST(Injected, RowRemapPending) {
  const Drama d("row_remap_pending");
  EXPECT_EQ(d.at(10)["DEV_ROW_REMAP_PENDING"], 1);
  EXPECT_EQ(d.at(10)["DEV_ROW_REMAP_FAILURE"], 0);
  EXPECT_EQ(d.rise("DEV_CORRECTABLE_REMAPPED_ROWS", 10), 1);
  EXPECT_EQ(d.rise("DEV_BANKS_REMAP_ROWS_AVAIL_MAX", 10), -1);
  EXPECT_EQ(d.at(10)["DEV_XID_ERRORS"], 63);
}

TEST(Injected, RowRemapFailure) {
  const Drama d("row_remap_fail");
  EXPECT_EQ(d.at(10)["DEV_ROW_REMAP_FAILURE"], 1);
  EXPECT_EQ(d.at(10)["DEV_BANKS_REMAP_ROWS_AVAIL_NONE"], 1);
  EXPECT_EQ(d.at(10)["DEV_XID_ERRORS"], 64);
}

TEST(Injected, OffTheBusStandsStillAndVanishes) {
  const Drama d("off_bus");
  EXPECT_EQ(d.at(10)["DEV_XID_ERRORS"], 79);
  EXPECT_EQ(d.at(10)["DEV_POWER_USAGE"], d.at(20)["DEV_POWER_USAGE"]);
  EXPECT_FALSE(d.at(20).empty());
  EXPECT_TRUE(d.at(40).empty());
}

TEST(Injected, GspHangFreezesTheBoard) {
  const Drama d("gsp_hang");
  EXPECT_EQ(d.at(10)["DEV_XID_ERRORS"], 119);
  EXPECT_EQ(d.at(10)["DEV_TOTAL_ENERGY_CONSUMPTION"], d.at(600)["DEV_TOTAL_ENERGY_CONSUMPTION"]);
  EXPECT_EQ(d.at(10)["PROF_GR_ENGINE_ACTIVE"], -1) << "profiling is taken away";
}

TEST(Injected, NvlinkDown) {
  const Drama d("nvlink_down");
  EXPECT_EQ(d.at(10).links, d.before.links - 1);
  EXPECT_TRUE(d.at(10)["DEV_XID_ERRORS"] == 74 || d.at(10)["DEV_XID_ERRORS"] == 149);
}

TEST(Injected, NvlinkCrcErrorsAreOnOneLink) {
  const Drama d("nvlink_crc");
  EXPECT_EQ(d.at(60).links, d.before.links);
  int noisy = 0;
  for (const auto& [name, value] : d.at(60).values)
    noisy += name.starts_with("DCGM_FI_DEV_NVLINK_REPLAY_ERROR_PER_LINK_TOTAL@") && value > 60;
  EXPECT_EQ(noisy, 1);
}

TEST(Injected, ThermalPasteShowsAsThrottlingWithinHalfAMinuteForEveryModel) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Drama d("thermal_tim", seed);
    EXPECT_GE(d.episodes(0x60, 40), 1) << seed;
    EXPECT_GE(d.episodes(0x60, 600), 4) << seed << ": it comes back again and again";
    double hottest = 0;
    for (const auto& s : d.after) hottest = std::max(hottest, s["DEV_GPU_TEMP"]);
    EXPECT_GE(hottest, 85) << seed;
    EXPECT_LE(hottest, 92) << seed;
    EXPECT_GT(d.rise("DEV_THERMAL_VIOLATION", 600), 1e9) << seed;
  }
}

TEST(Injected, AFanHeatsTheWholeHost) {
  auto fleet = test::fleet_of(8);
  fleet.advance(0, kBirth);
  ASSERT_TRUE(fleet.inject("3", "fan_fail", kBirth));
  std::map<int, double> hottest;
  for (auto t = 10s; t <= 180s; t += 10s)
    for (const auto& [gpu, s] : test::all_seen(fleet, 0, kBirth + t)) hottest[gpu] = std::max(hottest[gpu], s["DEV_GPU_TEMP"]);
  for (const auto& [gpu, temperature] : hottest) EXPECT_GT(temperature, 78) << gpu;
}

TEST(Injected, PowerBrakeHoldsClocksOfTheWholeHost) {
  Drama d("power_brake");
  EXPECT_GE(d.episodes(0x80, 600), 3);
  EXPECT_EQ(d.episodes(0x60, 600), 0) << "not heat";
  EXPECT_GT(seen(d.fleet, 0, 0, kBirth + kInjected + 610s)["DEV_BOARD_LIMIT_VIOLATION"], d.neighbour_before["DEV_BOARD_LIMIT_VIOLATION"]);
}

TEST(Injected, PcieWidth) {
  const Drama d("pcie_width");
  EXPECT_EQ(d.before["DEV_PCIE_LINK_WIDTH"], 16);
  EXPECT_EQ(d.at(10)["DEV_PCIE_LINK_WIDTH"], 8);
  EXPECT_EQ(d.at(10)["DEV_PCIE_MAX_LINK_WIDTH"], 16);
  EXPECT_GT(d.rise("DEV_PCIE_REPLAY_COUNTER", 120), 20);
}

TEST(Injected, AnApplicationsXidIsNotHardware) {
  const Drama d("app_xid31");
  EXPECT_EQ(d.at(10)["DEV_XID_ERRORS"], 31);
  EXPECT_EQ(d.at(10)["DEV_GPU_UTIL"], 0) << "its job restarts";
  EXPECT_EQ(d.rise("DEV_ECC_DBE_VOL_TOTAL", 600), 0);
}

TEST(Injected, AStuckSensorDoesNotMove) {
  const Drama d("sensor_stuck");
  std::set<double> temps, memory;
  for (const auto& s : d.after) {
    temps.insert(s["DEV_GPU_TEMP"]);
    memory.insert(s["DEV_POWER_USAGE"]);
  }
  EXPECT_EQ(temps.size(), 1u);
  EXPECT_GT(memory.size(), 30u) << "the rest goes on";
}

TEST(Injected, Vanishing) {
  Drama d("gpu_vanish");
  EXPECT_TRUE(d.at(10).empty());
  EXPECT_FALSE(seen(d.fleet, 0, 0, kBirth + kInjected + 610s).empty());
}

TEST(Injected, ExporterFaults) {
  for (const auto& [word, want] : {std::pair{"page_500", PageFault::http_500}, {"page_hang", PageFault::hang}}) {
    auto fleet = test::fleet_of(16);
    fleet.advance(1, kBirth);
    ASSERT_TRUE(fleet.inject("9", word, kBirth));
    EXPECT_EQ(fleet.page_fault(1), PageFault::none) << "not before the next advance";
    fleet.advance(1, kBirth + 1s);
    EXPECT_EQ(fleet.page_fault(1), want);
    EXPECT_EQ(fleet.page_fault(0), PageFault::none);
  }
}

TEST(Inject, FindsABoardByAnyOfItsNames) {
  auto fleet = test::fleet_of(16);
  std::string uuid, serial;
  for (const auto& line : test::lines_of(test::page_at(fleet, 1, kBirth)))
    if (line.name == "DCGM_FI_DEV_GPU_TEMP" && test::label(line, "gpu") == "2") {
      uuid = test::label(line, "UUID");
      serial = test::label(line, "DCGM_FI_DEV_SERIAL");
    }
  for (const auto& name : {std::string("10"), uuid, serial, fleet.place(1).host + "/2"}) {
    const auto said = fleet.inject(name, "app_xid31", kBirth);
    ASSERT_TRUE(said) << name;
    EXPECT_THAT(*said, testing::StartsWith("GPU " + serial + " (" + fleet.place(1).host + "/2)"));
  }
  EXPECT_EQ(fleet.inject("4711", "app_xid31", kBirth).error().code, Errc::not_found);
  const auto unknown = fleet.inject("10", "meteor", kBirth);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::invalid_input);
  EXPECT_THAT(unknown.error().what, testing::HasSubstr("gpu_vanish"));
}

TEST(Inject, WordsAreTheContracts) {
  EXPECT_THAT(Fleet::faults(), testing::ElementsAre("hbm_ue", "ce_storm", "row_remap_pending", "row_remap_fail", "off_bus", "gsp_hang",
                                                    "nvlink_down", "nvlink_crc", "thermal_tim", "fan_fail", "power_brake", "pcie_width",
                                                    "app_xid31", "sensor_stuck", "page_500", "page_hang", "gpu_vanish"));
}

}  // namespace
}  // namespace ghm::simulation
