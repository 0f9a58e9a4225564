#pragma once
#include <array>
#include <span>
#include <string_view>

#include "domain/telemetry/model_catalogue.h"

namespace ghm::simulation {

/// What the simulator must know of a GPU model beyond the model catalogue. Clocks and memory sizes as nvidia-smi shows
/// them; idle power from field studies; the thermal resistance is chosen so that full load meets the published
/// temperature distributions (A100 p95 63 °C, H100 p95 72 °C).
struct Part {
  std::string_view model;  // in the model catalogue
  double share = 0;        // of a mixed fleet
  double sm_max_mhz = 0, sm_idle_mhz = 0, mem_mhz = 0, video_max_mhz = 0;
  double idle_w_low = 0, idle_w_high = 0;
  double resistance_c_per_w = 0;  // junction to inlet air
  double fb_total_mib = 0, fb_reserved_mib = 0, bar1_mib = 0;
  int banks = 0;          // about 16 per GiB of HBM
  int capability = 0;     // compute capability, major * 65536 + minor
  double link_mib_s = 0;  // one NVLink, one direction
  std::string_view serial_prefix, vbios, driver;
  std::array<int, 8> buses{};  // PCI bus numbers of the board's eight modules
};

std::span<const Part> parts();
/// The catalogue's row of `part`; a part without one is a bug.
const telemetry::ModelSpec& spec_of(const Part& part);
/// Limits that the firmware enforces, also where the driver does not tell them.
double slowdown_c(const telemetry::ModelSpec& spec);
double max_memory_c(const telemetry::ModelSpec& spec);

}  // namespace ghm::simulation
