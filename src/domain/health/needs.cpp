#include "domain/health/health.h"

namespace ghm::health {
namespace {

constexpr std::chrono::hours kDay{24};

// Counters are read one day further back than their window: its first step begins at the last reading before it.
constexpr Need kNeeds[] = {
    {"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", kDay},
    {"DCGM_FI_DEV_GPU_TEMP", 30 * kDay},
    {"DCGM_FI_PROF_GR_ENGINE_ACTIVE", 30 * kDay},
    {"DCGM_FI_DEV_GPU_UTIL", 30 * kDay, "DCGM_FI_PROF_GR_ENGINE_ACTIVE"},
    {"DCGM_FI_DEV_FAN_SPEED", std::chrono::hours{1}},
    {"DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", 8 * kDay},
    {"DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", 8 * kDay, "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL"},
    {"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", 31 * kDay},
    {"DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", 31 * kDay, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"},
    {"DCGM_FI_DEV_ROW_REMAP_PENDING", kDay},
    {"DCGM_FI_DEV_ROW_REMAP_FAILURE", kDay},
    {"DCGM_FI_DEV_BANKS_REMAP_ROWS_AVAIL_NONE", kDay},
};

}  // namespace

std::span<const Need> needs() {
  return kNeeds;
}

}  // namespace ghm::health
