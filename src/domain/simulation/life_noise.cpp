#include "domain/simulation/life_noise.h"

#include <algorithm>
#include <cmath>

#include "domain/simulation/repair.h"

namespace ghm::simulation {
namespace {

using namespace facts;
enum Stream : std::uint64_t { kNoise = 701, kUpkeep };

constexpr double kMonth = 30 * kSecondsOfDay;
constexpr double kGapHours = 3, kGapSigma = 1.2, kLongestGap = 3 * kSecondsOfDay;
constexpr double kRemapsPerYear = 0.01;
constexpr double kMaintenanceDays = 60, kMaintenanceSeconds = 1800;
constexpr double kRolloutDays = 2;

class Noise {
 public:
  Noise(const World& world, HostLife& life)
      : world_(world), life_(life), repair_(world, life.number), random_(hash_of(world.plan().seed, kNoise, life.number)) {}

  void add() {
    for (int slot = 0; slot < world_.gpus_of(life_.number); ++slot) {
      spells_of_errors(slot);
      rows_remapped(slot);
      gaps(slot);
      for (const auto& r : world_.regimes()) app_faults(slot, r.span, r.factor - 1);
      app_faults(slot, {world_.start(), world_.end()}, 1);
    }
    bursts();
    upkeep();
  }

 private:
  template <class Take>
  void poisson(double per_second, double from, double until, Take take) {
    if (per_second <= 0) return;
    for (double t = from; (t += random_.exponential(1 / per_second)) < until;) take(std::floor(t));
  }

  /// The board in the slot at `t`; -1 for none.
  int stay_at(int slot, double t) const {
    for (std::size_t i = 0; i < life_.stays.size(); ++i) {
      const auto& s = life_.stays[i];
      if (s.slot == slot && s.deployed <= t && (s.retired == 0 || t < s.retired)) return static_cast<int>(i);
    }
    return -1;
  }

  void spells_of_errors(int slot) {
    constexpr double kLongest = 90 * kSecondsOfDay;
    poisson(kActivePerYear / kSecondsOfYear, world_.start() - kLongest, world_.end(), [&](double t) {
      const double length = std::min(kLongest, random_.lognormal(kActiveDays, kActiveSigma) * kSecondsOfDay);
      if (t + length > world_.start()) life_.effects.push_back({Effect::Kind::noise, slot, t, t + length, {}, {}, 1});
    });
  }

  void rows_remapped(int slot) {
    poisson(kRemapsPerYear / kSecondsOfYear, world_.start(), world_.end(), [&](double t) {
      life_.effects.push_back({Effect::Kind::mark_row, slot, t, t, {}, {}, 1});
      if (const int stay = stay_at(slot, t); stay >= 0) life_.events.push_back({t, "xid", stay, "63", {}});
    });
  }

  void gaps(int slot) {
    poisson(kGapsPerMonth / kMonth, world_.start() - kLongestGap, world_.end(), [&](double t) {
      const double length = std::min(kLongestGap, random_.lognormal(kGapHours, kGapSigma) * kSecondsOfHour);
      if (t + length > world_.start()) life_.effects.push_back({Effect::Kind::unrecorded, slot, t, t + length, {}, {}, 1});
    });
  }

  void app_fault(int slot, double t) {
    const int stay = stay_at(slot, t);
    if (stay < 0) return;
    life_.effects.push_back({Effect::Kind::strike, slot, t, t, {}, Fault::app_xid31, 1});
    life_.events.push_back({t, "xid", stay, "31", {}});
  }

  void app_faults(int slot, Span span, double factor) {
    const double per_second = world_.scenario().app_faults_per_gpu_day / kSecondsOfDay * factor;
    poisson(per_second, std::max(span.from, world_.start()), std::min(span.until, world_.end()), [&](double t) { app_fault(slot, t); });
  }

  // A job of many hosts dies on all of them: events, no failures.
  void bursts() {
    for (const double t : world_.bursts())
      if (random_.uniform() < kBurstShare)
        for (int slot = 0; slot < world_.gpus_of(life_.number); ++slot) app_fault(slot, std::floor(t + 180 * random_.uniform()));
  }

  void upkeep() {
    Random r(hash_of(world_.plan().seed, kUpkeep, life_.number));
    for (double t = world_.start() + r.uniform() * kMaintenanceDays * kSecondsOfDay; t < world_.end();
         t += kMaintenanceDays * kSecondsOfDay) {
      life_.events.push_back({std::floor(t) - 60, "maintenance", -1, {}, "planned"});
      repair_.reboot_all(life_, t, kMaintenanceSeconds, "planned maintenance");
    }
    for (const auto& d : world_.drivers()) {
      const double t = std::floor(d.span.from + r.uniform() * kRolloutDays * kSecondsOfDay);
      if (t < world_.start() || t >= world_.end()) continue;
      life_.events.push_back({t, "driver_change", -1, {}, d.version});
      repair_.reboot_all(life_, t, 600, "a new driver");
    }
  }

  const World& world_;
  HostLife& life_;
  const Repair repair_;
  Random random_;
};

}  // namespace

void add_noise(const World& world, HostLife& life) {
  Noise(world, life).add();
}

}  // namespace ghm::simulation
