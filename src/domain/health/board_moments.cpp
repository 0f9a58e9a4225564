#include "domain/health/board_moments.h"

#include <algorithm>
#include <limits>

namespace ghm::health {
namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

void earliest(Readings readings, double& at) {
  if (!readings.empty() && readings.front().at < at) at = readings.front().at;
}

bool take(Readings& readings, double at, double& value) {
  if (readings.empty() || readings.front().at != at) return false;
  value = readings.front().value;
  readings = readings.subspan(1);
  return true;
}

void skip(Readings& readings, double to) {
  if (!readings.empty()) readings = within(readings, to, readings.back().at);
}

}  // namespace

void BoardMoments::skip_until(double to) {
  for (auto& m : metrics) skip(m.readings, to);
  for (auto* all : {&links, &others, &peers_clocks})
    for (auto& readings : *all) skip(readings, to);
}

bool BoardMoments::next(double to, Moment& now) {
  double at = std::numeric_limits<double>::infinity(), value = 0;
  for (const auto& m : metrics) earliest(m.readings, at);
  for (const auto* all : {&links, &others})
    for (const auto& readings : *all) earliest(readings, at);
  if (at > to) return false;
  now.at = at;
  for (std::size_t i = 0; i < metrics.size(); ++i)
    now.values[i] = take(metrics[i].readings, at, value) ? value / metrics[i].divide : kAbsent;
  now.has_links = false;
  now.links_up = 0;
  for (auto& link : links)
    if (take(link, at, value)) {
      now.has_links = true;
      now.links_up += value == 1;
    }
  for (auto& other : others) take(other, at, value);
  const bool asks_peers = !peers_clocks.empty() && now.has(Of::reasons) && has_bits(now[Of::reasons], kPowerReasons);
  now.peers_clock = asks_peers ? usual_clock_of_peers(at) : kAbsent;
  return true;
}

double BoardMoments::usual_clock_of_peers(double at) {
  std::vector<double> clocks;
  for (auto& peer : peers_clocks) {
    while (!peer.empty() && peer.front().at < at) peer = peer.subspan(1);
    if (!peer.empty() && peer.front().at == at) clocks.push_back(peer.front().value);
  }
  return clocks.empty() ? kAbsent : percentile(std::move(clocks), 50);
}

}  // namespace ghm::health
