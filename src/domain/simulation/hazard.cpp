#include "domain/simulation/hazard.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace ghm::simulation {
namespace {

using namespace facts;

constexpr double kPerDay = 1e-3;         // of a rate per 1000 GPU-days
constexpr double kBoltzmann = 8.617e-5;  // eV/K
constexpr double kReferenceK = 333.15;   // 60 °C
constexpr std::size_t kHbm = 0, kBus = 2, kGsp = 3, kVrm = 6;
constexpr double kMiddleOfSummer = 200;  // day of the year
constexpr double kTypicalAge = 2 * kSecondsOfYear;

double heat_factor(double activation_ev) {
  return std::exp(activation_ev / kBoltzmann * (1 / kReferenceK - 1 / (kReferenceK + kHotRackC)));
}

double season(double t) {
  const double day = std::fmod(t, kSecondsOfYear) / kSecondsOfDay;
  return 1 + (kSummer - 1) / (kSummer + 1) * std::cos(2 * std::numbers::pi * (day - kMiddleOfSummer) / 365.25);
}

// Mean failures that one failure brings with it, directly.
double followers(const ModeFacts& f, const Mode& m, double table_total) {
  const double stays = 1 - m.permanent;  // a new board has no past
  return (kHistory - 1) * kHistoryDays * table_total * stays + kSameNode + f.repeat * stays + kFalseClear * m.permanent;
}

}  // namespace

double DayHazard::total() const {
  return std::accumulate(mode.begin(), mode.end(), bad_lot + history);
}

Hazards::Hazards(const World& world, std::size_t host) : world_(world), host_(host), hot_(world.hot_spell(host)) {
  const auto& modes = world.scenario().modes;
  const auto all = mode_facts();
  assert(modes.size() == kModes && all.size() == kModes);
  const auto model = static_cast<std::size_t>(&world.part(host) - parts().data());
  for (std::size_t m = 0; m < kModes; ++m) table_[m] = modes[m].rate[model] * kPerDay;
  table_total_ = std::accumulate(table_.begin(), table_.end(), 0.0);
  lot_height_ = world.height_factor(host, kTopOverBottomBadLot);
  for (std::size_t m = 0; m < kModes; ++m) {
    own_[m] = table_[m];
    heated_[m] = heat_factor(all[m].activation_ev);
    if (!world.uneven() || table_[m] == 0) continue;
    if (m == kVrm) own_[m] = std::max(0.2 * own_[m], own_[m] - kSagsPerYear * kSagFailure / kGpusPerHost / 365.25);
    own_[m] *= std::max(0.2, 1 - followers(all[m], modes[m], table_total_));
    if (modes[m].sites_differ) own_[m] *= world.site_factor(host);
    if (all[m].of_place) own_[m] *= world.rack_factor(host) * world.height_factor(host, kTopOverBottom);
    own_[m] *= (world.lemon(host) ? kLemonHazard : 1) / (1 + kLemonHosts * (kLemonHazard - 1));
  }
}

double Hazards::age_factor(const Stay& stay, double t) const {
  const double age = std::max(t - stay.deployed, kSecondsOfDay);
  const double infant = 1 + (kInfant - 1) * std::exp(-age / kSecondsOfDay / kInfantDays);
  return infant * std::pow(age / kTypicalAge, kWeibullShape - 1);
}

double Hazards::bad_lot(const Stay& stay, double t) const {
  const double years = (t - stay.deployed) / kSecondsOfYear - kBadLotOnset;
  if (!stay.bad_lot || years < 0) return 0;
  const auto step = std::min(static_cast<std::size_t>(years / kBadLotStep), kBadLotHazard.size() - 1);
  return kBadLotHazard[step] / 365.25 * lot_height_;
}

DayHazard Hazards::at(const Stay& stay, double t, double last_failure) const {
  DayHazard day;
  const bool uneven = world_.uneven();
  const double common = uneven ? stay.frailty * age_factor(stay, t) * season(t) : 1;
  const bool hot = hot_ && hot_->holds(t);
  for (std::size_t m = 0; m < kModes; ++m) day.mode[m] = own_[m] * common * (hot ? heated_[m] : 1);
  for (const auto& d : world_.drivers())
    if (d.bad && d.span.holds(t)) {
      day.mode[kGsp] *= kBadDriver;
      day.driver_share = 1 - 1 / kBadDriver;
    }
  if (!uneven) return day;
  if (table_total_ > 0) day.bad_lot = bad_lot(stay, t);
  if (last_failure > 0) day.history = (kHistory - 1) * table_total_ * std::exp(-(t - last_failure) / kSecondsOfDay / kHistoryDays);
  return day;
}

std::pair<std::size_t, Cause> Hazards::pick(const DayHazard& day, double u, Random& random) const {
  double left = u * day.total();
  if ((left -= day.bad_lot) < 0) return {random.uniform() < 0.5 ? kHbm : kBus, Cause::bad_lot};
  if ((left -= day.history) < 0) {
    double x = random.uniform() * table_total_;
    for (std::size_t m = 0; m < kModes; ++m)
      if ((x -= table_[m]) < 0) return {m, Cause::history};
    return {kHbm, Cause::history};
  }
  for (std::size_t m = 0; m < kModes; ++m)
    if ((left -= day.mode[m]) < 0) return {m, m == kGsp && random.uniform() < day.driver_share ? Cause::bad_driver : Cause::background};
  return {kHbm, Cause::background};
}

double known_hazard(const World& world, std::size_t host, const Stay& stay, double t) {
  auto day = Hazards(world, host).at(stay, t, 0);
  if (day.driver_share > 0) day.mode[kGsp] /= kBadDriver;
  return day.total() / kPerDay;
}

}  // namespace ghm::simulation
