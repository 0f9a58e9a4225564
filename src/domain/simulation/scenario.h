#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace ghm::simulation {

/// What can go wrong with a board or its exporter: causes first. The first 17 are the words that can be injected.
enum class Fault : std::uint8_t {
  hbm_ue,
  ce_storm,
  row_remap_pending,
  row_remap_fail,
  off_bus,
  gsp_hang,
  nvlink_down,
  nvlink_crc,
  thermal_tim,
  fan_fail,
  power_brake,
  pcie_width,
  app_xid31,
  sensor_stuck,
  page_500,
  page_hang,
  gpu_vanish,
  sram_ue,
  pcie_replays,
  warm_drift,
  driver_hang,
  silent_stop  // only by nature
};
inline constexpr std::size_t kInjectable = static_cast<std::size_t>(Fault::gpu_vanish) + 1;

/// One way to fail: how often, and whether and how long before a sign shows. Numbers: failure statistics, section 7.
struct Mode {
  std::string_view name;
  std::array<double, 4> rate{};           // failures per 1000 GPU-days of A100, H100, H200, B200
  double precursor = 0;                   // share of failures that show a sign first
  double lead_hours = 0, lead_sigma = 0;  // lognormal: median and sigma of sign to failure
  double permanent = 0;                   // share that needs a swap
  Fault failure{};
  Fault sign{};               // what the precursor looks like
  bool sites_differ = false;  // the rate varies from site to site
};

struct Scenario {
  std::string name;
  std::vector<Mode> modes;
  bool lemons = true;  // some boards and hosts fail far more often
  double inlet_offset_c = 0;
  double app_faults_per_gpu_day = 0.020;  // Xid 31 of users' programs: noise, not failures
  bool blemishes = true;                  // a few boards have mild issues from birth
  bool other_site = false;                // other names of regions and data centres
};

/// invalid_input names the scenarios that exist.
Result<Scenario> scenario_named(std::string_view name, std::uint64_t seed);
const std::vector<std::string_view>& scenario_names();

}  // namespace ghm::simulation
