#pragma once
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "domain/health/health.h"

/// What the rules look through: windows of readings, increases of counters, days, episodes. All spans are in time order.
namespace ghm::health {

using Readings = std::span<const Reading>;

inline constexpr double kHour = 3600, kDay = 86400, kWeek = 7 * kDay, kMonth = 30 * kDay;  // seconds

/// One input of a dimension.
struct Metric {
  std::string_view name;
  bool listed = true;  // false: the part does not have it
  Readings readings;   // up to t
  double divide = 1;   // GPU_UTIL is in percent, activity a share
};

/// A metric up to `t`; one that is not mentioned is listed and empty.
Metric metric(const Metrics& metrics, double t, std::string_view name);
/// `name`, or `otherwise` where `name` has no reading at all; listed when the part has either.
Metric metric(const Metrics& metrics, double t, std::string_view name, std::string_view otherwise);
/// Share of time that the GPU works: DCGM_FI_PROF_GR_ENGINE_ACTIVE, else DCGM_FI_DEV_GPU_UTIL / 100.
Metric activity(const Metrics& metrics, double t);

/// Readings with from < at <= to. O(log n).
Readings within(Readings readings, double from, double to);
/// `seen` readings per expected one over the last `window_s` (since deployment if that is shorter), at most 1.
double presence(const Input& input, double seen, double window_s);

/// What a counter gained from one reading to the next: a fall adds the new value, for the counter began anew.
inline double growth_of(double before, double now) {
  return now >= before ? now - before : now;
}

/// Calls step(at, growth) for every step of a counter whose later reading lies in (from, to]: the first step is taken from the
/// last reading before, the first reading ever adds nothing. O(n).
template <class Step>
void for_each_step(Readings readings, double from, double to, Step step) {
  for (const auto& now : within(readings, from, to)) {
    if (&now == readings.data()) continue;
    step(now.at, growth_of((&now - 1)->value, now.value));
  }
}

/// Growth of a counter over a window and when it last grew.
struct Growth {
  double sum = 0;
  double last_at = 0;  // the window's end when it did not grow
};
Growth growth(Readings readings, double from, double to);

/// Type 7 percentile (linear between order statistics), p in 0..100; values not empty, any order. O(n).
double percentile(std::vector<double> values, double p);

/// A value per day k before t, (t - 24 h · (k + 1), t - 24 h · k]: Σ amount / Σ weight, for k up to 30.
class Days {
 public:
  static constexpr std::size_t kCount = 31;
  explicit Days(double t) : t_(t) {}

  /// Readings before the 31 days are left out.
  void add(double at, double amount, double weight = 1) {
    const auto k = static_cast<std::size_t>((t_ - at) / kDay);
    if (k >= kCount) return;
    days_[k].amount += amount;
    days_[k].weight += weight;
  }
  /// The whole of a day at once.
  void set(std::size_t k, double amount, double weight) { days_[k] = {amount, weight}; }
  double weight(std::size_t k) const { return days_[k].weight; }
  /// nullopt: the day has nothing.
  std::optional<double> value(std::size_t k) const;
  /// Median of days 1..30; nullopt with fewer than `least` of them.
  std::optional<double> usual(std::size_t least) const;

 private:
  struct Day {
    double amount = 0, weight = 0;
  };
  double t_;
  std::array<Day, kCount> days_{};
};

/// Goes along one metric: at(time) for rising times, O(n) over all calls.
class Cursor {
 public:
  explicit Cursor(const Metric& m, double from) : left_(m.readings), divide_(m.divide) {
    if (!left_.empty()) left_ = within(left_, from, left_.back().at);
  }
  std::optional<double> at(double time) {
    while (!left_.empty() && left_.front().at < time) left_ = left_.subspan(1);
    if (left_.empty() || left_.front().at != time) return std::nullopt;
    return left_.front().value / divide_;
  }

 private:
  Readings left_;
  double divide_;
};

/// Calls see(at, values) wherever all `metrics` have a reading at the same time in (from, to]; values in their order. O(n).
template <std::size_t N, class See>
void for_each_joined(const std::array<const Metric*, N>& metrics, double from, double to, See see) {
  std::array<const Reading*, N> at, end;
  std::array<double, N> divide, values;
  for (std::size_t n = 0; n < N; ++n) {
    const auto readings = within(metrics[n]->readings, from, to);
    at[n] = readings.data();
    end[n] = at[n] + readings.size();
    divide[n] = metrics[n]->divide;
  }
  for (;;) {
    double latest = from;
    for (std::size_t n = 0; n < N; ++n) {
      if (at[n] == end[n]) return;
      latest = at[n]->at > latest ? at[n]->at : latest;
    }
    bool together = true;
    for (std::size_t n = 0; n < N; ++n)
      if (at[n]->at < latest) {
        ++at[n];
        together = false;
      }
    if (!together) continue;
    for (std::size_t n = 0; n < N; ++n) values[n] = at[n]++->value / divide[n];
    see(latest, values);
  }
}

/// Calls see(reading, first of its episode) for every reading of (from, to] that `holds`. Neighbours are one episode when no
/// reading lies between them, however long the gap, or when less than a minute does. O(n).
template <class Holds, class See>
void for_each_in_episodes(Readings readings, double from, double to, Holds holds, See see) {
  constexpr double kSameEpisode = 60;
  const Reading* last = nullptr;
  for (const auto& r : within(readings, from, to)) {
    if (!holds(r.value)) continue;
    const bool same = last && (last + 1 == &r || r.at - last->at < kSameEpisode);
    see(r, !same);
    last = &r;
  }
}

/// Whether any bit of `mask` is set in a reading of bits.
inline bool has_bits(double value, std::uint64_t mask) {
  constexpr double kMost = 9e18;  // beyond, and below zero, a double is no set of bits
  return value >= 0 && value < kMost && (static_cast<std::uint64_t>(value) & mask) != 0;
}

}  // namespace ghm::health
