#include "domain/health/uptime.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "domain/health/windows.h"

namespace ghm::health {
namespace {

constexpr double kMinute = 60;

// Minute m ends at t - 60 s · m.
class Minutes {
 public:
  explicit Minutes(const Input& in) : t_(in.t), width_(std::max(kMinute, in.interval_s)) {}

  void leave_out(const Interval& i) {
    const int latest = latest_ending_by(i.to);
    if (latest >= kUptimeMinutes || end(latest) <= i.from) return;
    int oldest = std::min(kUptimeMinutes - 1, std::max(latest, static_cast<int>((t_ - i.from) / kMinute) - 1));
    while (oldest + 1 < kUptimeMinutes && end(oldest + 1) > i.from) ++oldest;
    while (end(oldest) <= i.from) --oldest;
    left_out_.set_all(bit(oldest), bit(latest));
  }
  void leave_out_before(double deployed_at) {
    int m = std::clamp(static_cast<int>((t_ - deployed_at) / kMinute) - 2, 0, kUptimeMinutes);
    while (m < kUptimeMinutes && end(m) - kMinute >= deployed_at) ++m;
    if (m < kUptimeMinutes) left_out_.set_all(0, bit(m));
  }
  /// Stretches of minutes that nothing spoke for yet.
  struct Stretch {
    int latest, oldest;
  };
  std::vector<Stretch> missing() const {
    std::vector<Stretch> out;
    for (int m = 0; m < kUptimeMinutes; ++m) {
      if (reported_.has(bit(m)) || left_out_.has(bit(m))) continue;
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
      if (r != inside.end() && r->at <= end(m)) reported_.set(bit(m));
    }
    return !inside.empty();
  }
  void report(const MinuteBits& reported) { reported_ = reported; }

  Uptime sum() const {
    Uptime u;
    int left_out = 0, missing_bit = -1;
    for (std::size_t w = 0; w < left_out_.words().size(); ++w) {
      const auto out = left_out_.words()[w], reported = reported_.words()[w] & ~out, missing = ~(reported | out);
      left_out += std::popcount(out);
      u.reported += std::popcount(reported);
      if (missing != 0) missing_bit = static_cast<int>(w) * 64 + 63 - std::countl_zero(missing);
    }
    u.counted = kUptimeMinutes - left_out;
    if (missing_bit >= 0) u.last_missing_at = end(kUptimeMinutes - 1 - missing_bit);
    return u;
  }

 private:
  static int bit(int m) { return kUptimeMinutes - 1 - m; }
  double end(int m) const { return t_ - kMinute * m; }
  // The latest minute that ends at `time` or before; kUptimeMinutes where none does.
  int latest_ending_by(double time) const {
    if (time >= t_) return 0;
    if (time <= end(kUptimeMinutes)) return kUptimeMinutes;
    int m = static_cast<int>((t_ - time) / kMinute);
    while (m > 0 && end(m - 1) <= time) --m;
    while (end(m) > time) ++m;
    return m;
  }

  double t_, width_;
  MinuteBits reported_, left_out_;
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

Minutes minutes_that_count(const Input& in) {
  Minutes minutes(in);
  minutes.leave_out_before(in.deployed_at);
  for (const auto& i : in.maintenance) minutes.leave_out(i);
  if (in.source_silent)
    for (const auto& i : *in.source_silent) minutes.leave_out(i);
  if (in.events)
    for (const auto& i : drains(*in.events, in.t)) minutes.leave_out(i);
  return minutes;
}

}  // namespace

void MinuteBits::set_all(int first, int last) {
  for (int b = first; b <= last;) {
    const int in_word = b % 64, count = std::min(64 - in_word, last - b + 1);
    const auto ones = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    words_[static_cast<std::size_t>(b / 64)] |= ones << in_word;
    b += count;
  }
}

void MinuteBits::set_quarter(int first, std::uint16_t bits) {
  const auto word = static_cast<std::size_t>(first / 64);
  const int shift = first % 64;
  words_[word] |= std::uint64_t{bits} << shift;
  if (shift > 64 - 15) words_[word + 1] |= std::uint64_t{bits} >> (64 - shift);
}

Uptime uptime(const Input& in) {
  auto minutes = minutes_that_count(in);
  auto missing = minutes.missing();
  for (const auto readings : by_size(in)) {
    bool changed = false;
    for (const auto stretch : missing) changed |= minutes.report(readings, stretch);
    if (changed) missing = minutes.missing();
  }
  return minutes.sum();
}

Uptime uptime(const Input& in, const MinuteBits& reported) {
  auto minutes = minutes_that_count(in);
  minutes.report(reported);
  return minutes.sum();
}

}  // namespace ghm::health
