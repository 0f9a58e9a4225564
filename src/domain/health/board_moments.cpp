#include "domain/health/board_moments.h"

#include <algorithm>
#include <limits>

namespace ghm::health {
namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

void earliest(const Readings& readings, double& at) {
  if (!readings.empty() && readings.front().at < at) at = readings.front().at;
}

// Takes the reading of `at`, and looks at the one after it.
bool take(Readings& readings, double at, double& value, double& next_at) {
  if (readings.empty()) return false;
  const bool now = readings.front().at == at;
  if (now) {
    value = readings.front().value;
    readings = readings.subspan(1);
  }
  earliest(readings, next_at);
  return now;
}

void skip(Readings& readings, double to) {
  if (!readings.empty()) readings = within(readings, to, readings.back().at);
}

}  // namespace

void BoardMoments::skip_until(double to) {
  for (auto& m : metrics) skip(m.readings, to);
  for (auto* all : {&links, &others, &peers_clocks})
    for (auto& readings : *all) skip(readings, to);
  next_at_ = -1;
}

void BoardMoments::begin() {
  next_at_ = std::numeric_limits<double>::infinity();
  for (const auto& m : metrics) earliest(m.readings, next_at_);
  for (const auto* all : {&links, &others})
    for (const auto& readings : *all) earliest(readings, next_at_);
}

bool BoardMoments::next(double to, Moment& now) {
  if (next_at_ < 0) begin();
  const double at = next_at_;
  if (at > to) return false;
  double next_at = std::numeric_limits<double>::infinity(), value = 0;
  now.at = at;
  for (std::size_t i = 0; i < metrics.size(); ++i)
    now.values[i] = take(metrics[i].readings, at, value, next_at) ? value / metrics[i].divide : kAbsent;
  now.has_links = false;
  now.links_up = 0;
  for (auto& link : links)
    if (take(link, at, value, next_at)) {
      now.has_links = true;
      now.links_up += value == 1;
    }
  for (auto& other : others) take(other, at, value, next_at);
  next_at_ = next_at;
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
