#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "domain/telemetry/identity.h"

namespace ghm::telemetry {

enum class MetricKind : std::uint8_t { gauge, counter, info, label };

/// What a number means. One row per DCGM field; the facts stand in data/metrics.csv.
struct MetricSpec {
  MetricId id{};
  std::string name;                 // canonical: the first spelling of the field in the catalogue, "DCGM_FI_DEV_GPU_TEMP"
  MetricKind kind{};                // the true behaviour, not the TYPE that an exporter prints
  std::string unit;                 // canonical unit: "celsius", "MHz", "mJ", "percent", "ratio", ...
  std::string meaning;              // one phrase for people
  std::string used_for;             // memory thermal performance power reliability nvlink pcie workload inventory
  Entity::Kind entity{};            // what the field describes
  double min = 0, max = 0;          // plausible range in the canonical unit; ±infinity where none is known
  bool resets_with_driver = false;  // a counter that restarts at driver reload, GPU reset and boot
  bool per_instance = false;        // under MIG each instance has its own value; otherwise the card's value is repeated
  bool event_like = false;          // a windowed or status count told apart by labels (xid, clock_event, health_watch, peer_gpu)
  int link = -1;                    // the n of a name that ends in _Ln, else -1
};

/// One printed name: whose value it is and how to bring it to the canonical unit.
struct Spelling {
  std::string name;
  MetricId id{};
  double multiply = 1;  // canonical = printed * multiply / divide; two numbers keep the conversion exact
  double divide = 1;
  bool unit_from_help = false;  // the name does not tell percent from ratio: the HELP text does
};

/// Every DCGM field that matters, with all its spellings. Immutable after load.
class MetricCatalogue {
 public:
  /// Parses the shape of data/metrics.csv; `file` names it in errors.
  static Result<MetricCatalogue> parse(std::string_view csv, std::string_view file);
  /// The catalogue carried in the binary.
  static const MetricCatalogue& built_in();

  /// nullptr for an unknown field. O(1).
  const MetricSpec* find(MetricId id) const;
  /// By any spelling, exact case; nullptr when unknown. O(1) expected.
  const Spelling* spelling(std::string_view name) const;
  /// By canonical name or any spelling; nullptr when unknown.
  const MetricSpec* by_name(std::string_view name) const;
  std::span<const MetricSpec> all() const { return specs_; }

 private:
  std::string index_names();  // empty, or the name that stands twice

  std::vector<MetricSpec> specs_;
  std::vector<std::uint16_t> by_id_;  // field id -> index into specs_ + 1
  std::vector<Spelling> spellings_;
  std::vector<std::uint32_t> name_table_;  // open addressing over spellings_
};

/// Field ids that code names; the rest is data.
namespace field {
inline constexpr MetricId driver_version{1}, serial{53}, vbios_version{85}, sm_clock{100}, mem_clock{101}, clock_reasons{112},
    max_sm_clock{113}, memory_temp{140}, gpu_temp{150}, power_usage{155}, total_energy{156}, slowdown_temp{158}, shutdown_temp{159},
    power_limit_max{162}, power_limit_default{163}, power_limit_enforced{164}, fan_speed{191}, pcie_replay{202}, gpu_util{203}, xid{230},
    pcie_max_gen{235}, pcie_max_width{236}, pcie_gen{237}, pcie_width{238}, fb_free{251}, fb_used{252}, ecc_sbe_volatile{310},
    ecc_dbe_volatile{311}, ecc_sbe_aggregate{312}, ecc_dbe_aggregate{313}, banks_without_spares{389}, remapped_uncorrectable{393},
    remapped_correctable{394}, row_remap_failure{395}, row_remap_pending{396}, nvlink_bandwidth{449}, graphics_activity{1001},
    tensor_activity{1004}, dram_activity{1005}, nvlink_state{1508}, exp_xid_count{9001}, exp_clock_events{9002}, exp_health{9003},
    exp_p2p{9004};
}

}  // namespace ghm::telemetry
