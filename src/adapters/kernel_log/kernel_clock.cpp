#include "adapters/kernel_log/kernel_clock.h"

#include <time.h>

#include <algorithm>

namespace ghm::kernel_log {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

microseconds read(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::duration_cast<microseconds>(std::chrono::nanoseconds(t.tv_nsec));
}

// When the monotonic clock stood at 0, by the wall clock; a suspend moves it, and that is no step.
microseconds origin(const ClockReading& r) {
  return r.wall.time_since_epoch() - r.monotonic - r.suspended;
}

}  // namespace

ClockReading read_clocks() {
  const auto monotonic = read(CLOCK_MONOTONIC);
  return {Timestamp(std::chrono::floor<milliseconds>(read(CLOCK_REALTIME))), monotonic,
          std::max(microseconds(0), read(CLOCK_BOOTTIME) - monotonic)};
}

std::optional<milliseconds> KernelClock::look(const ClockReading& now) {
  const auto before = std::exchange(last_, now);
  if (!before) return std::nullopt;
  const auto step = origin(now) - origin(*before);
  if (std::chrono::abs(step) < kStep) return std::nullopt;
  return std::chrono::duration_cast<milliseconds>(step);
}

Timestamp KernelClock::wall_time(microseconds record) const {
  if (!last_) return {};
  const auto age = std::max(microseconds(0), last_->monotonic - record);
  return last_->wall - std::chrono::duration_cast<milliseconds>(age);
}

}  // namespace ghm::kernel_log
