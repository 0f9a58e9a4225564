#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "domain/telemetry/identity.h"

namespace ghm::anomaly {

/// What is watched of a board. Gauges come first: they are read with every page, the rest once a minute.
enum class Slot : std::uint8_t {
  gpu_temp,
  memory_temp,
  power,
  gpu_util,
  sm_clock,
  mem_clock,
  pcie_gen,
  pcie_width,
  power_limit,
  remap_pending,
  remap_failure,
  banks_without_spares,
  links_up,
  corrected,
  uncorrected,
  remapped_correctable,
  remapped_uncorrectable,
  pcie_replays,
  nvlink_crc,
  nvlink_replays,
  heat_slowdown,
  heat_cut,
  power_brake,
  energy,
};
inline constexpr std::size_t kSlots = 24, kGauges = 5;

constexpr std::size_t index_of(Slot s) {
  return static_cast<std::size_t>(s);
}

/// Where a slot's number comes from.
struct WatchedMetric {
  enum class From : std::uint8_t {
    value,  // of the first of `fields` that the page has
    sum,    // over the board's NVLinks
    count,  // of the board's NVLinks that say 1
  };
  Slot slot{};
  std::array<telemetry::MetricId, 3> fields{};  // none: no further one
  std::string_view word, unit;
  double divide = 1;  // unit of the page to `unit`
  From from = From::value;
  std::array<telemetry::MetricId, 1> else_sum{};  // when the page has none of `fields`: summed over the links
};

/// One row per Slot, in its order.
std::span<const WatchedMetric, kSlots> watched_metrics();
const WatchedMetric& watched(Slot slot);

}  // namespace ghm::anomaly
