#include "domain/anomaly/step_change.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ghm::anomaly {
namespace {

constexpr double kDeviationToSigma = 1.2533;  // sqrt(pi / 2)

}  // namespace

void StepChange::take(double x, bool may_learn) {
  const auto value = static_cast<float>(x);
  if (short_count_ == 0) sum_ = 0;
  if (short_count_ == kShort) {
    if (may_learn) learn(ring_[next_]);
    sum_ -= ring_[next_];
  } else {
    ++short_count_;
  }
  ring_[next_] = value;
  sum_ += value;
  next_ = static_cast<std::uint8_t>((next_ + 1) % kShort);
  // Once a round the sum is made anew, so that rounding does not pile up.
  if (next_ == 0 && short_count_ == kShort) sum_ = std::accumulate(ring_.begin(), ring_.end(), 0.0F);
}

void StepChange::learn(float x) {
  if (long_count_ < kMemory) ++long_count_;
  const float weight = 1.0F / static_cast<float>(long_count_);
  deviation_ += weight * (std::fabs(x - mean_) - deviation_);
  mean_ += weight * (x - mean_);
  if (long_count_ == 1) deviation_ = 0;  // the first value deviates from nothing
}

std::optional<double> StepChange::level() const {
  return short_count_ < kShort ? std::nullopt : std::optional<double>(sum_ / static_cast<float>(kShort));
}

std::optional<Score> StepChange::look(double least_sigma) const {
  if (short_count_ < kShort || long_count_ < kEnough) return std::nullopt;
  const double now = sum_ / static_cast<float>(kShort), before = mean_;
  const double sigma = std::max(kDeviationToSigma * static_cast<double>(deviation_), least_sigma);
  return Score{now, before, sigma, (now - before) / sigma};
}

}  // namespace ghm::anomaly
