#include "domain/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ghm::simulation {
namespace {

enum Stream : std::uint64_t { kLot = 501, kLemon, kSite, kRack, kHot, kSag, kDriver, kShiftStream, kBurst, kBadLot };

constexpr std::size_t kHostsPerLot = 6, kRacksPerFeed = 2;
constexpr int kMostGpus = 100'000;  // nine boards of a slot, one after the other, have six digits of a serial number
constexpr double kReleaseDays = 120, kReleaseSpread = 30;
constexpr double kShiftDays = 30;

double lognormal_of_mean_one(std::uint64_t h, double sigma) {
  return std::exp(sigma * Random(h).normal() - sigma * sigma / 2);
}

/// Years that a model had been in service when the archive begins: from, to. By its year of release.
struct Age {
  double least, most;
};
Age age_of(const Part& part) {
  constexpr Age kAges[] = {{1.5, 4.5}, {0.5, 2.5}, {0.1, 1.5}, {0.02, 0.8}};
  return kAges[&part - parts().data()];
}

std::vector<double> poisson(Random& r, double per_year, double from, double until) {
  std::vector<double> out;
  if (per_year <= 0) return out;
  for (double t = from; (t += r.exponential(kSecondsOfYear / per_year)) < until;) out.push_back(t);
  return out;
}

}  // namespace

Result<World> World::create(const ArchivePlan& plan) {
  if (plan.gpus < 1 || plan.gpus > kMostGpus)
    return Error{Errc::invalid_input, fmt::format("{} GPUs: expected 1 to {}", plan.gpus, kMostGpus)};
  if (plan.end <= plan.start)
    return Error{Errc::invalid_input, fmt::format("an archive from {} to {}: the end must lie behind the start", format_rfc3339(plan.start),
                                                  format_rfc3339(plan.end))};
  auto scenario = scenario_named(plan.scenario, plan.seed);
  if (!scenario) return scenario.error();
  World w;
  w.plan_ = plan;
  w.scenario_ = std::move(*scenario);
  w.start_ = to_unix_seconds(plan.start);
  w.end_ = to_unix_seconds(plan.end);
  w.hosts_ = static_cast<std::size_t>((plan.gpus + kGpusPerHost - 1) / kGpusPerHost);
  w.failing_ = std::ranges::any_of(w.scenario_.modes, [](const Mode& m) { return m.rate[1] > 0; });
  w.release_drivers();
  w.shift_software();
  return w;
}

int World::gpus_of(std::size_t host) const {
  return std::min(kGpusPerHost, plan_.gpus - static_cast<int>(host) * kGpusPerHost);
}

HostPlace World::place(std::size_t host) const {
  return place_of(host, hosts_, scenario_.other_site);
}

Lot World::lot(std::size_t host) const {
  const auto number = host / kHostsPerLot, lots = (hosts_ + kHostsPerLot - 1) / kHostsPerLot;
  const auto& p = part(host);
  const auto model = static_cast<std::size_t>(&p - parts().data());
  const auto key = hash_of(plan_.seed, kLot, number, model);
  const bool one_is_bad = scenario_.other_site;
  Lot lot;
  if (uneven()) lot.bad = one_is_bad ? number == hash_of(plan_.seed, kBadLot) % lots : unit(hash_of(key, kBadLot)) < facts::kBadLots;
  const auto age = age_of(p);
  // The one bad lot of another site is of the age at which it shows.
  const double years = lot.bad && one_is_bad ? facts::kBadLotOnset + unit(mix(key)) : age.least + unit(mix(key)) * (age.most - age.least);
  lot.deployed = start_ - years * kSecondsOfYear + std::floor(unit(hash_of(key, host)) * 5) * kSecondsOfDay;
  lot.deployed = std::min(std::floor(lot.deployed / kSecondsOfDay) * kSecondsOfDay, start_ - kSecondsOfDay);
  lot.manufactured = lot.deployed - (30 + std::floor(60 * unit(hash_of(key, 2)))) * kSecondsOfDay;
  lot.manufactured = std::floor(lot.manufactured / kSecondsOfDay) * kSecondsOfDay;
  lot.name = fmt::format("L{:05X}", key % 0xFFFFF);
  return lot;
}

