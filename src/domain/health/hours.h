#pragma once
#include <array>

#include "domain/health/inputs.h"

/// UTC hours [h:00, h + 1:00): what the rules of `v1` count in. An hour's numbers are sums, so that they can be kept as they come.
namespace ghm::health {

/// The number of the UTC hour that holds `at`.
double hour_number(double at);

/// How many hours of (from, to] hold a reading for which `counts`.
struct Hours {
  double count = 0, last_at = 0;
  void add(double at) {
    const double hour = hour_number(at);
    if (count == 0 || hour != hour_) ++count;
    hour_ = hour;
    last_at = at;
  }

 private:
  double hour_ = 0;
};
/// Hours of (from, to] in which a counter grew.
Hours hours_of_growth(Readings counter, double from, double to);
/// Hours of (from, to] in which any bit of `mask` was set.
Hours hours_with_bits(Readings bits, std::uint64_t mask, double from, double to);

/// Degrees per watt of a board, from how temperature follows power within days: the mean of an hour is a point, each day's points
/// are taken from their day's mean, so that a room that grows warmer from day to day is no drift of the board.
/// Days are the last `kDays` times 24 whole UTC hours before the hour of t; day 0 is the latest.
class Resistance {
 public:
  static constexpr std::size_t kDays = 28;
  explicit Resistance(const Evidence& e);

  /// Over days from <= k < to: Σ of temperature · power / Σ of power · power, each about its day's mean. nullopt with fewer than
  /// 48 hours, or where power varied by less than a fifth of its mean (root mean square): such days say nothing.
  std::optional<double> over(std::size_t from, std::size_t to) const;

 private:
  struct Hour {
    double readings = 0, temperature = 0, power = 0;  // sums
  };
  struct Day {
    double hours = 0, power = 0;                    // power: sum of the hours' means
    double power_power = 0, power_temperature = 0;  // about the means
  };
  static Day day_of(std::span<const Hour> hours);
  std::array<Day, kDays> days_;
};

}  // namespace ghm::health
