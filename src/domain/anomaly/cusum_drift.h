#pragma once
#include <cstdint>
#include <optional>

#include "domain/anomaly/score.h"

namespace ghm::anomaly {

/// A slow drift that no single value shows: the tabular CUSUM (Page, "Continuous inspection schemes", Biometrika 41, 1954;
/// Montgomery, "Introduction to Statistical Quality Control", chapter 9) over means of 60 values,
/// S+ = max(0, S+ + z - k), S- likewise downwards, z = (mean - baseline) / sigma clipped to ±4.
/// The baseline is the mean and the standard deviation of the first 48 means (two days under load), and then stands: a
/// baseline that follows would follow the drift. 48 bytes, ~1 ns a value.
class CusumDrift {
 public:
  static constexpr std::uint8_t kValues = 60, kBaseline = 48;
  static constexpr double kSlack = 1;  // k: drifts below one sigma of an hour are no drifts
  static constexpr double kCeiling = 24;

  /// One value a minute, finite. least_sigma > 0: of a mean of 60.
  void take(double x, double least_sigma);
  /// value: the last mean; z: the larger of the two sums, signed, at most kCeiling. nullopt until the baseline is known.
  std::optional<Score> look(double least_sigma) const;

 private:
  void judge(double mean, double least_sigma);
  double sigma(double least_sigma) const;

  double baseline_ = 0, squares_ = 0;  // Welford
  float sum_ = 0, last_ = 0;
  float up_ = 0, down_ = 0;
  std::uint8_t values_ = 0, means_ = 0;
};

}  // namespace ghm::anomaly
