#include "domain/simulation/signs.h"

#include <algorithm>
#include <cmath>

namespace ghm::simulation {
namespace {

using namespace facts;

constexpr double kMostErrors = 200'000;  // of one event
constexpr double kStormsPerDay = 8, kRampFirst = 0.5, kRampLast = 12;
constexpr double kReplaysPerMinute = 12, kCrcPerMinute = 40, kLinkReplaysPerMinute = 2;
constexpr double kBurstSeconds = 600, kShareOfBursts = 0.35;
constexpr double kFan = 0.30, kFlow = 0.60;                                // of the healthy resistance, added
constexpr double kDrift = 2.0e-4, kDriftExponent = 1.5, kMostDrift = 1.0;  // thermal.drift: °C/W per day; of the resistance
constexpr double kBrakeShare = 0.03, kBrakeSeconds = 20;
constexpr double kMostMissing = 0.55;

double progress(const Effect& e, double t) {
  return std::clamp((t - e.from) / std::max(e.until - e.from, 1.0), 0.0, 1.0);
}

// Errors come in bursts of ten minutes.
bool bursting(const Effect& e, double t) {
  return unit(hash_of(static_cast<std::int64_t>(e.from), e.slot, static_cast<std::int64_t>(t / kBurstSeconds))) < kShareOfBursts;
}

double whole(Random& r, double mean) {
  return std::floor(mean * r.uniform(0.5, 1.5) + r.uniform());
}

void correct(Board& b, double n) {
  b.memory.sbe_volatile += n;
  b.memory.sbe_aggregate += n;
}

void correct_now_and_then(Board& b, double per_day, double dt) {
  if (b.random.uniform() < per_day * dt / kSecondsOfDay)
    correct(b, 1 + std::floor(std::min(kMostErrors, b.random.lognormal(kErrorsPerEvent, kErrorsSigma))));
}

void brake(Board& b, double dt) {
  if (b.random.uniform() >= kBrakeShare) return;
  b.thermal.reasons |= reason::hw_slowdown | reason::power_brake;
  b.thermal.brake_ns += std::min(dt, kBrakeSeconds) * 1e9;
  b.thermal.sm_mhz = std::floor(b.thermal.sm_mhz / 2);
}

}  // namespace

void show_before(const Effect& e, Board& b, double t, double theta) {
  const double days = (t - e.from) / kSecondsOfDay;
  switch (e.sign) {
    case Sign::tim_drift:
      b.traits.resistance *= 1 + std::min(kMostDrift, e.strength * kDrift * std::pow(days, kDriftExponent) / theta);
      break;
    case Sign::fan: b.traits.resistance *= 1 + kFan * e.strength; break;
    case Sign::flow: b.traits.resistance *= 1 + kFlow * e.strength; break;
    default: break;
  }
}

void show_after(const Effect& e, Board& b, double t, double dt) {
  if (e.kind == Effect::Kind::noise) return correct_now_and_then(b, kEventsPerDay, dt);
  auto& l = b.links;
  const double minutes = dt / 60, burst = bursting(e, t) ? e.strength / kShareOfBursts : 0, p = progress(e, t);
  switch (e.sign) {
    case Sign::ce_storm: return correct_now_and_then(b, kStormsPerDay * e.strength, dt);
    case Sign::ce_ramp: return correct_now_and_then(b, (kRampFirst + (kRampLast - kRampFirst) * p * p) * e.strength, dt);
    case Sign::pcie_replays: l.pcie_replays += whole(b.random, kReplaysPerMinute * burst * minutes); return;
    case Sign::replay_creep: l.pcie_replays += whole(b.random, 2 * kReplaysPerMinute * p * p * e.strength * minutes); return;
    case Sign::crc_burst:
      l.crc += whole(b.random, kCrcPerMinute * burst * minutes);
      l.replays[0] += whole(b.random, kCrcPerMinute / 40 * burst * minutes);
      return;
    case Sign::link_replays: l.replays[0] += whole(b.random, kLinkReplaysPerMinute * p * e.strength * minutes); return;
    case Sign::power_brake: return brake(b, dt);
    case Sign::width_drop:
      l.pcie_width = 8;
      l.pcie_replays += whole(b.random, 0.1 * minutes);
      return;
    default: return;
  }
}

double missing_by(const Effect& e, double t) {
  return e.kind == Effect::Kind::sign && e.sign == Sign::scrape_decay ? kMostMissing * progress(e, t) : 0;
}

}  // namespace ghm::simulation
