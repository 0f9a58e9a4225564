#include "domain/anomaly/peer_residual.h"

#include <algorithm>
#include <cmath>

namespace ghm::anomaly {
namespace {

constexpr double kMadToSigma = 1.4826;
constexpr std::size_t kLeastPeers = 3;
constexpr double kMemoryMinutes = 14 * 24 * 60, kPriorMinutes = 6 * 60;
constexpr double kPriorRise = 42;     // °C from idle air to full load: what server boards are built for
constexpr double kPriorSpread = 0.2;  // of the power limit
constexpr double kLeastOfPrior = 0.3, kMostOfPrior = 3;
constexpr double kPriorDoubt = 0.25;  // of the prior slope

double middle(const std::vector<double>& sorted) {
  const auto n = sorted.size();
  if (n == 0) return 0;
  return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

}  // namespace

void PeerMedians::take(std::span<const double> values) {
  sorted_.assign(values.begin(), values.end());
  std::ranges::sort(sorted_);
  distances_.clear();
}

// The others are the sorted row with one place left out: places from there on move up by one.
double PeerMedians::of_others(double x) const {
  const auto rest = sorted_.size() - 1;
  if (sorted_.size() < 2) return x;
  const auto own = static_cast<std::size_t>(std::ranges::lower_bound(sorted_, x) - sorted_.begin());
  const auto at = [&](std::size_t place) { return sorted_[place < own ? place : place + 1]; };
  return rest % 2 == 1 ? at(rest / 2) : (at(rest / 2 - 1) + at(rest / 2)) / 2;
}

double PeerMedians::median() const {
  return middle(sorted_);
}

double PeerMedians::spread() const {
  if (!distances_.empty()) return spread_;
  const double m = median();
  for (const double v : sorted_) distances_.push_back(std::fabs(v - m));
  std::ranges::sort(distances_);
  return spread_ = kMadToSigma * middle(distances_);
}

std::optional<Score> peer_residual(const PeerMedians& group, double x, double least_sigma) {
  if (group.size() < kLeastPeers + 1) return std::nullopt;
  const double expected = group.of_others(x), sigma = std::max(group.spread(), least_sigma);
  return Score{x, expected, sigma, (x - expected) / sigma};
}

void WarmthPerWatt::take(double watts, double celsius, double minutes, double limit_watts) {
  const double keep = std::exp(-minutes / kMemoryMinutes);
  weight_ = weight_ * keep + minutes;
  square_ *= keep, product_ *= keep;
  const double share = minutes / weight_, dw = watts - mean_w_, dc = celsius - mean_c_;
  mean_w_ += share * dw;
  mean_c_ += share * dc;
  square_ += minutes * dw * (watts - mean_w_);
  product_ += minutes * dw * (celsius - mean_c_);
  const double prior = kPriorRise / limit_watts, spread = kPriorSpread * limit_watts;
  const double trust = kPriorMinutes * spread * spread;
  slope_ = std::clamp((product_ + prior * trust) / (square_ + trust), kLeastOfPrior * prior, kMostOfPrior * prior);
  doubt_ = kPriorDoubt * prior * std::sqrt(trust / (square_ + trust));
}

double WarmthPerWatt::doubt(double watts) const {
  return doubt_ * std::fabs(watts - mean_w_);
}

}  // namespace ghm::anomaly
