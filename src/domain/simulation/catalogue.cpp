#include "domain/simulation/catalogue.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "domain/simulation/links.h"

namespace ghm::simulation {
namespace {

constexpr double kBlank = std::numeric_limits<double>::quiet_NaN();
constexpr double kMib = 1048576;

double or_blank(const std::optional<double>& v) {
  return v.value_or(kBlank);
}
double only_if(bool part_has_it, double v) {
  return part_has_it ? v : kBlank;
}
bool ampere(const Board& b) {
  return b.spec->architecture == "Ampere";
}
bool hopper(const Board& b) {
  return b.spec->architecture == "Hopper";
}

double gpu_c(const Board& b) {
  return std::round(b.ill.sensor_stuck ? b.ill.stuck_at_c : b.thermal.gpu_c);
}
double percent(double share) {
  return std::round(100 * std::clamp(share, 0.0, 1.0));
}
double share(double v) {
  return std::clamp(v, 0.0, 1.0);
}
double fb_usable(const Board& b) {
  return b.part->fb_total_mib - b.part->fb_reserved_mib;
}
double fb_used(const Board& b) {
  return std::round(4 + b.demand.memory * (fb_usable(b) - 8));
}
double bar1_used(const Board& b) {
  return b.demand.memory > 0 ? 8 : 1;
}
double links_mib_s(const Board& b) {
  return std::round(links_up(b.links) * 2 * b.part->link_mib_s * share(b.demand.link));
}
double replays(const Board& b) {
  double n = 0;
  for (const double r : b.links.replays) n += r;
  return n;
}
double sbe(const Board& b) {
  return b.memory.sbe_volatile + b.memory.sram_sbe;
}
double dbe(const Board& b) {
  return b.memory.dbe_volatile + b.memory.sram_dbe;
}

// Thresholds that newer drivers express as a margin are blank there.
constexpr Family kFamilies[] = {
    {63, "DCGM_FI_DEV_CUDA_COMPUTE_CAPABILITY", "gauge", "CUDA compute capability, packed.", false,
     [](const Board& b) { return double(b.part->capability); }},
    {90, "DCGM_FI_DEV_BAR1_TOTAL", "gauge", "BAR1 total (in MiB).", false, [](const Board& b) { return b.part->bar1_mib; }},
    {92, "DCGM_FI_DEV_BAR1_USED", "gauge", "BAR1 used (in MiB).", false, [](const Board& b) { return bar1_used(b); }},
    {100, "DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock frequency (in MHz).", false, [](const Board& b) { return b.thermal.sm_mhz; }},
    {101, "DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock frequency (in MHz).", false, [](const Board& b) { return b.part->mem_mhz; }},
    {112, "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "gauge", "Current clock throttle reasons (bitmask).", false,
     [](const Board& b) { return double(b.thermal.reasons); }},
    {113, "DCGM_FI_DEV_MAX_SM_CLOCK", "gauge", "Maximum SM clock (in MHz).", false, [](const Board& b) { return b.part->sm_max_mhz; }},
    {114, "DCGM_FI_DEV_MAX_MEM_CLOCK", "gauge", "Maximum memory clock (in MHz).", false, [](const Board& b) { return b.part->mem_mhz; }},
    {140, "DCGM_FI_DEV_MEMORY_TEMP", "gauge", "Memory temperature (in C).", false,
     [](const Board& b) { return std::round(b.thermal.memory_c); }},
    {150, "DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (in C).", false, gpu_c},
    {151, "DCGM_FI_DEV_MEM_MAX_OP_TEMP", "gauge", "Memory slowdown temperature (in C).", false,
     [](const Board& b) { return or_blank(b.spec->max_mem_temp_c); }},
    {152, "DCGM_FI_DEV_GPU_MAX_OP_TEMP", "gauge", "GPU slowdown temperature in operation (in C).", false,
     [](const Board& b) { return slowdown_c(*b.spec) - 2; }},
    {153, "DCGM_FI_DEV_GPU_TEMP_LIMIT", "gauge", "Degrees left to the nearest slowdown (in C).", false,
     [](const Board& b) { return slowdown_c(*b.spec) - gpu_c(b); }},
    {155, "DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W).", true, [](const Board& b) { return b.thermal.power_w; }},
    {156, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Total energy consumption since boot (in mJ).", false,
     [](const Board& b) { return std::floor(b.thermal.energy_mj); }},
    {157, "DCGM_FI_DEV_POWER_USAGE_INSTANT", "gauge", "Instantaneous power draw (in W).", true,
     [](const Board& b) { return b.thermal.peak_w; }},
    {158, "DCGM_FI_DEV_SLOWDOWN_TEMP", "gauge", "Slowdown temperature (in C).", false,
     [](const Board& b) { return or_blank(b.spec->slowdown_temp_c); }},
    {159, "DCGM_FI_DEV_SHUTDOWN_TEMP", "gauge", "Shutdown temperature (in C).", false,
     [](const Board& b) { return or_blank(b.spec->shutdown_temp_c); }},
    {160, "DCGM_FI_DEV_POWER_MGMT_LIMIT", "gauge", "Power limit (in W).", true, [](const Board& b) { return b.tdp(); }},
    {162, "DCGM_FI_DEV_POWER_MGMT_LIMIT_MAX", "gauge", "Maximum power limit (in W).", true, [](const Board& b) { return b.tdp(); }},
    {163, "DCGM_FI_DEV_POWER_MGMT_LIMIT_DEF", "gauge", "Default power limit (in W).", true, [](const Board& b) { return b.tdp(); }},
    {164, "DCGM_FI_DEV_ENFORCED_POWER_LIMIT", "gauge", "Enforced power limit (in W).", true, [](const Board& b) { return b.tdp(); }},
    {170, "DCGM_FI_DEV_FABRIC_MANAGER_STATUS", "gauge", "Fabric registration status.", false,
     [](const Board& b) { return only_if(!ampere(b), 3); }},
    {190, "DCGM_FI_DEV_PSTATE", "gauge", "Performance state.", false, [](const Board&) { return 0.0; }},
    {202, "DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "counter", "Total number of PCIe retries.", false,
     [](const Board& b) { return b.links.pcie_replays; }},
    {203, "DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %).", false, [](const Board& b) { return percent(b.demand.engine); }},
    {204, "DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilization (in %).", false,
     [](const Board& b) { return percent(b.demand.dram * 0.9); }},
    {206, "DCGM_FI_DEV_ENC_UTIL", "gauge", "Encoder utilization (in %).", false, [](const Board&) { return 0.0; }},
    {207, "DCGM_FI_DEV_DEC_UTIL", "gauge", "Decoder utilization (in %).", false, [](const Board& b) { return percent(b.demand.decode); }},
    {230, "DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error encountered.", false,
     [](const Board& b) { return double(b.last_xid); }, false, Family::Shape::xid_gauge},
    {235, "DCGM_FI_DEV_PCIE_MAX_LINK_GEN", "gauge", "Maximum PCIe link generation.", false,
     [](const Board& b) { return double(*b.spec->pcie_gen); }},
    {236, "DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH", "gauge", "Maximum PCIe link width.", false, [](const Board&) { return 16.0; }},
    {237, "DCGM_FI_DEV_PCIE_LINK_GEN", "gauge", "Current PCIe link generation.", false,
     [](const Board& b) { return double(*b.spec->pcie_gen); }},
    {238, "DCGM_FI_DEV_PCIE_LINK_WIDTH", "gauge", "Current PCIe link width.", false,
     [](const Board& b) { return double(b.links.pcie_width); }},
    {240, "DCGM_FI_DEV_POWER_VIOLATION", "counter", "Throttling duration due to power constraints (in ns).", false,
     [](const Board& b) { return b.thermal.power_cap_ns; }},
    {241, "DCGM_FI_DEV_THERMAL_VIOLATION", "counter", "Throttling duration due to thermal constraints (in ns).", false,
     [](const Board& b) { return b.thermal.sw_thermal_ns + b.thermal.hw_thermal_ns; }},
    {242, "DCGM_FI_DEV_SYNC_BOOST_VIOLATION", "counter", "Throttling duration due to sync-boost constraints (in ns).", false,
     [](const Board&) { return 0.0; }},
    {243, "DCGM_FI_DEV_BOARD_LIMIT_VIOLATION", "counter", "Throttling duration due to board limit constraints (in ns).", false,
     [](const Board& b) { return b.thermal.brake_ns; }},
    {244, "DCGM_FI_DEV_LOW_UTIL_VIOLATION", "counter", "Throttling duration due to low utilization (in ns).", false,
     [](const Board& b) { return b.thermal.low_use_ns; }},
    {245, "DCGM_FI_DEV_RELIABILITY_VIOLATION", "counter", "Throttling duration due to reliability constraints (in ns).", false,
     [](const Board&) { return 0.0; }},
    {250, "DCGM_FI_DEV_FB_TOTAL", "gauge", "Framebuffer memory total (in MiB).", false,
     [](const Board& b) { return b.part->fb_total_mib; }},
    {251, "DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB).", false,
     [](const Board& b) { return fb_usable(b) - fb_used(b); }},
    {252, "DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB).", false, fb_used},
    {253, "DCGM_FI_DEV_FB_RESERVED", "gauge", "Framebuffer memory reserved (in MiB).", false,
     [](const Board& b) { return b.part->fb_reserved_mib; }},
    {310, "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", "counter", "Total number of single-bit volatile ECC errors.", false, sbe},
    {311, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "counter", "Total number of double-bit volatile ECC errors.", false, dbe},
    {312, "DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", "counter", "Total number of single-bit persistent ECC errors.", false,
     [](const Board& b) { return b.memory.sbe_aggregate; }},
    {313, "DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", "counter", "Total number of double-bit persistent ECC errors.", false,
     [](const Board& b) { return b.memory.dbe_aggregate + b.memory.sram_dbe_aggregate; }},
    {318, "DCGM_FI_DEV_ECC_SBE_VOL_DEV", "counter", "Single-bit volatile ECC errors of device memory.", false,
     [](const Board& b) { return b.memory.sbe_volatile; }},
    {319, "DCGM_FI_DEV_ECC_DBE_VOL_DEV", "counter", "Double-bit volatile ECC errors of device memory.", false,
     [](const Board& b) { return b.memory.dbe_volatile; }},
    {343, "DCGM_FI_DEV_ECC_DBE_VOL_SRM", "counter", "Double-bit volatile ECC errors of SRAM.", false,
     [](const Board& b) { return b.memory.sram_dbe; }},
    {345, "DCGM_FI_DEV_ECC_DBE_AGG_SRM", "counter", "Double-bit persistent ECC errors of SRAM.", false,
     [](const Board& b) { return b.memory.sram_dbe_aggregate; }},
    {346, "DCGM_FI_DEV_THRESHOLD_SRM", "gauge", "Whether the SRAM error threshold was passed.", false,
     [](const Board& b) { return b.memory.sram_dbe_aggregate > 4 ? 1.0 : 0.0; }},
    {385, "DCGM_FI_DEV_BANKS_REMAP_ROWS_AVAIL_MAX", "gauge", "Banks with all spare rows.", false,
     [](const Board& b) { return double(b.memory.banks[0]); }},
    {386, "DCGM_FI_DEV_BANKS_REMAP_ROWS_AVAIL_HIGH", "gauge", "Banks with most spare rows.", false,
     [](const Board& b) { return double(b.memory.banks[1]); }},
    {387, "DCGM_FI_DEV_BANKS_REMAP_ROWS_AVAIL_PARTIAL", "gauge", "Banks with some spare rows.", false,
     [](const Board& b) { return double(b.memory.banks[2]); }},
    {388, "DCGM_FI_DEV_BANKS_REMAP_ROWS_AVAIL_LOW", "gauge", "Banks with few spare rows.", false,
     [](const Board& b) { return double(b.memory.banks[3]); }},
    {389, "DCGM_FI_DEV_BANKS_REMAP_ROWS_AVAIL_NONE", "gauge", "Banks without spare rows.", false,
     [](const Board& b) { return double(b.memory.banks[4]); }},
    {393, "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for uncorrectable errors", false,
     [](const Board& b) { return b.memory.remapped_uncorrectable; }},
    {394, "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for correctable errors", false,
     [](const Board& b) { return b.memory.remapped_correctable; }},
    {395, "DCGM_FI_DEV_ROW_REMAP_FAILURE", "gauge", "Whether remapping of rows has failed", false,
     [](const Board& b) { return b.memory.remap_failed ? 1.0 : 0.0; }},
    {396, "DCGM_FI_DEV_ROW_REMAP_PENDING", "gauge", "Whether remapping of rows is pending", false,
     [](const Board& b) { return b.memory.remap_pending ? 1.0 : 0.0; }},
    {409, "DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", "counter", "Total number of NVLink flow-control CRC errors.", false,
     [](const Board& b) { return only_if(ampere(b), b.links.crc); }},
    {419, "DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL", "counter", "Total number of NVLink data CRC errors.", false,
     [](const Board& b) { return only_if(ampere(b), std::floor(b.links.crc / 3)); }},
    {429, "DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", "counter", "Total number of NVLink retries.", false,
     [](const Board& b) { return only_if(ampere(b), replays(b)); }},
    {439, "DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL", "counter", "Total number of NVLink recovery errors.", false,
     [](const Board& b) { return only_if(ampere(b), b.links.recoveries); }},
    {449, "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", "counter", "Total number of NVLink bandwidth counters for all lanes.", false, links_mib_s},
    {497, "DCGM_FI_DEV_NVLINK_ERROR_DL_CRC", "counter", "NVLink data-link CRC errors.", false,
     [](const Board& b) { return only_if(hopper(b), b.links.crc); }},
    {498, "DCGM_FI_DEV_NVLINK_ERROR_DL_RECOVERY", "counter", "NVLink data-link recoveries.", false,
     [](const Board& b) { return only_if(hopper(b), b.links.recoveries); }},
    {499, "DCGM_FI_DEV_NVLINK_ERROR_DL_REPLAY", "counter", "NVLink data-link replays.", false,
     [](const Board& b) { return only_if(hopper(b), replays(b)); }},
    {843, "DCGM_FI_DEV_NVLINK_TX_BANDWIDTH_TOTAL", "gauge", "NVLink send rate over all links (in MiB/s).", false,
     [](const Board& b) { return std::floor(links_mib_s(b) / 2); }},
    {897, "DCGM_FI_DEV_NVLINK_RX_BANDWIDTH_TOTAL", "gauge", "NVLink receive rate over all links (in MiB/s).", false,
     [](const Board& b) { return std::ceil(links_mib_s(b) / 2); }},
    {1001, "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Ratio of time the graphics engine is active.", true,
     [](const Board& b) { return share(b.demand.engine); }, true},
    {1002, "DCGM_FI_PROF_SM_ACTIVE", "gauge", "The ratio of cycles an SM has at least 1 warp assigned.", true,
     [](const Board& b) { return share(b.demand.sm); }, true},
    {1003, "DCGM_FI_PROF_SM_OCCUPANCY", "gauge", "The ratio of number of warps resident on an SM.", true,
     [](const Board& b) { return share(b.demand.occupancy); }, true},
    {1004, "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gauge", "Ratio of cycles the tensor (HMMA) pipe is active.", true,
     [](const Board& b) { return share(b.demand.tensor); }, true},
    {1005, "DCGM_FI_PROF_DRAM_ACTIVE", "gauge", "Ratio of cycles the device memory interface is active sending or receiving data.", true,
     [](const Board& b) { return share(b.demand.dram); }, true},
    {1006, "DCGM_FI_PROF_PIPE_FP64_ACTIVE", "gauge", "Ratio of cycles the fp64 pipes are active.", true, [](const Board&) { return 0.0; },
     true},
    {1007, "DCGM_FI_PROF_PIPE_FP32_ACTIVE", "gauge", "Ratio of cycles the fp32 pipes are active.", true,
     [](const Board& b) { return share(b.demand.fp32); }, true},
    {1008, "DCGM_FI_PROF_PIPE_FP16_ACTIVE", "gauge", "Ratio of cycles the fp16 pipes are active.", true,
     [](const Board& b) { return share(b.demand.fp16); }, true},
    {1009, "DCGM_FI_PROF_PCIE_TX_BYTES", "gauge",
     "The rate of data transmitted over the PCIe bus - including both protocol headers and data payloads - in bytes per second.", false,
     [](const Board& b) { return std::floor(pcie_bytes_s(b, b.demand.pcie_send)); }, true},
    {1010, "DCGM_FI_PROF_PCIE_RX_BYTES", "gauge",
     "The rate of data received over the PCIe bus - including both protocol headers and data payloads - in bytes per second.", false,
     [](const Board& b) { return std::floor(pcie_bytes_s(b, b.demand.pcie_receive)); }, true},
    {1011, "DCGM_FI_PROF_NVLINK_TX_BYTES", "gauge", "The rate of data transmitted over NVLink in bytes per second.", false,
     [](const Board& b) { return std::floor(links_mib_s(b) / 2) * kMib; }, true},
    {1012, "DCGM_FI_PROF_NVLINK_RX_BYTES", "gauge", "The rate of data received over NVLink in bytes per second.", false,
     [](const Board& b) { return std::ceil(links_mib_s(b) / 2) * kMib; }, true},
    {1420, "DCGM_FI_DEV_CLOCKS_EVENT_REASON_SW_POWER_CAP_NS", "counter", "Time under the software power cap (in ns).", false,
     [](const Board& b) { return b.thermal.power_cap_ns; }},
    {1422, "DCGM_FI_DEV_CLOCKS_EVENT_REASON_SW_THERM_SLOWDOWN_NS", "counter", "Time under software thermal slowdown (in ns).", false,
     [](const Board& b) { return b.thermal.sw_thermal_ns; }},
    {1423, "DCGM_FI_DEV_CLOCKS_EVENT_REASON_HW_THERM_SLOWDOWN_NS", "counter", "Time under hardware thermal slowdown (in ns).", false,
     [](const Board& b) { return b.thermal.hw_thermal_ns; }},
    {1424, "DCGM_FI_DEV_CLOCKS_EVENT_REASON_HW_POWER_BRAKE_SLOWDOWN_NS", "counter", "Time under the hardware power brake (in ns).", false,
     [](const Board& b) { return b.thermal.brake_ns; }},
    {1501, "DCGM_FI_DEV_PCIE_COUNT_CORRECTABLE_ERRORS", "counter", "PCIe correctable errors.", false,
     [](const Board& b) { return b.links.pcie_correctable; }},
    {1507, "DCGM_FI_DEV_MEMORY_UNREPAIRABLE_FLAG", "gauge", "Whether memory has faults that cannot be repaired.", false,
     [](const Board& b) { return b.memory.remap_failed ? 1.0 : 0.0; }},
    {1523, "DCGM_FI_DEV_GET_GPU_RECOVERY_ACTION", "gauge", "Recovery action that the driver asks for.", false,
     [](const Board& b) { return double(b.ill.recovery_action); }},
    {9001, "DCGM_EXP_XID_ERRORS_COUNT", "gauge", "Count of XID Errors within user-specified time window (see xid-count-window-size param).",
     false, nullptr, false, Family::Shape::xid_count},
};

constexpr LinkFamily kLinkFamilies[] = {
    {1508, "DCGM_FI_DEV_NVLINK_GET_STATE", "gauge", "State of one NVLink.", [](const Board&, int) { return 1.0; }},
    {1527, "DCGM_FI_DEV_NVLINK_REPLAY_ERROR_PER_LINK_TOTAL", "counter", "Replays of one NVLink.",
     [](const Board& b, int link) { return b.links.replays[static_cast<std::size_t>(link)]; }},
};

}  // namespace

std::span<const Family> families() {
  return kFamilies;
}
std::span<const LinkFamily> link_families() {
  return kLinkFamilies;
}

}  // namespace ghm::simulation