bool World::lemon(std::size_t host) const {
  return uneven() && unit(hash_of(plan_.seed, kLemon, host)) < facts::kLemonHosts;
}

// Sites differ tenfold in the field; a fleet of two has their mean, so that its rate is the table's.
double World::site_factor(std::size_t host) const {
  if (!uneven()) return 1;
  const auto first = (racks() + 1) / 2;
  if (racks() < 2) return 1;
  const double one = lognormal_of_mean_one(hash_of(plan_.seed, kSite, 0), facts::kSiteSigma);
  const double two = lognormal_of_mean_one(hash_of(plan_.seed, kSite, 1), facts::kSiteSigma);
  const double share = static_cast<double>(first) / static_cast<double>(racks());
  return (host / kHostsPerRack < first ? one : two) / (share * one + (1 - share) * two);
}

double World::rack_factor(std::size_t host) const {
  return uneven() ? lognormal_of_mean_one(hash_of(plan_.seed, kRack, host / kHostsPerRack), facts::kRackSigma) : 1;
}

double World::height_factor(std::size_t host, double top_over_bottom) const {
  if (!uneven()) return 1;
  const double height = static_cast<double>(host % kHostsPerRack) / (kHostsPerRack - 1);  // 0 bottom .. 1 top
  return (1 + (top_over_bottom - 1) * height) / (1 + (top_over_bottom - 1) / 2);
}

std::optional<Span> World::hot_spell(std::size_t host) const {
  if (!scenario_.blemishes || !uneven()) return std::nullopt;
  Random r(hash_of(plan_.seed, kHot, host / kHostsPerRack));
  const double mean_days = facts::kHotDays * std::exp(facts::kHotSigma * facts::kHotSigma / 2);
  const double length = r.lognormal(facts::kHotDays, facts::kHotSigma) * kSecondsOfDay;
  const double span = end_ - start_ + length;
  if (r.uniform() >= facts::kHotRacks * span / (mean_days * kSecondsOfDay)) return std::nullopt;
  const double from = start_ - length + r.uniform() * span;
  return Span{from, from + length};
}

std::vector<double> World::sags(std::size_t host) const {
  if (!uneven() || !failing_) return {};
  Random r(hash_of(plan_.seed, kSag, host / (kHostsPerRack * kRacksPerFeed)));
  return poisson(r, facts::kSagsPerYear, start_, horizon());
}

// A release every four months; a bad one is replaced after 45 days. Another site surely meets one, a third into the archive.
void World::release_drivers() {
  Random r(hash_of(plan_.seed, kDriver));
  double t = start_ - r.uniform(10, kReleaseDays) * kSecondsOfDay;
  const double surely = scenario_.other_site && uneven() ? start_ + (end_ - start_) / 3 : horizon();
  bool was_sure = false;
  for (int n = 0; t < horizon(); ++n) {
    const bool must = !was_sure && t >= surely;
    const bool bad = must || (uneven() && failing_ && r.uniform() < facts::kBadDriverPerYear * kReleaseDays / 365);
    was_sure = was_sure || must;
    double until = t + (bad ? facts::kBadDriverDays : kReleaseDays + r.uniform(-kReleaseSpread, kReleaseSpread)) * kSecondsOfDay;
    if (!was_sure && t < surely && surely < horizon()) until = std::min(until, surely);
    drivers_.push_back({{t, until}, fmt::format("570.{}.{:02}", 86 + 14 * n, 15 + 7 * n % 60), bad});
    t = until;
  }
}

void World::shift_software() {
  if (!uneven() || !failing_) return;
  Random r(hash_of(plan_.seed, kShiftStream));
  for (const double t : poisson(r, facts::kShiftsPerYear, start_ - kShiftDays * kSecondsOfDay, end_))
    regimes_.push_back({{t, t + kShiftDays * kSecondsOfDay}, r.lognormal(facts::kShift, facts::kShiftSigma)});
  Random b(hash_of(plan_.seed, kBurst));
  bursts_ = poisson(b, facts::kBurstsPerThousandHosts * static_cast<double>(hosts_) / 1000, start_, end_);
}

}  // namespace ghm::simulation
