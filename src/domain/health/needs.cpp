#include "domain/health/rules.h"

namespace ghm::health {
namespace {

// A window and a little more, so that a counter's first step and a pair's first reading are there.
constexpr std::chrono::hours kHour{1}, kDay{25}, kWeek{8 * 24}, kMonth{31 * 24 + 1};

constexpr Need kNeeds[] = {
    {"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", kDay},
    {"DCGM_FI_DEV_GPU_TEMP", kMonth},
    {"DCGM_FI_PROF_GR_ENGINE_ACTIVE", kMonth},
    {"DCGM_FI_DEV_GPU_UTIL", kMonth, "DCGM_FI_PROF_GR_ENGINE_ACTIVE"},
    {"DCGM_FI_DEV_FAN_SPEED", kHour},
    {"DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", kWeek},
    {"DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", kWeek, "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL"},
    {"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", kMonth},
    {"DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", kMonth, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"},
    {"DCGM_FI_DEV_ROW_REMAP_PENDING", kDay},
    {"DCGM_FI_DEV_ROW_REMAP_FAILURE", kDay},
    {"DCGM_FI_DEV_BANKS_REMAP_ROWS_AVAIL_NONE", kDay},
    {"DCGM_FI_DEV_POWER_USAGE", kDay},
    {"DCGM_FI_DEV_SM_CLOCK", kMonth},
    {"DCGM_FI_DEV_MAX_SM_CLOCK", kDay},
    {"DCGM_FI_DEV_POWER_MGMT_LIMIT_DEF", kDay},
    {"DCGM_FI_DEV_ENFORCED_POWER_LIMIT", kDay},
    {"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", kMonth},
    {"DCGM_FI_DEV_PCIE_LINK_WIDTH", kDay},
    {"DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH", kDay},
    {"DCGM_FI_DEV_PCIE_LINK_GEN", kDay},
    {"DCGM_FI_DEV_PCIE_MAX_LINK_GEN", kDay},
    {"DCGM_FI_DEV_NVLINK_GET_STATE", kDay, {}, true},
};

}  // namespace

std::span<const Need> needs_of_baseline() {
  return kNeeds;
}

}  // namespace ghm::health
