#include "domain/anomaly/watched_metrics.h"

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::anomaly {
namespace {

namespace field = telemetry::field;
using telemetry::MetricId;
using From = WatchedMetric::From;

constexpr double kNanoseconds = 1e9;

// Families differ between architectures: Ampere counts NVLink errors in 409 and 429, Hopper in 497 and 499, Blackwell
// by link in 1527. Throttle times: 1423 and 1424 are the newer, finer names of 241 and 243.
constexpr std::array<WatchedMetric, kSlots> kWatched = {{
    {Slot::gpu_temp, {field::gpu_temp}, "GPU temperature", "°C"},
    {Slot::memory_temp, {field::memory_temp}, "memory temperature", "°C"},
    {Slot::power, {field::power_usage}, "power", "W"},
    {Slot::gpu_util, {field::gpu_util}, "utilisation", "%"},
    {Slot::sm_clock, {field::sm_clock}, "SM clock", "MHz"},
    {Slot::mem_clock, {field::mem_clock}, "memory clock", "MHz"},
    {Slot::pcie_gen, {field::pcie_gen}, "PCIe generation", ""},
    {Slot::pcie_width, {field::pcie_width}, "PCIe width", "lanes"},
    {Slot::power_limit, {field::power_limit_enforced}, "enforced power limit", "W"},
    {Slot::remap_pending, {field::row_remap_pending}, "row remap pending", ""},
    {Slot::remap_failure, {field::row_remap_failure}, "row remap failure", ""},
    {Slot::banks_without_spares, {field::banks_without_spares}, "memory banks without spare rows", ""},
    {Slot::links_up, {field::nvlink_state}, "NVLinks up", "", 1, From::count},
    {Slot::corrected, {field::ecc_sbe_volatile, field::ecc_sbe_aggregate}, "corrected memory errors", ""},
    {Slot::uncorrected, {field::ecc_dbe_volatile, field::ecc_dbe_aggregate}, "uncorrectable memory errors", ""},
    {Slot::remapped_correctable, {field::remapped_correctable}, "rows remapped after corrected errors", ""},
    {Slot::remapped_uncorrectable, {field::remapped_uncorrectable}, "rows remapped after uncorrectable errors", ""},
    {Slot::pcie_replays, {field::pcie_replay}, "PCIe replays", ""},
    {Slot::nvlink_crc, {MetricId{497}, MetricId{409}}, "NVLink CRC errors", ""},
    {Slot::nvlink_replays, {MetricId{499}, MetricId{429}}, "NVLink replays", "", 1, From::value, {MetricId{1527}}},
    {Slot::heat_slowdown, {MetricId{1423}}, "seconds of hardware thermal slowdown", "s", kNanoseconds},
    {Slot::heat_cut, {MetricId{1422}, MetricId{241}}, "seconds of software thermal slowdown", "s", kNanoseconds},
    {Slot::power_brake, {MetricId{1424}, MetricId{243}}, "seconds of power brake", "s", kNanoseconds},
    {Slot::energy, {field::total_energy}, "energy", "J", 1000},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kWatched.size(); ++i)
    if (index_of(kWatched[i].slot) != i) return false;
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const WatchedMetric, kSlots> watched_metrics() {
  return kWatched;
}

const WatchedMetric& watched(Slot slot) {
  return kWatched[index_of(slot)];
}

}  // namespace ghm::anomaly
