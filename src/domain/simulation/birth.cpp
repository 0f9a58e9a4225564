#include "domain/simulation/birth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "domain/simulation/links.h"
#include "domain/simulation/memory_errors.h"

namespace ghm::simulation {
namespace {

enum Stream : std::uint64_t { kPart = 301, kRack, kSite, kHost, kBoard, kUuid, kSerial };

constexpr double kDay = 86400;
constexpr double kInlet = 24, kInletSpread = 0.9;  // °C
constexpr double kHotRackShare = 0.05, kHotRack = 6;
constexpr double kLemonShare = 0.012, kLemonHazard = 10;
constexpr double kSiteSigma = 0.8;
constexpr double kActiveShare = 0.05 * 12 / 365;  // boards with corrected errors at any time
constexpr double kPreheat = 3.5;                  // °C, the rear four at full load
constexpr std::size_t kMostGpus = 1'000'000;      // serial numbers end in six digits

struct Site {
  std::string_view datacenter, region;
};
constexpr Site kSites[] = {{"fra1", "eu-central"}, {"iad1", "us-east"}};
constexpr Site kOtherSites[] = {{"ams2", "eu-west"}, {"sjc3", "us-west"}};

std::size_t rack_of(std::size_t host) {
  return host / kHostsPerRack;
}

// Unlike for all GPUs of a fleet: 37 has no common factor with a million.
std::string serial_of(std::uint64_t seed, const Part& part, std::size_t gpu) {
  const auto week = 1 + hash_of(seed, kSerial, gpu / 64) % 52;
  const auto number = (gpu * 37 + hash_of(seed, kSerial) % kMostGpus) % kMostGpus;
  return fmt::format("{}{}{:02}{:06}", part.serial_prefix, hash_of(seed, kSerial, 1) % 2 + 2, week, number);
}

std::string uuid_of(std::uint64_t seed, std::size_t gpu) {
  const auto a = hash_of(seed, kUuid, gpu, 1), b = hash_of(seed, kUuid, gpu, 2);
  return fmt::format("GPU-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xFFFF, a & 0xFFFF, b >> 48, b & 0xFFFF'FFFF'FFFF);
}

Traits traits_of(Board& b, std::uint64_t seed, std::size_t host, const Scenario& scenario) {
  auto& r = b.random;
  Traits t;
  t.resistance = std::clamp(1 + 0.05 * r.normal(), 0.88, 1.14);
  t.leakage = std::clamp(1 + 0.02 * r.normal(), 0.94, 1.06);
  t.idle_w = r.uniform(b.part->idle_w_low, b.part->idle_w_high);
  t.preheat_c = b.id.index < kGpusPerHost / 2 ? 0 : kPreheat;
  if (r.uniform() < kActiveShare) t.corrected_per_day = 2 * r.lognormal(8, 1.0);
  if (!scenario.lemons) return t;
  const bool lemon = unit(hash_of(seed, kHost, host)) < kLemonShare;
  t.hazard = r.gamma_half() * (lemon ? kLemonHazard : 1) / (1 + kLemonShare * (kLemonHazard - 1));
  Random site(hash_of(seed, kSite, rack_of(host)));
  t.site_hazard = std::exp(kSiteSigma * site.normal() - kSiteSigma * kSiteSigma / 2);
  return t;
}

// The driver was loaded some weeks ago; the board has worked since.
void age(Board& b) {
  const double up = b.random.uniform(3, 60) * kDay;
  b.thermal.energy_mj = std::floor(up * b.tdp() * b.random.uniform(0.45, 0.65)) * 1000;
  b.thermal.power_cap_ns = std::floor(up * b.random.uniform(0.05, 0.15)) * 1e9;
  b.thermal.low_use_ns = std::floor(up * b.random.uniform(0.2, 0.4)) * 1e9;
  b.links.pcie_replays = std::floor(b.random.exponential(up / kDay / 2));
}

}  // namespace

HostPlace place_of(std::size_t number, std::size_t hosts, bool other_site) {
  const auto& sites = other_site ? kOtherSites : kSites;
  const auto racks = (hosts + kHostsPerRack - 1) / kHostsPerRack, first_site = (racks + 1) / 2;
  const auto rack = rack_of(number);
  const bool second = rack >= first_site;
  const auto& site = sites[second ? 1 : 0];
  const auto in_site = second ? rack - first_site : rack;
  const auto host_in_site = number - (second ? first_site * kHostsPerRack : 0);
  return {fmt::format("{}-gpu-{:04}", site.datacenter, host_in_site + 1), std::string(site.region), std::string(site.datacenter),
          fmt::format("{}-r{:02}", site.datacenter, in_site + 1)};
}

const Part& part_of(std::uint64_t seed, std::size_t host) {
  double u = unit(hash_of(seed, kPart, host / 2));
  for (const auto& p : parts())
    if ((u -= p.share) < 0) return p;
  return parts().back();
}

Surroundings surroundings_of(std::uint64_t seed, std::size_t host, const Scenario& scenario) {
  Surroundings s;
  s.number = host;
  s.rack = rack_of(host);
  Random rack(hash_of(seed, kRack, s.rack));
  s.inlet_c = kInlet + scenario.inlet_offset_c + kInletSpread * rack.normal();
  if (scenario.blemishes && rack.uniform() < kHotRackShare) s.inlet_c += kHotRack;
  return s;
}

BoardIdentity identity_of(std::uint64_t seed, const Part& part, int index, std::size_t gpu) {
  return {index, serial_of(seed, part, gpu), uuid_of(seed, gpu),
          fmt::format("00000000:{:02X}:00.0", part.buses[static_cast<std::size_t>(index)])};
}

Board board_of(std::uint64_t seed, std::size_t host, int index, const Scenario& scenario) {
  const auto gpu = host * kGpusPerHost + static_cast<std::size_t>(index);
  Board b;
  b.random = Random(hash_of(seed, kBoard, gpu));
  b.part = &part_of(seed, host);
  b.spec = &spec_of(*b.part);
  b.id = identity_of(seed, *b.part, index, gpu);
  b.traits = traits_of(b, seed, host, scenario);
  be_new(b.memory, *b.part);
  be_new(b.links, b.spec->nvlinks);
  age(b);
  return b;
}

void blemish(Board& b, Blemish what) {
  switch (what) {
    case Blemish::none: break;
    case Blemish::warm: b.traits.resistance = 1.32; break;
    case Blemish::remap_pending:
      mark_row(b.memory);
      b.memory.sbe_aggregate += 11;
      break;
    case Blemish::corrected_errors: b.traits.corrected_per_day = 24; break;
    case Blemish::narrow_pcie: b.links.pcie_width = 8; break;
  }
}

}  // namespace ghm::simulation
