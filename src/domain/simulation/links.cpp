#include "domain/simulation/links.h"

#include <algorithm>
#include <cmath>

namespace ghm::simulation {
namespace {

constexpr double kHoursBetweenReplays = 30;  // of a healthy PCIe link; alarms start at 16 to 31 a minute
constexpr double kLaneBytes[] = {0, 0.25e9, 0.5e9, 0.985e9, 1.97e9, 3.94e9, 7.56e9};  // one lane, one direction, by generation

double whole(Random& random, double mean) {
  return std::floor(mean * random.uniform(0.7, 1.3) + random.uniform());
}

}  // namespace

void be_new(Links& l, int nvlinks) {
  for (int n = 0; n < kMostLinks; ++n) l.up[static_cast<std::size_t>(n)] = n < nvlinks;
}

void step_links(Board& b, double t, double dt) {
  auto& l = b.links;
  if (l.next_pcie_replay == 0) l.next_pcie_replay = t + b.random.exponential(kHoursBetweenReplays * 3600);
  while (l.next_pcie_replay <= t) {
    l.pcie_replays += 1;
    l.next_pcie_replay += b.random.exponential(kHoursBetweenReplays * 3600);
  }
  if (b.ill.pcie_replays_per_s > 0) {
    const double n = whole(b.random, b.ill.pcie_replays_per_s * dt);
    l.pcie_replays += n;
    l.pcie_correctable += n;
  }
  if (b.ill.crc_per_s > 0) {
    l.crc += whole(b.random, b.ill.crc_per_s * dt);
    l.replays[static_cast<std::size_t>(b.ill.bad_link)] += whole(b.random, b.ill.crc_per_s * dt / 40);
  }
}

void take_down(Links& l, int link) {
  l.up[static_cast<std::size_t>(link)] = false;
  l.recoveries += 1;
}

void reset_links(Links& l, int nvlinks) {
  l = {};
  be_new(l, nvlinks);
}

int links_up(const Links& l) {
  return static_cast<int>(std::ranges::count(l.up, true));
}

double link_mib_s(const Board& b, int link) {
  return b.links.up[static_cast<std::size_t>(link)] ? 2 * b.part->link_mib_s * b.demand.link : 0;
}

double pcie_bytes_s(const Board& b, double share) {
  const auto gen = static_cast<std::size_t>(std::clamp(*b.spec->pcie_gen, 1, 6));
  return kLaneBytes[gen] * b.links.pcie_width * std::clamp(share, 0.0, 1.0);
}

}  // namespace ghm::simulation
