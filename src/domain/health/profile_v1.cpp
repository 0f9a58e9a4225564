// The profile `v1` put together.
#include "domain/health/v1_rules.h"

namespace ghm::health {
namespace {

constexpr int kWorstPercent = 50;

std::span<const Scorer> scorers() {
  static const Scorer kScorers[] = {
      {"memory",
       30,
       {Of::sbe, Of::dbe, Of::remapped_corrected, Of::remapped_uncorrected, Of::remap_pending, Of::remap_failure, Of::banks,
        Of::bandwidth_record},
       v1_memory_rules()},
      {"thermal", 20, {Of::reasons, Of::temperature, Of::power, Of::fan}, v1_thermal_rules()},
      {"performance",
       20,
       {Of::activity, Of::sm_clock, Of::max_sm_clock, Of::reasons, Of::pcie_width, Of::pcie_max_width, Of::pcie_gen, Of::pcie_max_gen,
        Of::pcie_replays, Of::nvlinks, Of::nvlink_crc, Of::nvlink_replays},
       v1_performance_rules()},
      {"power", 10, {Of::reasons, Of::activity, Of::energy}, v1_power_rules()},
      {"reliability", 20, {Of::reporting, Of::events, Of::jobs}, v1_reliability_rules()},
  };
  return kScorers;
}

// What `baseline` needs, with longer looks at two metrics and six more.
std::span<const Need> needs_of_v1() {
  static const std::vector<Need> kNeeds = [] {
    constexpr std::chrono::hours kDay{25}, kWeek{8 * 24}, kMonth{31 * 24 + 1};
    const auto given = needs_of_baseline();
    std::vector<Need> out(given.begin(), given.end());
    for (auto& need : out) {
      if (need.metric == "DCGM_FI_DEV_POWER_USAGE") need.window = kMonth;
      if (need.metric == "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS") need.window = kWeek;
    }
    out.push_back({"DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", kMonth});
    out.push_back({"DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", kMonth});
    out.push_back({"DCGM_FI_DEV_PCIE_REPLAY_COUNTER", kDay});
    out.push_back({"DCGM_FI_DEV_NVLINK_ERROR_DL_CRC", kDay});
    out.push_back({"DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", kDay, "DCGM_FI_DEV_NVLINK_ERROR_DL_CRC"});
    out.push_back({"DCGM_FI_DEV_NVLINK_ERROR_DL_REPLAY", kDay});
    out.push_back({"DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", kDay, "DCGM_FI_DEV_NVLINK_ERROR_DL_REPLAY"});
    return out;
  }();
  return kNeeds;
}

}  // namespace

const Profile& v1() {
  static const Profile kV1{"v1", scorers(), kWorstPercent, needs_of_v1()};
  return kV1;
}

}  // namespace ghm::health
