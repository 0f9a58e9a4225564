#pragma once
#include <cstdint>
#include <optional>

#include "core/time.h"
#include "domain/anomaly/score.h"

namespace ghm::anomaly {

/// A sensor that stands still although it should move. Only changed values count: from them the sensor's own refresh
/// period is learnt (an exponential mean of the spans between changes, weight 1/8), so a slow exporter is not a stuck one.
/// Where a sensor may rightly stand still (a temperature in whole degrees on an idle board), it is stuck only when its
/// driver (power for temperature) has meanwhile swung by a whole band, which physics does not allow to pass unseen.
/// Idea: the flat-line and cross-sensor tests of oceanographic and meteorological quality control (QARTOD, "Manual for
/// Real-Time Quality Control", IOOS 2020; WMO-No. 8). 48 bytes, ~2 ns.
class StuckSensor {
 public:
  /// x: what the sensor says; driver: what makes it move, in its own unit.
  void take(double x, double driver, Timestamp now);
  /// How long it has stood still (value, seconds) against its usual span (expected, sigma); z counts usual spans. nullopt:
  /// unknown until 4 changes were seen, or not to be judged: the driver has swung by less than `band` since the last
  /// change (0: it must move by itself).
  std::optional<Score> look(double band, Timestamp now) const;
  /// After a gap: the last change is forgotten, the refresh period stays.
  void rearm() { known_ = false; }

 private:
  float last_ = 0, low_ = 0, high_ = 0;  // of the driver, since the last change
  float usual_s_ = 0;
  std::uint8_t changes_ = 0;
  bool known_ = false;
  Timestamp changed_{};
};

}  // namespace ghm::anomaly
