#include "domain/anomaly/robust_z.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace ghm::anomaly {
namespace {

constexpr double kMadToSigma = 1.4826;

float median_of(std::span<float> v) {
  const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  if (v.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(v.begin(), middle)) / 2;
}

}  // namespace

std::optional<Score> RobustZ::look(double x, double least_sigma) const {
  if (count_ < kEnough) return std::nullopt;
  const double sigma = std::max(kMadToSigma * static_cast<double>(mad_), least_sigma);
  return Score{x, static_cast<double>(median_), sigma, (x - static_cast<double>(median_)) / sigma};
}

void RobustZ::learn(double x, Timestamp now) {
  if (now < due_) return;
  due_ = now + kSpacing;
  ring_[next_] = static_cast<float>(x);
  next_ = static_cast<std::uint8_t>((next_ + 1) % kHistory);
  count_ = static_cast<std::uint8_t>(std::min<std::size_t>(count_ + 1u, kHistory));
  auto copy = ring_;
  const std::span known(copy.data(), count_);
  median_ = median_of(known);
  for (auto& v : known) v = std::fabs(v - median_);
  mad_ = median_of(known);
}

}  // namespace ghm::anomaly
