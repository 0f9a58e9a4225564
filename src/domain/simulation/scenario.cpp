#include "domain/simulation/scenario.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "domain/simulation/random.h"

namespace ghm::simulation {
namespace {

enum Stream : std::uint64_t { kOtherRates = 201, kWearout };

// Modes without a rate of their own scale with the model: A100 0.80, H100 1, H200 1.10, B200 1.15.
constexpr std::array<double, 4> scaled(double h100) {
  return {0.80 * h100, h100, 1.10 * h100, 1.15 * h100};
}

const std::vector<Mode>& literature() {
  static const std::vector<Mode> modes = {
      {"hbm_uncorrectable", {0.050, 0.100, 0.140, 0.190}, 0.15, 700, 1.55, 0.10, Fault::hbm_ue, Fault::ce_storm, true},
      {"row_remap_exhaustion", {0.002, 0.012, 0.018, 0.020}, 0.70, 480, 1.2, 0.90, Fault::row_remap_fail, Fault::row_remap_pending},
      {"fell_off_bus", scaled(0.040), 0.15, 1.0, 1.0, 0.20, Fault::off_bus, Fault::pcie_replays},
      {"gsp_hang", {0.050, 0.025, 0.0275, 0.02875}, 0.03, 2, 1.0, 0.03, Fault::gsp_hang, Fault::pcie_replays, true},
      {"nvlink", {0.035, 0.025, 0.0275, 0.02875}, 0.35, 24, 1.5, 0.20, Fault::nvlink_down, Fault::nvlink_crc, true},
      {"thermal", scaled(0.010), 0.80, 720, 0.8, 0.50, Fault::thermal_tim, Fault::warm_drift},
      {"power_vrm", scaled(0.012), 0.20, 6, 1.5, 0.50, Fault::off_bus, Fault::power_brake},
      {"pcie_degradation", scaled(0.030), 0.60, 48, 1.4, 0.20, Fault::pcie_width, Fault::pcie_replays},
      {"sram_ecc", scaled(0.020), 0.05, 24, 1.5, 0.20, Fault::sram_ue, Fault::ce_storm},
      {"sdc_compute", scaled(0.009), 0, 0, 0, 1.0, Fault::silent_stop, Fault::silent_stop},
      {"driver_hang", scaled(0.030), 0.02, 1, 1.0, 0, Fault::driver_hang, Fault::pcie_replays},
      {"unexplained", scaled(0.030), 0, 0, 0, 0.10, Fault::silent_stop, Fault::silent_stop},
  };
  return modes;
}

void scale_precursors(Scenario& s, double by) {
  for (auto& m : s.modes) m.precursor = std::min(0.95, m.precursor * by);
}

// A world in which things wear out visibly.
void wear_out(Scenario& s, std::uint64_t seed) {
  for (auto& m : s.modes) {
    const double u = unit(hash_of(seed, kWearout, m.name.size(), m.name[0]));
    const bool software = m.failure == Fault::gsp_hang || m.failure == Fault::driver_hang;
    m.precursor = m.failure == Fault::silent_stop ? 0 : software ? 0.5 : 0.90 + 0.07 * u;
    m.lead_hours = 400 + 500 * u;
    m.lead_sigma = 0.5;
  }
}

// Nothing can be learnt: no sign, and the same hazard for every board and model.
void forget_everything(Scenario& s) {
  for (auto& m : s.modes) {
    m.precursor = 0;
    m.rate.fill(m.rate[1]);
    m.sites_differ = false;
  }
  s.lemons = false;
}

void shift(Scenario& s, std::uint64_t seed) {
  for (auto& m : s.modes) {
    const double factor = 0.6 + 1.2 * unit(hash_of(seed, kOtherRates, m.name.size(), m.name[0]));
    for (auto& r : m.rate) r *= factor;
    m.lead_hours *= 0.7;
  }
  s.inlet_offset_c = 4.5;
  s.other_site = true;
}

void heal(Scenario& s) {
  for (auto& m : s.modes) m.rate.fill(0);
  s.app_faults_per_gpu_day = 0;
  s.blemishes = false;
}

}  // namespace

const std::vector<std::string_view>& scenario_names() {
  static const std::vector<std::string_view> names = {"literature",  "optimistic", "pessimistic", "wearout",
                                                      "noprecursor", "shifted",    "healthy"};
  return names;
}

Result<Scenario> scenario_named(std::string_view name, std::uint64_t seed) {
  if (std::ranges::find(scenario_names(), name) == scenario_names().end())
    return Error{Errc::invalid_input, fmt::format("scenario '{}': expected one of {}", name, fmt::join(scenario_names(), ", "))};
  Scenario s{std::string(name), literature()};
  if (name == "optimistic") scale_precursors(s, 2);
  if (name == "pessimistic") scale_precursors(s, 0.5);
  if (name == "wearout") wear_out(s, seed);
  if (name == "noprecursor") forget_everything(s);
  if (name == "shifted") shift(s, seed);
  if (name == "healthy") heal(s);
  return s;
}

}  // namespace ghm::simulation
