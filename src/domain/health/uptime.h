#pragma once
#include <array>
#include <cstdint>

#include "domain/health/health.h"

namespace ghm::health {

/// Minutes of the last 30 days. Left out of both: before deployment, maintenance, drain, and a source silent for all its boards.
struct Uptime {
  int counted = 0, reported = 0;
  double last_missing_at = 0;  // end of the latest minute that counts and was not reported
};

inline constexpr int kUptimeMinutes = 30 * 24 * 60;
/// A bit per minute of the last 30 days, the latest last: minute m, which ends at t - 60 s · m, is bit kUptimeMinutes - 1 - m.
class MinuteBits {
 public:
  bool has(int bit) const { return words_[static_cast<std::size_t>(bit / 64)] >> (bit % 64) & 1; }
  void set(int bit) { words_[static_cast<std::size_t>(bit / 64)] |= std::uint64_t{1} << (bit % 64); }
  /// Bits of [first, last].
  void set_all(int first, int last);
  /// 15 bits from `first` on, none of which is set yet.
  void set_quarter(int first, std::uint16_t bits);
  std::array<std::uint64_t, kUptimeMinutes / 64>& words() { return words_; }
  const std::array<std::uint64_t, kUptimeMinutes / 64>& words() const { return words_; }

 private:
  std::array<std::uint64_t, kUptimeMinutes / 64> words_{};
};
static_assert(kUptimeMinutes % 64 == 0);

/// A minute (T - 60 s, T], T = t - 60 s · m, is reported if any reading lies in (T - max(60 s, interval), T]. One walk over the
/// busiest series; the others are looked at only where that one is silent.
Uptime uptime(const Input& input);
/// The same where somebody noted which minutes were reported.
Uptime uptime(const Input& input, const MinuteBits& reported);

}  // namespace ghm::health
