#include "domain/health/uptime.h"

#include <algorithm>
#include <cmath>

namespace ghm::health {
namespace {

constexpr double kMinute = 60;
constexpr int kMinutes = 30 * 24 * 60;

// Minute m ends at t - 60 s · m. What is not yet decided is missing.
class Minutes {
 public:
  explicit Minutes(const Input& in)
      : t_(in.t), width_(std::max(kMinute, in.interval_s)), state_(static_cast<std::size_t>(kMinutes), State::missing) {}

  double end(int m) const { return t_ - kMinute * m; }
  void leave_out(const Interval& i) {
    for (int m = latest_ending_by(i.to); m < kMinutes && end(m) > i.from; ++m) at(m) = State::left_out;
  }
  void leave_out_before(double deployed_at) {
    for (int m = kMinutes; m-- > 0 && end(m) - kMinute < deployed_at;) at(m) = State::left_out;
  }
  /// Stretches of minutes that nothing spoke for yet.
  struct Stretch {
    int latest, oldest;
  };
  std::vector<Stretch> missing() const {
    std::vector<Stretch> out;
    for (int m = 0; m < kMinutes; ++m) {
      if (at(m) != State::missing) continue;
      if (!out.empty() && out.back().oldest == m - 1) out.back().oldest = m;
      else out.push_back({m, m});
    }
    return out;
  }
  /// Reports the minutes in whose width a reading lies; true when there was any.
  bool report(Readings readings, Stretch s) {
    const auto inside = within(readings, end(s.oldest) - width_, end(s.latest));
    auto r = inside.begin();
    for (int m = s.oldest; m >= s.latest && r != inside.end(); --m) {
      while (r != inside.end() && r->at <= end(m) - width_) ++r;
      if (r != inside.end() && r->at <= end(m)) at(m) = State::reported;
    }
    return !inside.empty();
  }

  Uptime sum() const {
    Uptime u;
    for (int m = kMinutes; m-- > 0;) {
      const auto state = at(m);
      u.counted += state != State::left_out;
      u.reported += state == State::reported;
      if (state == State::missing) u.last_missing_at = end(m);
    }
    return u;
  }

 private:
  enum class State : char { missing, reported, left_out };
  State& at(int m) { return state_[static_cast<std::size_t>(m)]; }
  State at(int m) const { return state_[static_cast<std::size_t>(m)]; }
  // The latest minute that ends at `time` or before; kMinutes where none does.
  int latest_ending_by(double time) const {
    if (time >= t_) return 0;
    if (time <= end(kMinutes)) return kMinutes;
    int m = static_cast<int>((t_ - time) / kMinute);
    while (m > 0 && end(m - 1) <= time) --m;
    while (end(m) > time) ++m;
    return m;
  }

  double t_, width_;
  std::vector<State> state_;
};

// From a drain to the next undrain, else to t.
std::vector<Interval> drains(const std::vector<Event>& events, double t) {
  std::vector<double> ends{t};
  for (const auto& e : events)
    if (e.kind == "undrain" && e.time < t) ends.push_back(e.time);
  std::ranges::sort(ends);
  std::vector<Interval> out;
  for (const auto& e : events)
    if (e.kind == "drain" && e.time < t) out.push_back({e.time, *std::ranges::upper_bound(ends, e.time)});
  return out;
}

// The busiest series first: where it speaks nobody else is asked.
std::vector<Readings> by_size(const Input& in) {
  std::vector<Readings> out;
  for (const auto& [name, series] : in.metrics)
    if (series) out.push_back(*series);
  std::ranges::sort(out, std::ranges::greater{}, &Readings::size);
  return out;
}

}  // namespace

Uptime uptime(const Input& in) {
  Minutes minutes(in);
  minutes.leave_out_before(in.deployed_at);
  for (const auto& i : in.maintenance) minutes.leave_out(i);
  if (in.source_silent)
    for (const auto& i : *in.source_silent) minutes.leave_out(i);
  if (in.events)
    for (const auto& i : drains(*in.events, in.t)) minutes.leave_out(i);
  auto missing = minutes.missing();
  for (const auto readings : by_size(in)) {
    bool changed = false;
    for (const auto stretch : missing) changed |= minutes.report(readings, stretch);
    if (changed) missing = minutes.missing();
  }
  return minutes.sum();
}

}  // namespace ghm::health
