#pragma once
#include <cmath>

#include "domain/health/windows.h"

/// What a reading, or two neighbouring ones, say by themselves: the conditions that rules count. Said once, for whoever counts.
namespace ghm::health {

inline constexpr std::uint64_t kThermalReasons = 0x60;  // software and hardware thermal slowdown; NVML clocks event reasons
inline constexpr std::uint64_t kPowerReasons = 0x84;    // software power cap and hardware power brake
inline constexpr std::uint64_t kPowerBrake = 0x80;      // of them, the hardware's
inline constexpr double kUnderLoad = 0.5, kBusy = 0.9;  // activity

struct PowerMoment {
  double at, power, activity, clock;
};
/// Power rises by more than 20 W while load and clock stand still, with no more than one reading missing in between.
inline bool is_spike(const PowerMoment& a, const PowerMoment& b, double interval_s) {
  constexpr double kActivity = 0.05, kClock = 30, kRise = 20;  // share, MHz, W
  return b.at - a.at <= 2 * interval_s && a.activity >= kUnderLoad && b.activity >= kUnderLoad &&
         std::abs(b.activity - a.activity) <= kActivity && std::abs(b.clock - a.clock) <= kClock && b.power - a.power > kRise;
}

struct EnergyMoment {
  double at, energy, activity;  // energy: the counter, mJ
};
inline bool is_work(const EnergyMoment& a, const EnergyMoment& b, double interval_s) {
  return b.at - a.at <= 2 * interval_s && a.activity >= kUnderLoad && b.activity >= kUnderLoad;
}
inline double joules(const EnergyMoment& a, const EnergyMoment& b) {
  constexpr double kMillijoules = 1000;
  return growth_of(a.energy, b.energy) / kMillijoules;
}
/// Seconds of full activity.
inline double work(const EnergyMoment& a, const EnergyMoment& b) {
  return (a.activity + b.activity) / 2 * (b.at - a.at);
}

/// Slower than 0.9 of what the part can do, and not by an asked-for power cap.
inline bool is_slow_clock(double clock, double most, double reasons) {
  constexpr double kOfMaximum = 0.9;
  constexpr std::uint64_t kPowerCap = 0x4;
  return clock < kOfMaximum * most && !has_bits(reasons, kPowerCap);
}
inline bool is_slower_than_peers(double clock, double usual) {
  constexpr double kShare = 0.95;
  return clock < kShare * usual;
}

/// Mean SM clock at an activity of 0.9 or more, by day; `from` spares the days nobody asks for. O(readings).
Days busy_clock(const Metric& activity, const Metric& clock, double from, double t);

}  // namespace ghm::health
