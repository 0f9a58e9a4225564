#pragma once
#include <array>
#include <cmath>
#include <vector>

#include "domain/anomaly/checks.h"
#include "domain/anomaly/cusum_drift.h"
#include "domain/anomaly/hysteresis.h"
#include "domain/anomaly/peer_group.h"
#include "domain/anomaly/robust_z.h"
#include "domain/anomaly/step_change.h"
#include "domain/anomaly/stuck_sensor.h"

namespace ghm::anomaly {

/// One minute of one board. NaN: nobody said.
struct BoardMinute {
  std::array<double, kSlots> slots{};    // gauges: mean of the minute; levels and counters: its last page
  double watts = 0;                      // mean power: by the energy counter where it moved, else by the gauge
  std::array<double, kInputs> inputs{};  // [slot] is not used
  std::array<std::optional<Score>, kInputs> peers{};
  std::array<Peers, kInputs> against{};  // who the peers of an input are
  double room = 0;                       // °C that the rack's other hosts are above their own usual warmth
};

/// Whether a score is beyond a threshold and an effect, on the side that the check looks at.
bool is_beyond(const Check& check, const Score& score, double threshold, double least_effect);

/// Events of a counter an hour: an exponential mean over six hours, known after six.
class ErrorRate {
 public:
  void take(double counter, double minutes);
  void rearm() { last_ = std::nan(""); }
  double per_hour() const;

 private:
  double last_ = std::nan("");
  float per_hour_ = 0, minutes_ = 0;
};

/// All detectors of one board, and which of its checks are up. 2.9 kB, of a fixed size; ~0.7 us a minute.
class BoardWatch {
 public:
  /// Gauges over the last ten minutes or so: an exponential mean, so that a power beat and the temperature that follows it
  /// half a minute later are seen through the same glass. Also works out the mean power, and tells busy from idle.
  void smooth(BoardMinute& minute, double minutes, Timestamp now);
  double smoothed(Slot gauge) const { return smooth_[index_of(gauge)]; }
  double errors_per_hour(std::size_t rate) const { return rates_[rate].per_hour(); }
  /// °C above its own usual warmth, now or not long ago; NaN: not known.
  double excess() const { return excess_; }
  /// Under load for ten minutes, without a gap.
  bool is_busy(Timestamp now) const { return busy_ && now - load_since_ >= kSettle; }

  /// What one check says to this minute. `found` holds the score when it is up.
  Hysteresis::Change judge(std::size_t check, const BoardMinute& minute, Timestamp now, Score& found);
  const Hysteresis& state(std::size_t check) const { return states_[check]; }
  /// After a gap, a restart of the driver or maintenance: detectors keep what they know of the board, but begin to look anew.
  void rearm(Timestamp now);

  /// An anomaly of before a restart is open again. While its detector has yet to learn, the board is held against what was expected of it
  /// then, where that is a level; else it stays open. Until kAdopt.
  void reopen(std::size_t check, Timestamp since, const Score& then);

  static constexpr std::chrono::minutes kSettle{10};
  /// An anomaly that lasts so long is learnt as the new normal.
  static constexpr std::chrono::hours kAdopt{7 * 24};

 private:
  struct Reopened {
    std::size_t check;
    Score then;
  };
  double mean_watts(const BoardMinute& minute, Timestamp now);
  std::optional<Score> less_the_room(std::optional<Score> score, double room);
  const Score* before(std::size_t check) const;
  std::optional<Score> against(const Score& then, std::size_t check, double x, const BoardMinute& minute) const;
  std::optional<Score> look(std::size_t check, double x, const BoardMinute& minute, Timestamp now, bool learn);

  std::array<double, kGauges> smooth_ = [] {
    std::array<double, kGauges> none;
    none.fill(std::nan(""));
    return none;
  }();
  double joules_ = std::nan("");
  Timestamp joules_at_{};
  bool busy_ = false;
  Timestamp load_since_{}, quiet_until_{};
  double excess_ = std::nan("");
  std::array<ErrorRate, kErrorRates> rates_{};
  std::array<Hysteresis, kChecks.size()> states_{};
  std::array<RobustZ, count_of(Detector::robust_z)> robust_{};
  std::array<StuckSensor, count_of(Detector::stuck_sensor)> stuck_{};
  std::array<StepChange, count_of(Detector::step_change)> steps_{};
  std::array<EventBurst, count_of(Detector::event_burst)> bursts_{};
  std::array<CusumDrift, count_of(Detector::cusum_drift)> drifts_{};
  std::vector<Reopened> reopened_;  // nearly always empty
};

}  // namespace ghm::anomaly
