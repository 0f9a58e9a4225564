#include "domain/simulation/mode_facts.h"

namespace ghm::simulation {
namespace {

using enum Sign;

// least and most: the `range` of section 7 where it has one, else a third to three times the rate.
constexpr ModeFacts kFacts[] = {
    {"hbm_uncorrectable", "memory", "critical", 48, 0.3, false, 0.35, 0.08, 0.27, 0, {{{ce_storm, 0.6}, {ce_ramp, 0.4}}}},
    {"row_remap_exhaustion", "memory", "critical", 64, 0, false, 0, 0.005, 0.09, 0, {{{remap_staircase, 1}}}},
    {"fell_off_bus", "pcie", "critical", 79, 0, true, 0, 0.01, 0.10, 1, {{{pcie_replays, 0.4}, {scrape_decay, 0.6, 1, 0, true}}}},
    {"gsp_hang", "firmware", "error", 119, 0, false, 0, 0.005, 0.10, 0, {{{scrape_decay, 1}}}},
    {"nvlink", "nvlink", "error", 74, 0, true, 0, 0.008, 0.08, 0, {{{crc_burst, 0.7}, {link_replays, 0.3}}}},
    {"thermal",
     "thermal",
     "error",
     0,
     0.7,
     true,
     0,
     0.005,
     0.03,
     2,
     {{{tim_drift, 0.5}, {fan, 0.3, 12.0 / 720, 1.2}, {flow, 0.2, 0.3 / 720, 0.7, true}}}},
    {"power_vrm", "power", "critical", 79, 0.7, true, 0, 0.003, 0.03, 1, {{{power_brake, 1}}}},
    {"pcie_degradation", "pcie", "error", 0, 0, true, 0, 0.02, 0.06, 2, {{{width_drop, 0.6}, {replay_creep, 0.4}}}},
    {"sram_ecc", "memory", "critical", 48, 0, false, 0, 0.006, 0.06, 0, {{{ce_storm, 1}}}},
    {"sdc_compute", "compute", "critical", 0, 0, false, 0, 0.003, 0.03, 0, {}},
    {"driver_hang", "driver", "error", 109, 0, false, 0, 0.01, 0.09, 1, {{{scrape_decay, 1}}}},
    {"unexplained", "unknown", "error", 0, 0, false, 0, 0.01, 0.09, 1, {}},
};

constexpr std::string_view kWords[] = {"none",         "ce_storm",     "ce_ramp",     "remap_staircase", "pcie_replays",
                                       "replay_creep", "scrape_decay", "crc_burst",   "link_replays",    "tim_drift",
                                       "fan",          "flow",         "power_brake", "width_drop"};
static_assert(std::size(kWords) == static_cast<std::size_t>(width_drop) + 1);

}  // namespace

std::string_view word_of(Sign sign) {
  return kWords[static_cast<std::size_t>(sign)];
}

std::span<const ModeFacts> mode_facts() {
  return kFacts;
}

}  // namespace ghm::simulation
