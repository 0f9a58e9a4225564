#include "domain/health/trend.h"

#include <algorithm>

#include "domain/health/windows.h"

namespace ghm::health {
namespace {

constexpr std::size_t kLeastRounds = 48;  // half of a day's 96
constexpr double kMost = 10;

struct Rounds {
  double sum = 0;
  std::size_t count = 0;
  void add(double score) {
    sum += score;
    ++count;
  }
  double mean() const { return sum / static_cast<double>(count); }
};

Rounds rounds(Readings scores, double from, double to) {
  Rounds r;
  for (const auto& s : within(scores, from, to)) r.add(s.value);
  return r;
}

}  // namespace

std::optional<double> trend(const Input& in, std::optional<double> overall, int days) {
  const Readings all = in.previous_scores;
  const auto now = std::ranges::lower_bound(all, in.t, {}, &Reading::at);  // the round at t is the one just formed
  const auto before = all.first(static_cast<std::size_t>(now - all.begin()));
  auto latest = rounds(before, in.t - kDay, in.t);
  if (overall) latest.add(*overall);
  const double end = in.t - days * kDay;
  const auto then = rounds(before, end - kDay, end);
  if (latest.count < kLeastRounds || then.count < kLeastRounds) return std::nullopt;
  return std::clamp(latest.mean() - then.mean(), -kMost, kMost);
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
