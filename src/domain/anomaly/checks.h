#pragma once
#include <array>
#include <string_view>

#include "core/time.h"
#include "domain/anomaly/event_burst.h"
#include "domain/anomaly/watched_metrics.h"

/// Which detector looks at what, and from where on it matters: the table that is tuned. docs/anomalies.md says how.
namespace ghm::anomaly {

enum class Detector : std::uint8_t { robust_z, stuck_sensor, step_change, event_burst, cusum_drift, peer_residual };
inline constexpr std::size_t kDetectors = 6;
std::string_view to_string(Detector d);

enum class Severity : std::uint8_t { info, warning, error, critical };
std::string_view to_string(Severity s);

/// The number that a check looks at. All but `slot` are smoothed over ten minutes.
enum class Input : std::uint8_t {
  slot,             // the metric itself
  warmth,           // °C: temperature as it would be at 80 % of the power limit, by the board's own °C per watt
  relative_warmth,  // %: temperature above what peers and the own watts explain, of the rise that the watts explain
  relative_memory,  // °C: memory above GPU temperature, less the same of the peers
  relative_power,   // %: against peers that are as busy
  relative_clock,   // %: likewise
  corrected_rate,   // events an hour, over the last six or so; in the order of PeerFigures::rates
  replay_rate,
  crc_rate,
  host_warmth,  // °C: the host's middle board, against what the rack's other hosts would be at its watts
  host_clock,   // %: likewise, of hosts that are as busy
  host_power,
};
inline constexpr std::size_t kInputs = 12;
constexpr bool is_rate(Input i) {
  return i >= Input::corrected_rate && i <= Input::crc_rate;
}

struct Check {
  Detector detector{};
  Slot slot{};  // the metric that an anomaly is about
  Input input{};
  enum class When : std::uint8_t { always, busy } when{};  // busy: for ten minutes at least
  enum class Side : std::uint8_t { both, above, below } side{};
  double open = 6, close = 3;  // |z|
  double least_effect = 0;     // |value - expected|, in the input's unit
  double least_sigma = 1;      // likewise
  std::chrono::minutes persist{10}, calm{15};
  Severity severity = Severity::warning;
  std::string_view unit;  // of the input
  PriorRate prior{};      // of an event_burst
  double band = 0;        // of a stuck_sensor: swing of the power as a share of its limit that must move it; 0: it moves by itself
};

using enum Severity;
// clang-format off
inline constexpr std::array kChecks = {
    // own history: what air and cooler leave after the watts. 8 °C: twice a day's swing of a room
    Check{Detector::robust_z, Slot::gpu_temp, Input::warmth, Check::When::busy, Check::Side::above, 5, 3, 8, 1.5, 10min, 20min, warning, "°C"},
    Check{Detector::robust_z, Slot::memory_temp, Input::relative_memory, Check::When::busy, Check::Side::above, 6, 3, 6, 0.8, 15min, 30min, warning, "°C"},
    // a sensor that physics says must have moved; power has noise in its last digits and moves by itself
    Check{Detector::stuck_sensor, Slot::gpu_temp, Input::slot, Check::When::always, Check::Side::above, 4, 1, 900, 1, 5min, 5min, warning, "s", {}, 0.2},
    Check{Detector::stuck_sensor, Slot::memory_temp, Input::slot, Check::When::always, Check::Side::above, 4, 1, 900, 1, 5min, 5min, warning, "s", {}, 0.2},
    Check{Detector::stuck_sensor, Slot::power, Input::slot, Check::When::always, Check::Side::above, 10, 1, 600, 1, 5min, 5min, warning, "s", {}, 0},
    // against peers, changed: 15 % more °C per watt is more than a re-paste brings
    Check{Detector::step_change, Slot::gpu_temp, Input::relative_warmth, Check::When::busy, Check::Side::both, 6, 3, 15, 2, 15min, 30min, warning, "%"},
    Check{Detector::step_change, Slot::power, Input::relative_power, Check::When::busy, Check::Side::both, 6, 3, 20, 2, 15min, 30min, warning, "%"},
    Check{Detector::step_change, Slot::sm_clock, Input::relative_clock, Check::When::busy, Check::Side::both, 6, 3, 10, 1.5, 15min, 30min, warning, "%"},
    // levels that hold for months; links and clocks may rest while a board is idle
    Check{Detector::step_change, Slot::mem_clock, Input::slot, Check::When::busy, Check::Side::both, 5, 2, 20, 4, 10min, 10min, warning, "MHz"},
    Check{Detector::step_change, Slot::pcie_gen, Input::slot, Check::When::busy, Check::Side::both, 5, 2, 0.5, 0.1, 8min, 8min, warning, ""},
    Check{Detector::step_change, Slot::pcie_width, Input::slot, Check::When::always, Check::Side::both, 5, 2, 0.5, 0.1, 8min, 8min, warning, "lanes"},
    Check{Detector::step_change, Slot::power_limit, Input::slot, Check::When::always, Check::Side::both, 5, 2, 5, 1, 8min, 8min, info, "W"},
    Check{Detector::step_change, Slot::remap_pending, Input::slot, Check::When::always, Check::Side::above, 5, 2, 0.5, 0.1, 8min, 8min, warning, ""},
    Check{Detector::step_change, Slot::remap_failure, Input::slot, Check::When::always, Check::Side::above, 5, 2, 0.5, 0.1, 8min, 8min, critical, ""},
    Check{Detector::step_change, Slot::banks_without_spares, Input::slot, Check::When::always, Check::Side::above, 5, 2, 0.5, 0.1, 8min, 8min, error, ""},
    Check{Detector::step_change, Slot::links_up, Input::slot, Check::When::always, Check::Side::below, 5, 2, 0.5, 0.1, 8min, 8min, error, ""},
    // events against the own rate; the rare ones are news each
    Check{Detector::event_burst, Slot::corrected, Input::slot, Check::When::always, Check::Side::above, 7, 3, 40, 1, 5min, 10min, warning, "", {20, 0.5}},
    Check{Detector::event_burst, Slot::uncorrected, Input::slot, Check::When::always, Check::Side::above, 4, 2, 0.9, 1, 5min, 10min, error, "", {0.001, 10}},
    Check{Detector::event_burst, Slot::remapped_correctable, Input::slot, Check::When::always, Check::Side::above, 4, 2, 0.9, 1, 5min, 10min, warning, "", {0.003, 10}},
    Check{Detector::event_burst, Slot::remapped_uncorrectable, Input::slot, Check::When::always, Check::Side::above, 4, 2, 0.9, 1, 5min, 10min, error, "", {0.001, 10}},
    Check{Detector::event_burst, Slot::pcie_replays, Input::slot, Check::When::always, Check::Side::above, 7, 3, 20, 1, 5min, 10min, warning, "", {2, 2}},
    Check{Detector::event_burst, Slot::nvlink_crc, Input::slot, Check::When::always, Check::Side::above, 7, 3, 20, 1, 5min, 10min, warning, "", {2, 2}},
    Check{Detector::event_burst, Slot::nvlink_replays, Input::slot, Check::When::always, Check::Side::above, 7, 3, 20, 1, 5min, 10min, warning, "", {2, 2}},
    Check{Detector::event_burst, Slot::heat_slowdown, Input::slot, Check::When::always, Check::Side::above, 7, 3, 20, 1, 5min, 20min, error, "s", {1, 2}},
    Check{Detector::event_burst, Slot::heat_cut, Input::slot, Check::When::always, Check::Side::above, 7, 3, 60, 1, 5min, 20min, warning, "s", {30, 2}},
    Check{Detector::event_burst, Slot::power_brake, Input::slot, Check::When::always, Check::Side::above, 7, 3, 20, 1, 5min, 20min, error, "s", {1, 2}},
    // slow drift: |z| is the CUSUM in sigmas of an hour's mean
    Check{Detector::cusum_drift, Slot::gpu_temp, Input::relative_warmth, Check::When::busy, Check::Side::above, 14, 7, 6, 2, 60min, 120min, warning, "%"},
    Check{Detector::cusum_drift, Slot::sm_clock, Input::relative_clock, Check::When::busy, Check::Side::below, 14, 7, 4, 1, 60min, 120min, warning, "%"},
    // against peers, always so: boards of a model differ by a tenth, front and rear of a host by another
    Check{Detector::peer_residual, Slot::gpu_temp, Input::relative_warmth, Check::When::busy, Check::Side::above, 4, 3, 28, 7, 30min, 60min, warning, "%"},
    Check{Detector::peer_residual, Slot::power, Input::relative_power, Check::When::busy, Check::Side::both, 5, 3, 30, 5, 30min, 60min, info, "%"},
    Check{Detector::peer_residual, Slot::sm_clock, Input::relative_clock, Check::When::busy, Check::Side::below, 5, 3, 12, 2, 15min, 30min, warning, "%"},
    // a rate that a board always had is its own normal to event_burst; to its peers it is not
    Check{Detector::peer_residual, Slot::corrected, Input::corrected_rate, Check::When::always, Check::Side::above, 8, 4, 40, 5, 60min, 120min, warning, "an hour"},
    Check{Detector::peer_residual, Slot::pcie_replays, Input::replay_rate, Check::When::always, Check::Side::above, 8, 4, 20, 2.5, 60min, 120min, warning, "an hour"},
    Check{Detector::peer_residual, Slot::nvlink_crc, Input::crc_rate, Check::When::always, Check::Side::above, 8, 4, 20, 2.5, 60min, 120min, warning, "an hour"},
};

/// A whole host against the other hosts of its rack or job: what its boards share, they cannot see in each other.
inline constexpr std::array kHostChecks = {
    Check{Detector::peer_residual, Slot::gpu_temp, Input::host_warmth, Check::When::busy, Check::Side::above, 4, 3, 10, 2.5, 30min, 60min, warning, "°C"},
    Check{Detector::peer_residual, Slot::sm_clock, Input::host_clock, Check::When::busy, Check::Side::below, 5, 3, 12, 2, 15min, 30min, warning, "%"},
    Check{Detector::peer_residual, Slot::power, Input::host_power, Check::When::busy, Check::Side::both, 5, 3, 30, 5, 30min, 60min, info, "%"},
};
// clang-format on

/// How many checks before `end` are of this detector: a check's place among them, and how many there are.
constexpr std::size_t count_of(Detector d, std::size_t end = kChecks.size()) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < end; ++i) n += kChecks[i].detector == d;
  return n;
}

}  // namespace ghm::anomaly
