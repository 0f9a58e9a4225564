// One resistance and one capacity from junction to air. Dynamic power falls with about the 2.2nd power of the clock
// (voltage falls with it); the software cap lowers clocks until the limit is met, the hardware halves them at the
// slowdown threshold, holds that for a while and lets them come back slowly.
#include "domain/simulation/thermal.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ghm::simulation {
namespace {

constexpr double kTimeConstant = 25;  // seconds, junction and cold plate
constexpr double kMemoryTimeConstant = 40;
constexpr double kClockExponent = 2.2;
constexpr double kSlowdownClock = 0.45;             // clocks are cut by half or more
constexpr double kHold = 20;                        // seconds a hardware slowdown lasts at least
constexpr double kHysteresis = 8;                   // °C below the threshold before it ends
constexpr double kComeBack = 0.005;                 // of the maximum clock per second, after a slowdown
constexpr double kSoftwareCut = 0.01;               // of the maximum clock per second while memory is too hot
constexpr double kDiurnal = 2.0;                    // °C
constexpr double kBrakeCycle = 120, kBrakeOn = 30;  // seconds of an intermittent power brake
constexpr double kClockStep = 15;                   // MHz
constexpr double kDay = 86400;

double approach(double from, double to, double dt, double time_constant) {
  return to + (from - to) * std::exp(-dt / time_constant);
}

bool brake_pulled(const Surroundings& around, double t) {
  return around.brake_from > 0 && t >= around.brake_from && std::fmod(t - around.brake_from, kBrakeCycle) < kBrakeOn;
}

// What heat allows: the hardware's slowdown with its hold, the software's cut while memory is over its limit.
void limit_by_heat(Board& b, double t, double dt) {
  auto& th = b.thermal;
  const double limit = slowdown_c(*b.spec);
  if (th.gpu_c >= limit) th.slowed_until = t + kHold;
  const bool slowed = t < th.slowed_until || (th.slowed_until > 0 && th.gpu_c > limit - kHysteresis);
  if (slowed) {
    th.clock_limit = kSlowdownClock;
    th.reasons |= reason::hw_slowdown | reason::hw_thermal;
    return;
  }
  th.slowed_until = 0;
  if (th.memory_c >= max_memory_c(*b.spec)) {
    th.clock_limit = std::max(kSlowdownClock, th.clock_limit - kSoftwareCut * dt);
    th.reasons |= reason::sw_thermal;
    return;
  }
  th.clock_limit = std::min(1.0, th.clock_limit + kComeBack * dt);
}

// The clock at which the board meets its power cap; 1 when it is below at full clocks.
double clock_under_cap(double dynamic_w, double room_w) {
  return dynamic_w <= room_w ? 1 : std::pow(room_w / dynamic_w, 1 / kClockExponent);
}

double draw_power(Board& b, double clock) {
  auto& th = b.thermal;
  const double idle = b.traits.idle_w * (1 + 0.002 * (th.gpu_c - 30));  // leakage grows with heat
  const double dynamic = (b.tdp() - b.traits.idle_w) * b.demand.power * b.traits.leakage * std::pow(clock, kClockExponent);
  const double under = clock_under_cap(dynamic, b.tdp() - idle);
  if (under < 1) th.reasons |= reason::power_cap;
  th.sm_mhz = std::floor(b.part->sm_max_mhz * clock * under / kClockStep) * kClockStep;
  const double mean = idle + dynamic * std::pow(under, kClockExponent);
  th.power_w = mean + (0.5 + 0.012 * (mean - idle)) * b.random.noise();
  th.peak_w = mean * (1 + 0.04 * b.random.uniform() * b.demand.power);
  return mean;
}

void count_time(Thermals& th, double dt) {
  const double ns = dt * 1e9;
  if (th.reasons & reason::power_cap) th.power_cap_ns += ns;
  if (th.reasons & reason::sw_thermal) th.sw_thermal_ns += ns;
  if (th.reasons & reason::hw_thermal) th.hw_thermal_ns += ns;
  if (th.reasons & reason::power_brake) th.brake_ns += ns;
  if (th.reasons & reason::idle) th.low_use_ns += ns;
}

void heat(Board& b, const Surroundings& around, double power, double t, double dt) {
  auto& th = b.thermal;
  th.inlet_c = inlet_at(around, t);
  const double resistance = b.part->resistance_c_per_w * b.traits.resistance * b.ill.cooling * around.air;
  const double target = th.inlet_c + b.traits.preheat_c * power / b.tdp() + power * resistance;
  // Above the shutdown threshold the board would be off.
  th.gpu_c = std::min(approach(th.gpu_c, target, dt, kTimeConstant), slowdown_c(*b.spec) + 2);
  // Idle HBM sits well above an idle core; under load the two come close.
  th.memory_c = approach(th.memory_c, th.gpu_c + 11 - 8 * std::min(1.0, b.demand.power), dt, kMemoryTimeConstant);
}

}  // namespace

double inlet_at(const Surroundings& around, double t) {
  return around.inlet_c + kDiurnal * std::cos(2 * std::numbers::pi * (std::fmod(t, kDay) / kDay - 16.0 / 24));
}

void step_thermal(Board& b, const Surroundings& around, double t, double dt) {
  auto& th = b.thermal;
  th.reasons = 0;
  b.ill.cooling = std::min(b.ill.cooling_target, b.ill.cooling + b.ill.cooling_per_s * dt);
  limit_by_heat(b, t, dt);
  double clock = th.clock_limit;
  if (brake_pulled(around, t)) {
    clock = std::min(clock, kSlowdownClock);
    th.reasons |= reason::hw_slowdown | reason::power_brake;
  }
  const double power = draw_power(b, clock);
  if (b.demand.engine <= 0.001) {
    th.sm_mhz = b.part->sm_idle_mhz;
    if (th.reasons == 0) th.reasons = reason::idle;
  }
  th.energy_mj += power * dt * 1000;
  count_time(th, dt);
  heat(b, around, power, t, dt);
}

}  // namespace ghm::simulation
