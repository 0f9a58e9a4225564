#include "domain/anomaly/cusum_drift.h"

#include <algorithm>
#include <cmath>

namespace ghm::anomaly {
namespace {

constexpr double kClip = 4;  // one wild hour is a step, not a drift

}  // namespace

void CusumDrift::take(double x, double least_sigma) {
  sum_ += static_cast<float>(x);
  if (++values_ < kValues) return;
  last_ = sum_ / static_cast<float>(kValues);
  sum_ = 0;
  values_ = 0;
  judge(last_, least_sigma);
}

void CusumDrift::judge(double mean, double least_sigma) {
  if (means_ < kBaseline) {
    ++means_;
    const double before = mean - baseline_;
    baseline_ += before / means_;
    squares_ += before * (mean - baseline_);
    return;
  }
  const double z = std::clamp((mean - baseline_) / sigma(least_sigma), -kClip, kClip);
  up_ = static_cast<float>(std::clamp(static_cast<double>(up_) + z - kSlack, 0.0, kCeiling));
  down_ = static_cast<float>(std::clamp(static_cast<double>(down_) - z - kSlack, 0.0, kCeiling));
}

double CusumDrift::sigma(double least_sigma) const {
  return std::max(std::sqrt(squares_ / (kBaseline - 1)), least_sigma);
}

std::optional<Score> CusumDrift::look(double least_sigma) const {
  if (means_ < kBaseline) return std::nullopt;
  const double z = up_ >= down_ ? static_cast<double>(up_) : -static_cast<double>(down_);
  return Score{last_, baseline_, sigma(least_sigma), z};
}

}  // namespace ghm::anomaly
