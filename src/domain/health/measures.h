#pragma once
#include <array>
#include <optional>
#include <span>

#include "domain/health/uptime.h"
#include "domain/health/windows.h"

/// What rules ask of readings, in numbers. Rules judge numbers and never know where these came from: worked out from a month of
/// readings (measure), or kept and carried on from round to round (running_sums.h). One table of rules serves both ways.
namespace ghm::health {

/// How often, and when last.
struct Counted {
  double count = 0;
  double last_at = 0;
};
/// How many of all, and when last.
struct Share {
  double all = 0, those = 0;
  double last_at = 0;
  double value() const { return those / all; }
};
/// A metric's latest reading; at: 0 where there is none.
struct Last {
  double at = 0, value = 0;
};
/// One UTC hour's readings of temperature and power together, and what 24 of them say of how one follows the other.
struct PowerHour {
  double readings = 0, temperature = 0, power = 0;  // sums
};
struct PowerDay {
  double hours = 0, power = 0;                    // power: sum of the hours' means
  double power_power = 0, power_temperature = 0;  // about the means
};
PowerDay day_of(std::span<const PowerHour> hours);
inline constexpr std::size_t kPowerDays = 28;

/// Earlier scoring rounds of a day.
struct Rounds {
  double sum = 0, count = 0;
  void add(double score) {
    sum += score;
    ++count;
  }
  double mean() const { return sum / count; }
};

/// Of a board, up to t. What speaks of an input that is not present means nothing; rules that need it are skipped.
struct Measures {
  explicit Measures(double t) : loaded_temperature(t), energy_per_work(t), busy_clock(t) {}

  // heat
  Counted throttling;       // episodes of thermal slowdown, 24 h
  double temperature = 0;   // mean, 24 h
  Days loaded_temperature;  // °C under load; its weights are readings
  double widest_swing = 0;  // largest p95 - p5 of the temperature in a stable hour of the last 24; 0: all are still
  double swing_at = 0;      // that hour's end
  double fan_lowest = 0;    // 1 h
  double temperature_at = 0, fan_at = 0;

  std::array<PowerDay, kPowerDays> power_days{};  // times 24 whole UTC hours before the hour of t, the latest first

  // memory; corrected and uncorrected errors
  Counted corrected_hours;                          // UTC hours of 7 d in which there were any
  Growth remapped_corrected, remapped_uncorrected;  // rows, 30 d
  double corrected_since = 0;                       // t - 7 d, or the counter's first reading where that is later
  std::array<Growth, 7> corrected_by_day{};
  Growth corrected_week, uncorrected_week, uncorrected_month, uncorrected_today, uncorrected_day_before;
  Last remap_pending, remap_failure, banks;

  // power
  Counted brake_hours;   // UTC hours of 7 d in which the power brake was pulled
  Counted spikes;        // rises within stable pairs, 24 h
  Counted limited;       // episodes of a power limit beyond design, 24 h
  Days energy_per_work;  // joules per second of full activity

  // performance
  Days busy_clock;                                  // SM clock, MHz, at an activity of 0.9 or more
  Share slow_clock, slow_generation;                // of the readings under load of 24 h
  Growth pcie_replays, nvlink_crc, nvlink_replays;  // 24 h
  Last width, most_width;                           // of the latest time that has both
  double links_up = 0, links_at = 0;                // at the latest time at which any was read

  Uptime uptime;
  Rounds rounds_today, rounds_week_ago, rounds_month_ago;  // before the one at t
};

class Evidence;
/// From readings. O(readings).
Measures measure(const Evidence& evidence);

}  // namespace ghm::health
