#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "core/time.h"
#include "domain/anomaly/score.h"

namespace ghm::anomaly {

/// A level that changed and stays changed: the mean of the last 8 values against the mean of what came before them,
/// z = (short - long) / sigma, sigma = 1.25 × the long mean absolute deviation (1.2533 for normal data). Two sliding
/// windows as in Basseville & Nikiforov, "Detection of Abrupt Changes", 1993, section 2.1, with the noise of single values as
/// the scale: neighbouring minutes are not independent, so the means earn no sqrt(n).
/// What leaves the short window is learnt with weight max(1/n, 1/720), half a day of minutes. 64 bytes, ~3 ns.
class StepChange {
 public:
  static constexpr std::size_t kShort = 8;
  static constexpr std::uint16_t kEnough = 60, kMemory = 720;

  /// One value a minute, finite. learn: false keeps the long window as it is (while a step is being judged).
  void take(double x, bool learn);
  /// nullopt until the short window is full and the long one holds 60 values.
  std::optional<Score> look(double least_sigma) const;
  /// The mean of the last 8 values; nullopt until there are as many.
  std::optional<double> level() const;
  /// After a gap: the short window is empty again, the long one stays.
  void rearm() { short_count_ = next_ = 0; }

 private:
  void learn(float x);

  std::array<float, kShort> ring_{};
  float sum_ = 0, mean_ = 0, deviation_ = 0;
  std::uint16_t long_count_ = 0;
  std::uint8_t short_count_ = 0, next_ = 0;
};

}  // namespace ghm::anomaly
