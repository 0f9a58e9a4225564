#pragma once
#include <span>
#include <vector>

#include "domain/health/quarter.h"

namespace ghm::health {

/// A board's series side by side: every instant at which anything was read, once, in time order. ~100 ns an instant.
class BoardMoments {
 public:
  /// By Of; what nobody speaks for is empty. Activity in percent has divide 100.
  std::array<Metric, kMetricInputs> metrics;
  std::vector<Readings> links;
  std::vector<Readings> others;        // count as signs of life alone
  std::vector<Readings> peers_clocks;  // SM clock of each board of the model on the host but this one

  /// Calls see(moment) for at <= to, from where the call before stopped.
  template <class See>
  void until(double to, See see) {
    Moment now;
    while (next(to, now)) see(std::as_const(now));
  }
  void skip_until(double to);

 private:
  bool next(double to, Moment& now);
  void begin();
  double usual_clock_of_peers(double at);

  double next_at_ = -1;  // the earliest that is left; below zero: not looked for yet
};

}  // namespace ghm::health
