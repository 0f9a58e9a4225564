#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace ghm::telemetry {

/// A board for life, whatever slot, UUID or driver it has today; given by the ledger (domain/fleet). Hosts, which own
/// series of their own (switches, CPUs, node values), get numbers from the same row. 0 is nobody.
enum class BoardId : std::uint32_t { none = 0 };

/// DCGM's own field id (150 = GPU temperature): stable over DCGM's renamings, so it can stand on disk for ever.
/// 9001-9004 are dcgm-exporter's own families.
enum class MetricId : std::uint16_t { none = 0 };

/// Which part of a board (or host) a number belongs to.
struct Entity {
  enum class Kind : std::uint8_t { gpu, nvlink, mig, nvswitch, switch_link, cpu, cpu_core, node };
  Kind kind = Kind::gpu;
  std::uint16_t number = 0;  // link, GPU-instance id, switch, CPU, core; switch_link: switch * 256 + link
  friend auto operator<=>(const Entity&, const Entity&) = default;
};

/// "gpu", "nvlink4", "mig2", "switch1", "switch1link14", "cpu0", "cpucore12", "node".
std::string to_string(Entity e);
Result<Entity> parse_entity(std::string_view text);

/// One line of numbers over time. Event-like labels, jobs, pods and drivers are never part of it.
struct SeriesKey {
  BoardId board{};
  Entity entity;
  MetricId metric{};
  friend auto operator<=>(const SeriesKey&, const SeriesKey&) = default;
};

/// `00000000:65:00.0`: 8-digit domain, upper-case hex, function digit. Reads every spelling of exporters and kernels
/// ("0000:65:00", "PCI:0000:9b:00", "65:00.0"); empty when `text` is no PCI address.
std::string normalise_pci_bus_id(std::string_view text);

/// GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx (any case), or MIG-… of the same shape.
bool is_gpu_uuid(std::string_view text);

}  // namespace ghm::telemetry

template <>
struct std::hash<ghm::telemetry::SeriesKey> {
  std::size_t operator()(const ghm::telemetry::SeriesKey& k) const noexcept {
    const std::uint64_t packed = static_cast<std::uint64_t>(k.board) << 32 ^ static_cast<std::uint64_t>(k.metric) << 16 ^
                                 static_cast<std::uint64_t>(k.entity.kind) << 12 ^ k.entity.number;
    return static_cast<std::size_t>((packed ^ packed >> 29) * 0x9E3779B97F4A7C15ull);
  }
};
