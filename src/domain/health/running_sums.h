#pragma once
#include <memory>

#include "domain/health/quarter.h"

/// A board's sums, carried on from round to round. Its rounds lie a quarter of an hour apart; a window is whole quarters, and day k
/// of a round is the first day of the round 24 h · k before. So a round adds one quarter, looks at the 96 of the last day, and reads
/// what the same time of the last 30 days came to: no reading is looked at twice, and nothing is ever subtracted.
namespace ghm::health {

using Number = std::int64_t;  // of a quarter: of the clock's, in which it ends

inline Number number_of(double t) {
  return static_cast<Number>(std::floor(t / kQuarter));
}

/// The days that ended at one time of day. By day number, modulo.
using DaysOfTime = std::array<DaySums, Days::kCount>;

/// What every round needs: the last day's quarters and the reported minutes of 30 days.
struct Recent {
  Carry carry;
  std::array<Quarter, kQuartersOfDay> quarters;                         // by number, modulo
  std::array<std::uint16_t, kUptimeMinutes / 15> minutes;               // likewise
  std::array<std::uint8_t, 7 * kQuartersOfDay> hours;                   // likewise; Quarter::hours
  std::array<std::uint8_t, kMetricInputs + 1> listed{}, by_stand_in{};  // which metric speaks: settled when the sums are made
};
static_assert(std::is_trivially_copyable_v<Recent>);

/// Where days are kept: one block per time of day.
class DayBook {
 public:
  virtual ~DayBook() = default;
  virtual DaysOfTime read(std::size_t time_of_day) = 0;
  virtual void write(std::size_t time_of_day, const DaysOfTime& days) = 0;
};

class RunningSums {
 public:
  /// From readings of 31 days and earlier scores of as many; t is a whole second. O(readings).
  static RunningSums from(const Evidence& evidence, DayBook& days);
  /// As they were kept.
  RunningSums(std::unique_ptr<Recent> recent, DayBook& days) : recent_(std::move(recent)), days_(&days), today_(days.read(time_of_day())) {}

  double t() const { return recent_->carry.t; }
  const Recent& recent() const { return *recent_; }
  /// The name of the metric that speaks for an input.
  std::string_view speaker(Of metric) const;

  /// Goes on by one quarter, whose moments `read` gives to the reader.
  void advance(double interval_s, const std::function<void(QuarterReader&)>& read, const SwingOf& swing_of);
  /// A score was formed at `at`, within the newest quarter or after it.
  void note_score(double at, double overall);

  /// The numbers of the round at t(), before its score is noted; `input.t` is t(), its readings are not looked at. O(1).
  Measures measures(const Input& input) const;
  AllSeen seen() const;
  Report score(const Profile& profile, const Input& input) const;

 private:
  std::size_t time_of_day() const { return static_cast<std::size_t>(number_of(t()) % Number{kQuartersOfDay}); }
  std::size_t day(std::size_t k) const;
  Quarter& newest() { return recent_->quarters[time_of_day()]; }
  DaySums sum_of_day() const;
  void keep_day();
  template <class See>
  void for_each_quarter(See see) const;  // of the last day, oldest first
  template <class See>
  void for_each_day(std::size_t from, std::size_t to, See see) const;
  Growth growth_of_days(std::size_t from, std::size_t to, bool corrected) const;
  Counted limited(const Input& input) const;
  MinuteBits minutes() const;
  double hours_with(std::uint8_t what) const;
  Growth growth_of_quarters(std::size_t which) const;
  Growth growth_of_month(std::size_t which) const;
  void add_quarters(Measures& m) const;
  void add_days(Measures& m) const;

  std::unique_ptr<Recent> recent_;
  DayBook* days_;
  DaysOfTime today_{};  // the block of t()
};

}  // namespace ghm::health
