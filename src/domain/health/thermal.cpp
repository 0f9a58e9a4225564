// Thermal dimension of the profile `baseline`. Load decides what a temperature means, so trend and swing look only at
// readings under load (activity of 0.5 or more), and swing only at hours in which the load itself stood still.
#include <algorithm>
#include <array>
#include <cmath>

#include "domain/health/rules.h"

namespace ghm::health {
namespace {

constexpr std::uint64_t kThermalReasons = 0x60;  // software and hardware thermal slowdown; NVML clocks event reasons
constexpr double kUnderLoad = 0.5;

std::optional<Verdict> throttle(const Evidence& e) {
  constexpr double kPointsEach = 10;
  double episodes = 0, last_at = 0;
  for_each_in_episodes(
      e[Of::reasons].readings, e.t() - kDay, e.t(), [](double v) { return has_bits(v, kThermalReasons); },
      [&](const Reading& r, bool first) {
        episodes += first ? 1 : 0;
        last_at = r.at;
      });
  if (episodes == 0) return std::nullopt;
  return Verdict{kPointsEach * episodes, episodes, 0, last_at};
}

std::optional<Verdict> mean(const Evidence& e) {
  constexpr double kReference = 75, kPointsPerDegree = 2;
  const auto day = within(e[Of::temperature].readings, e.t() - kDay, e.t());
  double sum = 0;
  for (const auto& r : day) sum += r.value;
  const double mean = sum / static_cast<double>(day.size());
  if (mean <= kReference) return std::nullopt;
  return Verdict{kPointsPerDegree * (mean - kReference), mean, kReference, day.back().at};
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
  Days days(e.t());
  for_each_joined(std::array{&e[Of::temperature], &e[Of::activity]}, e.t() - kMonth, e.t(), [&](double at, const auto& v) {
    if (v[1] >= kUnderLoad) days.add(at, v[0]);
  });
  const auto per_day = slope(days);
  if (!per_day || kTrendDays * *per_day <= kReference) return std::nullopt;
  return Verdict{kPoints, kTrendDays * *per_day, kReference, e.t()};
}

constexpr std::size_t kSwingHours = 24;
struct Hour {
  std::vector<double> temperature, activity;
  bool all_loaded = true;
};

double hour_of(double at) {
  return std::floor(at / kHour) * kHour;
}

// The whole UTC hours before the hour of t, latest first. An hour holds its first second, not its end.
std::array<Hour, kSwingHours> last_hours(const Evidence& e) {
  const double this_hour = hour_of(e.t());
  std::array<Hour, kSwingHours> hours;
  for_each_joined(std::array{&e[Of::temperature], &e[Of::activity]}, this_hour - kSwingHours * kHour - 1, e.t(),
                  [&](double at, const auto& v) {
                    const double k = (this_hour - hour_of(at)) / kHour - 1;
                    if (k < 0 || k >= kSwingHours) return;
                    auto& hour = hours[static_cast<std::size_t>(k)];
                    hour.temperature.push_back(v[0]);
                    hour.activity.push_back(v[1]);
                    hour.all_loaded &= v[1] >= kUnderLoad;
                  });
  return hours;
}

double spread(const std::vector<double>& values) {
  return percentile(values, 95) - percentile(values, 5);
}

bool is_stable(const Evidence& e, const Hour& hour) {
  constexpr double kLeastPresence = 0.9, kActivitySpread = 0.10;
  const auto readings = static_cast<double>(hour.temperature.size());
  if (readings == 0 || readings / (kHour / e.input().interval_s) < kLeastPresence) return false;
  return hour.all_loaded && spread(hour.activity) <= kActivitySpread;
}

std::optional<Verdict> swing(const Evidence& e) {
  constexpr double kPoints = 3, kReference = 10;
  Verdict widest{kPoints, kReference, kReference};
  const auto hours = last_hours(e);
  for (std::size_t k = 0; k < hours.size(); ++k) {
    if (!is_stable(e, hours[k])) continue;
    const double width = spread(hours[k].temperature);
    if (width <= widest.value) continue;
    widest.value = width;
    widest.at = hour_of(e.t()) - static_cast<double>(k) * kHour;
  }
  return widest.value > kReference ? std::optional(widest) : std::nullopt;
}

std::optional<Verdict> fan(const Evidence& e) {
  constexpr double kPoints = 5, kReference = 90;
  const auto hour = within(e[Of::fan].readings, e.t() - kHour, e.t());
  const double lowest = std::ranges::min_element(hour, {}, &Reading::value)->value;
  if (lowest <= kReference) return std::nullopt;
  return Verdict{kPoints, lowest, kReference, hour.back().at};
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
