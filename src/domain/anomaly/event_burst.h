#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "core/time.h"
#include "domain/anomaly/score.h"

namespace ghm::anomaly {

/// How often an event is expected before a board has a past of its own: that many a day, worth `days` of observation.
struct PriorRate {
  double per_day = 1, days = 10;
};

/// More events of a counter than its own rate explains. Over each span of the last 5, 10, … 60 minutes with n events where
/// m were expected, the generalised likelihood ratio of a Poisson rate that rose is n ln(n/m) - (n - m); the largest of
/// these, as its signed root z = sqrt(2 GLR), is about normal when nothing happened (Wilks 1938; Kulldorff, "A spatial scan
/// statistic", 1997, in time instead of space). The own rate is the mean of a Gamma posterior: (events + prior events) / (time +
/// prior time), with a memory of 30 days. A counter that falls has restarted, and that is no event. 96 bytes; ~2 ns while
/// nothing happens, ~100 ns while something does.
class EventBurst {
 public:
  static constexpr std::size_t kBins = 12;
  static constexpr std::chrono::minutes kBin{5};

  /// The counter's value (in events). learn: false keeps the own rate as it is.
  void take(double counter, Timestamp now, bool learn);
  /// value: events of the most striking span; expected: by the own rate.
  Score look(PriorRate prior) const;
  /// After a gap or a restart: the next value is where counting begins; the own rate stays.
  void rearm();

 private:
  void turn(Timestamp now, bool learn);

  std::array<float, kBins> bins_{};  // bins_[head_] is the current one
  double last_ = 0;
  Timestamp bin_from_{};
  float total_ = 0, past_events_ = 0, past_seconds_ = 0;
  std::uint8_t head_ = 0, filled_ = 0;  // whole bins behind the current one
  bool known_ = false;
};

}  // namespace ghm::anomaly
