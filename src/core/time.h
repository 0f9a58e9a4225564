#pragma once
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/result.h"

namespace ghm {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;                       // every span of time
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;  // every moment, UTC

/// from <= t < to.
struct TimeRange {
  Timestamp from;
  Timestamp to;
  bool contains(Timestamp t) const { return from <= t && t < to; }
};

/// "2026-02-09T19:00:00Z"; milliseconds are written only when there are some.
std::string format_rfc3339(Timestamp t);

/// RFC 3339 with any offset, or Unix seconds ("1770663600", "1770663600.25"). Leap second 60 reads as 59.
Result<Timestamp> parse_time(std::string_view text);

/// A span as Prometheus writes it: "250ms", "10s", "5m", "1h30m", "7d", "2w", "1y". No bare numbers but "0".
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest form that parse_duration reads back: "1h30m", "10s".
std::string format_duration(std::chrono::milliseconds d);

/// Seconds since the epoch as a double, for JSON series and formulas.
inline double to_unix_seconds(Timestamp t) {
  return static_cast<double>(t.time_since_epoch().count()) / 1000.0;
}
inline Timestamp from_unix_ms(std::int64_t ms) {
  return Timestamp(std::chrono::milliseconds(ms));
}
inline std::int64_t to_unix_ms(Timestamp t) {
  return t.time_since_epoch().count();
}

/// Only loops hold a Clock; pure code takes `Timestamp now`.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
  /// False when stopped before `t`.
  virtual bool sleep_until(Timestamp t, std::stop_token stop) = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  bool sleep_until(Timestamp t, std::stop_token stop) override;
};

/// A clock that tests turn by hand; sleep_until jumps to `t` at once.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Timestamp start) : now_(start) {}
  Timestamp now() const override { return now_; }
  bool sleep_until(Timestamp t, std::stop_token stop) override {
    now_ = std::max(now_, t);
    return !stop.stop_requested();
  }
  void advance(std::chrono::milliseconds d) { now_ += d; }

 private:
  Timestamp now_;
};

}  // namespace ghm
