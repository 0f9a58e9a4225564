// Thermal dimension of the profile `baseline`. Load decides what a temperature means, so trend and swing look only at
// readings under load (activity of 0.5 or more), and swing only at hours in which the load itself stood still.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "domain/health/scorers.h"
#include "domain/health/sheet.h"

namespace ghm::health {
namespace {

constexpr std::uint64_t kThermalReasons = 0x60;  // software and hardware thermal slowdown; NVML clocks event reasons
constexpr double kUnderLoad = 0.5;

struct Inputs {
  Metric reasons, temperature, activity, fan;
};

bool throttled(const Reading& r) {
  return (static_cast<std::uint64_t>(r.value) & kThermalReasons) != 0;
}

// Neighbours are one episode when no reading lies between them, however long the gap, or when less than a minute does.
void throttle(const Input& in, const Metric& reasons, Sheet& sheet) {
  constexpr double kPointsEach = 10, kSameEpisode = 60;
  const Reading* last = nullptr;
  int episodes = 0;
  for (const auto& r : within(reasons.readings, in.t - kDay, in.t)) {
    if (!throttled(r)) continue;
    const bool same = last && (last + 1 == &r || r.at - last->at < kSameEpisode);
    episodes += same ? 0 : 1;
    last = &r;
  }
  if (episodes > 0) sheet.deduct("thermal.throttle", kPointsEach * episodes, {double(episodes), 0, last->at});
}

void mean(const Input& in, const Metric& temperature, Sheet& sheet) {
  constexpr double kReference = 75, kPointsPerDegree = 2;
  const auto day = within(temperature.readings, in.t - kDay, in.t);
  double sum = 0;
  for (const auto& r : day) sum += r.value;
  const double mean = sum / static_cast<double>(day.size());
  if (mean > kReference) sheet.deduct("thermal.mean", kPointsPerDegree * (mean - kReference), {mean, kReference, day.back().at});
}

constexpr std::size_t kTrendDays = 30;
struct DayUnderLoad {
  double sum = 0;
  int readings = 0;
};
using Days = std::array<DayUnderLoad, kTrendDays>;

Days days_under_load(const Input& in, const Inputs& m) {
  Days days{};
  for_each_pair(m.temperature, m.activity, in.t - kTrendDays * kDay, in.t, [&](double at, double temperature, double activity) {
    const auto k = static_cast<std::size_t>((in.t - at) / kDay);
    if (activity < kUnderLoad || k >= kTrendDays) return;
    days[k].sum += temperature;
    ++days[k].readings;
  });
  return days;
}

// Least squares over the usable days, °C per day; nullopt with too few of them.
std::optional<double> slope(const Days& days) {
  constexpr int kLeastReadings = 60, kLeastDays = 14;
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t k = 0; k < days.size(); ++k) {
    if (days[k].readings < kLeastReadings) continue;
    const double x = -static_cast<double>(k), y = days[k].sum / days[k].readings;
    n += 1, sx += x, sy += y, sxx += x * x, sxy += x * y;
  }
  if (n < kLeastDays) return std::nullopt;
  return (sxy - sx * sy / n) / (sxx - sx * sx / n);
}

void trend(const Input& in, const Inputs& m, Sheet& sheet) {
  constexpr double kPoints = 5, kReference = 2;
  const auto per_day = slope(days_under_load(in, m));
  if (!per_day) return;
  const double rise = kTrendDays * *per_day;
  if (rise > kReference) sheet.deduct("thermal.trend", kPoints, {rise, kReference, in.t});
}

constexpr std::size_t kSwingHours = 24;
struct Hour {
  std::vector<double> temperature, activity;
  bool all_loaded = true;
};

// The whole UTC hours before the hour of t, latest first.
std::array<Hour, kSwingHours> last_hours(const Input& in, const Inputs& m) {
  const double this_hour = std::floor(in.t / kHour) * kHour;
  std::array<Hour, kSwingHours> hours;
  for_each_pair(m.temperature, m.activity, this_hour - kSwingHours * kHour - 1, in.t, [&](double at, double temperature, double activity) {
    const double ago = std::floor(at / kHour) * kHour;  // an hour holds its first second, not its end
    const double k = (this_hour - ago) / kHour - 1;
    if (k < 0 || k >= kSwingHours) return;
    auto& hour = hours[static_cast<std::size_t>(k)];
    hour.temperature.push_back(temperature);
    hour.activity.push_back(activity);
    hour.all_loaded &= activity >= kUnderLoad;
  });
  return hours;
}

double spread(const std::vector<double>& values) {
  return percentile(values, 95) - percentile(values, 5);
}

bool is_stable(const Input& in, const Hour& hour) {
  constexpr double kLeastPresence = 0.9, kActivitySpread = 0.10;
  const auto readings = static_cast<double>(hour.temperature.size());
  return readings / (kHour / in.interval_s) >= kLeastPresence && hour.all_loaded && spread(hour.activity) <= kActivitySpread;
}

void swing(const Input& in, const Inputs& m, Sheet& sheet) {
  constexpr double kPoints = 3, kReference = 10;
  const double this_hour = std::floor(in.t / kHour) * kHour;
  Seen widest{kReference, kReference, 0};
  const auto hours = last_hours(in, m);
  for (std::size_t k = 0; k < hours.size(); ++k) {
    if (!is_stable(in, hours[k])) continue;
    const double width = spread(hours[k].temperature);
    if (width > widest.value) widest = {width, kReference, this_hour - static_cast<double>(k) * kHour};
  }
  if (widest.value > kReference) sheet.deduct("thermal.swing", kPoints, widest);
}

void fan(const Input& in, const Metric& speed, Sheet& sheet) {
  constexpr double kPoints = 5, kReference = 90;
  const auto hour = within(speed.readings, in.t - kHour, in.t);
  const double lowest = std::ranges::min_element(hour, {}, &Reading::value)->value;
  if (lowest > kReference) sheet.deduct("thermal.fan", kPoints, {lowest, kReference, hour.back().at});
}

}  // namespace

Dimension score_thermal(const Input& in) {
  const Inputs m{metric(in, "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"), metric(in, "DCGM_FI_DEV_GPU_TEMP"), activity(in),
                 metric(in, "DCGM_FI_DEV_FAN_SPEED")};
  Sheet sheet(in, "thermal");
  const bool has_reasons = sheet.list(m.reasons), has_temperature = sheet.list(m.temperature);
  const bool has_both = sheet.list(m.activity) && has_temperature;
  const bool has_fan = sheet.list(m.fan, kHour);
  if (has_reasons) throttle(in, m.reasons, sheet);
  if (has_temperature) mean(in, m.temperature, sheet);
  if (has_both) trend(in, m, sheet);
  if (has_both) swing(in, m, sheet);
  if (has_fan) fan(in, m.fan, sheet);
  return std::move(sheet).finish();
}

}  // namespace ghm::health
