#include "domain/health/hours.h"

#include <cmath>

namespace ghm::health {

double hour_number(double at) {
  return std::floor(at / kHour);
}

Hours hours_of_growth(Readings counter, double from, double to) {
  Hours hours;
  for_each_step(counter, from, to, [&](double at, double step) {
    if (step > 0) hours.add(at);
  });
  return hours;
}

Hours hours_with_bits(Readings bits, std::uint64_t mask, double from, double to) {
  Hours hours;
  for (const auto& r : within(bits, from, to))
    if (has_bits(r.value, mask)) hours.add(r.at);
  return hours;
}

Resistance::Resistance(const Evidence& e) {
  constexpr std::size_t kHours = 24 * kDays;
  const double this_hour = hour_number(e.t());
  std::array<Hour, kHours> hours{};
  for_each_joined(std::array{&e[Of::temperature], &e[Of::power]}, (this_hour - kHours) * kHour - 1, e.t(), [&](double at, const auto& v) {
    const double k = this_hour - hour_number(at) - 1;
    if (k < 0 || k >= kHours) return;
    auto& hour = hours[static_cast<std::size_t>(k)];
    ++hour.readings;
    hour.temperature += v[0];
    hour.power += v[1];
  });
  for (std::size_t d = 0; d < kDays; ++d) days_[d] = day_of(std::span(hours).subspan(24 * d, 24));
}

Resistance::Day Resistance::day_of(std::span<const Hour> hours) {
  Day day;
  double temperature = 0;
  for (const auto& h : hours) {
    if (h.readings == 0) continue;
    ++day.hours;
    day.power += h.power / h.readings;
    temperature += h.temperature / h.readings;
  }
  for (const auto& h : hours) {
    if (h.readings == 0) continue;
    const double power = h.power / h.readings - day.power / day.hours;
    day.power_power += power * power;
    day.power_temperature += power * (h.temperature / h.readings - temperature / day.hours);
  }
  return day;
}

std::optional<double> Resistance::over(std::size_t from, std::size_t to) const {
  constexpr double kLeastHours = 48, kLeastVariation = 0.2;
  Day sum;
  for (std::size_t d = from; d < to; ++d) {
    sum.hours += days_[d].hours;
    sum.power += days_[d].power;
    sum.power_power += days_[d].power_power;
    sum.power_temperature += days_[d].power_temperature;
  }
  if (sum.hours < kLeastHours || sum.power <= 0) return std::nullopt;
  if (std::sqrt(sum.power_power / sum.hours) < kLeastVariation * sum.power / sum.hours) return std::nullopt;
  return sum.power_temperature / sum.power_power;
}

}  // namespace ghm::health
