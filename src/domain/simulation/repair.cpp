#include "domain/simulation/repair.h"

#include <algorithm>
#include <cmath>

namespace ghm::simulation {
namespace {

using namespace facts;

constexpr std::string_view kLadder[] = {"reset", "reboot", "reseat"};
constexpr double kOfflineSigma = 0.8;
constexpr double kLeastSwapHours = 1, kMostSwapHours = 4;  // repair.tray_swap_h
constexpr double kRebootSeconds = 480, kReseatSeconds = 2700;
constexpr double kDrainAfter = 120;

void for_all_slots(HostLife& life, int slots, Effect e) {
  for (e.slot = 0; e.slot < slots; ++e.slot) life.effects.push_back(e);
}

}  // namespace

Repair::Repair(const World& world, std::size_t host)
    : world_(world), median_hours_(spec_of(world.part(host)).architecture == "Ampere" ? kOfflineA100 : kOffline) {}

double Repair::hours_offline(Random& random) const {
  return std::min(kOfflineMost, random.lognormal(median_hours_, kOfflineSigma));
}

void Repair::resolve(HostLife& life, Failure& f, double at, std::string_view how) const {
  const int stay = static_cast<int>(f.stay);
  life.events.push_back({f.detected + kDrainAfter, "drain", -1, {}, {}});
  f.resolution = how;
  f.resolved = at;
  if (how == "reset") life.events.push_back({at, "gpu_reset", stay, {}, {}});
  life.events.push_back({at, "undrain", -1, {}, {}});
}

double Repair::restore(HostLife& life, Failure& f, Random& random) const {
  const int slot = life.stays[f.stay].slot;
  double at = f.detected + 2 * kDrainAfter;
  auto remedy = static_cast<std::size_t>(mode_facts()[f.mode].first_remedy);
  for (;; ++remedy) {
    if (remedy == std::size(kLadder)) return replace(life, f, random);
    at += hours_offline(random) * kSecondsOfHour;
    if (random.uniform() < kRemedyWorks[remedy]) break;
  }
  at = std::floor(at);
  resolve(life, f, at, kLadder[remedy]);
  life.effects.push_back({Effect::Kind::idle, slot, f.detected, at, {}, {}, 1});
  life.effects.push_back({Effect::Kind::repair, slot, at, at, {}, {}, 1});
  if (kLadder[remedy] == "reboot") reboot_all(life, at - kRebootSeconds, kRebootSeconds, "repair");
  if (kLadder[remedy] == "reseat") reboot_all(life, at - kReseatSeconds, kReseatSeconds, "a tray was reseated");
  return at;
}

double Repair::replace(HostLife& life, Failure& f, Random& random) const {
  const int slot = life.stays[f.stay].slot;
  const double out = std::floor(f.detected + random.uniform(kLeastSwapHours, kMostSwapHours) * kSecondsOfHour);
  const double back = std::floor(std::max(out + kSecondsOfHour, f.detected + random.lognormal(kSwapDays, kSwapSigma) * kSecondsOfDay));
  resolve(life, f, back, "replaced");
  life.stays[f.stay].retired = out;
  life.effects.push_back({Effect::Kind::idle, slot, f.detected, out, {}, {}, 1});
  life.effects.push_back({Effect::Kind::absent, slot, out, back, {}, {}, 1});
  return back;
}

void Repair::reboot_all(HostLife& life, double at, double seconds, std::string why) const {
  at = std::floor(at);
  life.events.push_back({at, "host_reboot", -1, {}, std::move(why)});
  const int slots = world_.gpus_of(life.number);
  for_all_slots(life, slots, {Effect::Kind::absent, 0, at, at + seconds, {}, {}, 1});
  for_all_slots(life, slots, {Effect::Kind::reboot, 0, at + seconds, at + seconds, {}, {}, 1});
}

}  // namespace ghm::simulation
