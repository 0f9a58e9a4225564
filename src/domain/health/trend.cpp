#include "domain/health/trend.h"

#include <algorithm>

namespace ghm::health {
namespace {

constexpr double kLeastRounds = 48;  // half of a day's 96
constexpr double kMost = 10;

}  // namespace

std::optional<double> trend(Rounds today, std::optional<double> overall, const Rounds& then) {
  if (overall) today.add(*overall);
  if (today.count < kLeastRounds || then.count < kLeastRounds) return std::nullopt;
  return std::clamp(today.mean() - then.mean(), -kMost, kMost);
}

std::string_view risk_of(std::optional<double> overall, std::optional<double> trend_7d, bool is_critical) {
  if (is_critical) return "critical";
  if (!overall) return {};
  const double slope = trend_7d.value_or(0);
  if (*overall < 50) return "critical";
  if (*overall < 70 || slope <= -5) return "high";
  return *overall < 80 || slope <= -2 ? "medium" : "low";
}

}  // namespace ghm::health
