#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "domain/anomaly/score.h"

/// One board against boards of its model on its host at the same minute. They share air, job and hour, so what moves all
/// of them (a hot room, a job that starts) moves no residual; medians keep one sick board from spoiling its peers.
namespace ghm::anomaly {

/// Medians of a group as each member sees it: of the others. Sorted once, O(n log n), then O(log n) a question; no
/// allocation after the first groups of a size.
class PeerMedians {
 public:
  /// values: finite, one per member.
  void take(std::span<const double> values);
  std::size_t size() const { return sorted_.size(); }
  /// x: the member's own value. The median of the other members; of itself when it is alone.
  double of_others(double x) const;
  /// Of all. 0 when there is nobody.
  double median() const;
  /// 1.4826 × the median absolute deviation of all members. Worked out when it is first asked for.
  double spread() const;

 private:
  std::vector<double> sorted_;
  mutable std::vector<double> distances_;  // empty: the spread is not known yet
  mutable double spread_ = 0;
};

/// x against its peers: expected = median of the others, sigma = the group's spread, at least least_sigma. nullopt with
/// fewer than three peers: two cannot outvote one.
std::optional<Score> peer_residual(const PeerMedians& group, double x, double least_sigma);

/// How warm a group's boards get per watt: the slope of T = air + slope·P over time, by exponentially weighted least
/// squares (memory 14 days) on the group's medians, pulled towards a prior slope that counts like readings with a spread of
/// 0.2 × the power limit over 6 hours. The air's own changes are small beside 40 °C between idle and full load. 48 bytes.
class WarmthPerWatt {
 public:
  /// minutes since the last call weigh in; watts and celsius smoothed alike, so that the time constant of the cooler cancels.
  void take(double watts, double celsius, double minutes, double limit_watts);
  /// °C per watt, > 0.
  double slope() const { return slope_; }
  /// How far the line may be off at this power, in °C: before there is evidence the prior slope is good to a quarter, and the
  /// further a power lies from the usual one the more that matters.
  double doubt(double watts) const;

 private:
  double weight_ = 0, mean_w_ = 0, mean_c_ = 0, square_ = 0, product_ = 0;
  double slope_ = 0.06, doubt_ = 0.015;  // °C per watt
};

}  // namespace ghm::anomaly
