#pragma once
#include <cmath>
#include <vector>

#include "domain/health/moments.h"

/// UTC hours in which the load stood still: there a temperature that swings speaks of the cooling.
namespace ghm::health {

inline constexpr std::size_t kSwingHours = 24;

/// °C; a temperature that swings by no more is still.
inline constexpr double kStillWithin = 10;

/// Start of the UTC hour; an hour holds its first second, not its end.
inline double hour_of(double at) {
  return std::floor(at / kHour) * kHour;
}

/// One hour's temperatures and activities, read together.
class HourUnderLoad {
 public:
  void add(double temperature, double activity) {
    temperature_.push_back(temperature);
    activity_.push_back(activity);
    all_loaded_ &= activity >= kUnderLoad;
  }
  /// p95 - p5 of the temperature; 0 where that is still, or the hour is not stable.
  double swing(double interval_s) const {
    constexpr double kLeastPresence = 0.9, kActivitySpread = 0.10;
    const auto readings = static_cast<double>(temperature_.size());
    if (readings == 0 || readings / (kHour / interval_s) < kLeastPresence) return 0;
    if (!all_loaded_ || spread(activity_) > kActivitySpread) return 0;
    const double width = spread(temperature_);
    return width > kStillWithin ? width : 0;
  }

 private:
  static double spread(const std::vector<double>& values) { return percentile(values, 95) - percentile(values, 5); }

  std::vector<double> temperature_, activity_;
  bool all_loaded_ = true;
};

}  // namespace ghm::health
