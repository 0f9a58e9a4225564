#include "domain/views/rule_facts.h"

#include <algorithm>

namespace ghm::views {
namespace {

constexpr RuleFacts kFacts[] = {
    {"thermal.throttle", "times", "24h", "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"},
    {"thermal.mean", "celsius", "24h", "DCGM_FI_DEV_GPU_TEMP"},
    {"thermal.trend", "celsius", "30d", "DCGM_FI_DEV_GPU_TEMP"},
    {"thermal.swing", "celsius", "24h", "DCGM_FI_DEV_GPU_TEMP"},
    {"thermal.fan", "percent", "1h", "DCGM_FI_DEV_FAN_SPEED"},
    {"memory.corrected", "1/d", "7d", "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL"},
    {"memory.bandwidth", "ratio", "30d", ""},
    {"memory.remap_pending", "flag", "now", "DCGM_FI_DEV_ROW_REMAP_PENDING"},
    {"memory.ue_7d", "errors", "7d", "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"},
    {"memory.ue_30d", "errors", "30d", "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"},
    {"memory.ce_3d", "1/d", "7d", "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL"},
    {"memory.remap_failed", "flag", "now", "DCGM_FI_DEV_ROW_REMAP_FAILURE"},
    {"memory.ue_rising", "errors", "24h", "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"},
    {"power.spike", "times", "24h", "DCGM_FI_DEV_POWER_USAGE"},
    {"power.limit", "times", "24h", "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"},
    {"power.efficiency", "J/s", "24h", "DCGM_FI_DEV_POWER_USAGE"},
    {"performance.throughput", "MHz", "24h", "DCGM_FI_DEV_SM_CLOCK"},
    {"performance.clock", "ratio", "24h", "DCGM_FI_DEV_SM_CLOCK"},
    {"performance.pcie", "ratio", "24h", "DCGM_FI_DEV_PCIE_LINK_WIDTH"},
    {"performance.nvlink", "links", "now", "DCGM_FI_DEV_NVLINK_GET_STATE"},
    {"reliability.uptime", "percent", "30d", ""},
    {"reliability.jobs", "percent", "30d", ""},
    {"reliability.reset", "times", "30d", "DCGM_FI_DEV_XID_ERRORS"},
    {"reliability.xid", "times", "30d", "DCGM_FI_DEV_XID_ERRORS"},
    {"thermal.resistance", "celsius/W", "7d", "DCGM_FI_DEV_GPU_TEMP"},
    {"memory.ce_hours", "h", "7d", "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL"},
    {"memory.ce_flood", "errors", "24h", "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL"},
    {"memory.rows", "rows", "30d", "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS"},
    {"memory.uncorrected", "errors", "30d", "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"},
    {"power.brake", "h", "7d", "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"},
    {"performance.replays", "replays", "24h", "DCGM_FI_DEV_PCIE_REPLAY_COUNTER"},
    {"performance.link_errors", "errors", "24h", "DCGM_FI_DEV_NVLINK_ERROR_DL_CRC"},
    {"reliability.incidents", "incidents", "30d", "DCGM_FI_DEV_XID_ERRORS"},
};

}  // namespace

RuleFacts facts_of(std::string_view rule) {
  const auto found = std::ranges::find(kFacts, rule, &RuleFacts::rule);
  return found == std::end(kFacts) ? RuleFacts{rule, {}, {}, {}} : *found;
}

std::string_view unit_of(const health::Finding& f) {
  if (f.rule == "performance.pcie" && f.reference >= 1) return "lanes";  // a share of the time has the reference 0.95
  return facts_of(f.rule).unit;
}

}  // namespace ghm::views
