#pragma once
#include <chrono>
#include <optional>

#include "core/time.h"

namespace ghm::kernel_log {

/// Three clocks at one instant.
struct ClockReading {
  Timestamp wall{};
  std::chrono::microseconds monotonic{};  // as in the kernel's records: from boot on, stops in suspend
  std::chrono::microseconds suspended{};  // time spent in suspend since boot
};
ClockReading read_clocks();

/// Monotonic time to wall clock time, by the clocks of now. A wall clock that steps (a battery-backed clock that was wrong
/// at boot, set right by the network minutes later) makes records before and after disagree; the step is told, so that
/// nobody takes the order of times for the order of things.
class KernelClock {
 public:
  /// How far the wall clock was stepped since the reading before; nullopt below kStep.
  std::optional<std::chrono::milliseconds> look(const ClockReading& now);
  /// Never later than now.
  Timestamp wall_time(std::chrono::microseconds record) const;

  static constexpr std::chrono::seconds kStep{2};  // a clock that is slewed moves 0.5 ms per second

 private:
  std::optional<ClockReading> last_;
};

}  // namespace ghm::kernel_log
