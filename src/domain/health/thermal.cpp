// Thermal dimension of the profile `baseline`. Load decides what a temperature means, so trend and swing look only at
// readings under load (activity of 0.5 or more), and swing only at hours in which the load itself stood still.
#include "domain/health/rules.h"
#include "domain/health/stable_hour.h"

namespace ghm::health {
namespace {

std::optional<Verdict> throttle(const Evidence& e) {
  constexpr double kPointsEach = 10;
  const auto& episodes = e.measures().throttling;
  if (episodes.count == 0) return std::nullopt;
  return Verdict{kPointsEach * episodes.count, episodes.count, 0, episodes.last_at};
}

std::optional<Verdict> mean(const Evidence& e) {
  constexpr double kReference = 75, kPointsPerDegree = 2;
  const double mean = e.measures().temperature;
  if (mean <= kReference) return std::nullopt;
  return Verdict{kPointsPerDegree * (mean - kReference), mean, kReference, e.measures().temperature_at};
}

constexpr std::size_t kTrendDays = 30;

// Least squares over the usable days, °C per day; nullopt with too few of them.
std::optional<double> slope(const Days& days) {
  constexpr double kLeastReadings = 60, kLeastDays = 14;
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t k = 0; k < kTrendDays; ++k) {
    if (days.weight(k) < kLeastReadings) continue;
    const double x = -static_cast<double>(k), y = *days.value(k);
    n += 1, sx += x, sy += y, sxx += x * x, sxy += x * y;
  }
  if (n < kLeastDays) return std::nullopt;
  return (sxy - sx * sy / n) / (sxx - sx * sx / n);
}

std::optional<Verdict> rising(const Evidence& e) {
  constexpr double kPoints = 5, kReference = 2;
  const auto per_day = slope(e.measures().loaded_temperature);
  if (!per_day || kTrendDays * *per_day <= kReference) return std::nullopt;
  return Verdict{kPoints, kTrendDays * *per_day, kReference, e.t()};
}

std::optional<Verdict> swing(const Evidence& e) {
  constexpr double kPoints = 3;
  const auto& m = e.measures();
  if (m.widest_swing <= kStillWithin) return std::nullopt;
  return Verdict{kPoints, m.widest_swing, kStillWithin, m.swing_at};
}

std::optional<Verdict> fan(const Evidence& e) {
  constexpr double kPoints = 5, kReference = 90;
  const auto& m = e.measures();
  if (m.fan_lowest <= kReference) return std::nullopt;
  return Verdict{kPoints, m.fan_lowest, kReference, m.fan_at};
}

}  // namespace

std::span<const Rule> thermal_rules() {
  static const Rule kRules[] = {
      {"thermal.throttle", Effect::deduct, {Of::reasons}, throttle},
      {"thermal.mean", Effect::deduct, {Of::temperature}, mean},
      {"thermal.trend", Effect::deduct, {Of::temperature, Of::activity}, rising},
      {"thermal.swing", Effect::deduct, {Of::temperature, Of::activity}, swing},
      {"thermal.fan", Effect::deduct, {Of::fan}, fan},
  };
  return kRules;
}

}  // namespace ghm::health
