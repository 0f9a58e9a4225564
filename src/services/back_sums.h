#pragma once
#include <memory>

#include "services/rounds.h"

namespace ghm::services {

/// One board's sums, carried on through its past: a round reads one quarter of an hour (rounds.h). Peers are not known of the past.
/// ~0.5 MB while they are there.
class BackSums {
 public:
  /// Whether sums are there that can be taken to `t`: they stand before it, at most 31 days, and are of readings of that interval.
  bool can_go_on(const fleet::Board& board, Timestamp t, std::chrono::milliseconds interval) const;
  /// Takes them to `t`, noting on the way those of `previous` (by time; at quarters of an hour) that were formed in between, and shows
  /// them to `visit`, which may note a score. False: another metric speaks, begin anew; `visit` has not been called.
  Result<bool> go_on(const fleet::Board& board, Timestamp t, const health::Series& previous, const Rounds::Visit& visit);
  /// From the board's readings at `t`. `telemetry`: what rounds will be read from, outlives the sums. unavailable: no memory for sums.
  Result<void> begin(const store::TelemetryStore& telemetry, const fleet::Board& board, const health::Evidence& evidence, Timestamp t,
                     const HowScored& how, const Rounds::Visit& visit);

 private:
  Timestamp next_stop(Timestamp t, const health::Series& previous) const;

  std::unique_ptr<Rounds> rounds_;
  Timestamp at_{};
  std::chrono::milliseconds interval_{};
};

}  // namespace ghm::services
