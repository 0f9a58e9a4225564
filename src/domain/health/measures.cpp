// From a board's readings to the numbers that rules ask for: windows, episodes, pairs and days, each series walked once per
// question. What keeps these numbers from round to round must come to the same (running_sums_test.cpp).
#include "domain/health/measures.h"

#include <algorithm>
#include <cmath>

#include "domain/health/inputs.h"
#include "domain/health/moments.h"
#include "domain/health/stable_hour.h"
#include "domain/health/utc_hours.h"

namespace ghm::health {
namespace {

Counted throttling(const Evidence& e) {
  Counted c;
  for_each_in_episodes(
      e[Of::reasons].readings, e.t() - kDay, e.t(), [](double v) { return has_bits(v, kThermalReasons); },
      [&](const Reading& r, bool first) {
        c.count += first ? 1 : 0;
        c.last_at = r.at;
      });
  return c;
}

void add_temperature(const Evidence& e, Measures& m) {
  const auto day = within(e[Of::temperature].readings, e.t() - kDay, e.t());
  if (day.empty()) return;
  double sum = 0;
  for (const auto& r : day) sum += r.value;
  m.temperature = sum / static_cast<double>(day.size());
  m.temperature_at = day.back().at;
}

Days loaded_temperature(const Evidence& e) {
  Days days(e.t());
  for_each_joined(std::array{&e[Of::temperature], &e[Of::activity]}, e.t() - kMonth, e.t(), [&](double at, const auto& v) {
    if (v[1] >= kUnderLoad) days.add(at, v[0]);
  });
  return days;
}

// The whole UTC hours before the hour of t.
void add_swing(const Evidence& e, Measures& m) {
  const double this_hour = hour_of(e.t());
  std::array<HourUnderLoad, kSwingHours> hours;
  for_each_joined(std::array{&e[Of::temperature], &e[Of::activity]}, this_hour - kSwingHours * kHour - 1, e.t(),
                  [&](double at, const auto& v) {
                    const double k = (this_hour - hour_of(at)) / kHour - 1;
                    if (k >= 0 && k < kSwingHours) hours[static_cast<std::size_t>(k)].add(v[0], v[1]);
                  });
  for (std::size_t k = 0; k < hours.size(); ++k) {
    const double width = hours[k].swing(e.input().interval_s);
    if (width <= m.widest_swing) continue;
    m.widest_swing = width;
    m.swing_at = this_hour - static_cast<double>(k) * kHour;
  }
}

void add_fan(const Evidence& e, Measures& m) {
  const auto hour = within(e[Of::fan].readings, e.t() - kHour, e.t());
  if (hour.empty()) return;
  m.fan_lowest = std::ranges::min_element(hour, {}, &Reading::value)->value;
  m.fan_at = hour.back().at;
}

void add_errors(const Evidence& e, Measures& m) {
  const auto sbe = e[Of::sbe].readings, dbe = e[Of::dbe].readings;
  const double t = e.t();
  if (!sbe.empty()) m.corrected_since = std::max(t - kWeek, sbe.front().at);
  m.corrected_week = growth(sbe, t - kWeek, t);
  for (std::size_t k = 0; k < m.corrected_by_day.size(); ++k) {
    const double end = t - static_cast<double>(k) * kDay;
    m.corrected_by_day[k] = growth(sbe, end - kDay, end);
  }
  m.uncorrected_week = growth(dbe, t - kWeek, t);
  m.uncorrected_month = growth(dbe, t - kMonth, t);
  m.uncorrected_today = growth(dbe, t - kDay, t);
  m.uncorrected_day_before = growth(dbe, t - 2 * kDay, t - kDay);
}

void add_growth(const Evidence& e, Measures& m) {
  const double t = e.t();
  const auto of = [&](Of input, double window) { return growth(e[input].readings, t - window, t); };
  m.remapped_corrected = of(Of::remapped_corrected, kMonth);
  m.remapped_uncorrected = of(Of::remapped_uncorrected, kMonth);
  m.pcie_replays = of(Of::pcie_replays, kDay);
  m.nvlink_crc = of(Of::nvlink_crc, kDay);
  m.nvlink_replays = of(Of::nvlink_replays, kDay);
}

void add_hours(const Evidence& e, Measures& m) {
  const auto errors = hours_of_growth(e[Of::sbe].readings, e.t() - kWeek, e.t());
  const auto brake = hours_with_bits(e[Of::reasons].readings, kPowerBrake, e.t() - kWeek, e.t());
  m.corrected_hours = {errors.count, errors.last_at};
  m.brake_hours = {brake.count, brake.last_at};
}

void add_power_days(const Evidence& e, Measures& m) {
  constexpr std::size_t kHours = 24 * kPowerDays;
  const double this_hour = hour_number(e.t());
  std::vector<PowerHour> hours(kHours);
  for_each_joined(std::array{&e[Of::temperature], &e[Of::power]}, (this_hour - kHours) * kHour - 1, e.t(), [&](double at, const auto& v) {
    const double k = this_hour - hour_number(at) - 1;
    if (k < 0 || k >= kHours) return;
    auto& hour = hours[static_cast<std::size_t>(k)];
    ++hour.readings;
    hour.temperature += v[0];
    hour.power += v[1];
  });
  for (std::size_t d = 0; d < kPowerDays; ++d) m.power_days[d] = day_of(std::span(hours).subspan(24 * d, 24));
}

Last last(const Metric& metric) {
  if (metric.readings.empty()) return {};
  return {metric.readings.back().at, metric.readings.back().value};
}

Counted spikes(const Evidence& e) {
  const double interval = e.input().interval_s, begin = e.t() - kDay;
  Counted c;
  std::optional<PowerMoment> before;
  // The first pair of the window may begin two intervals before it.
  for_each_joined(std::array{&e[Of::power], &e[Of::activity], &e[Of::sm_clock]}, begin - 2 * interval - 1, e.t(),
                  [&](double at, const auto& v) {
                    const PowerMoment now{at, v[0], v[1], v[2]};
                    if (before && at > begin && is_spike(*before, now, interval)) {
                      ++c.count;
                      c.last_at = at;
                    }
                    before = now;
                  });
  return c;
}

// A board that is held below its default limit, or runs slower than its like on the same host, is limited beyond design.
class LimitedBeyondDesign {
 public:
  LimitedBeyondDesign(const Evidence& e, double from)
      : enforced_(e[Of::limit_enforced], from),
        default_(e[Of::limit_default], from),
        clock_(e[Of::sm_clock], from),
        knows_limits_(e.present(Of::limit_default) && e.present(Of::limit_enforced)),
        knows_clock_(e.present(Of::sm_clock)) {
    for (const auto& peer : e.input().peers)
      if (peer.same_host && knows_clock_) peers_.emplace_back(metric(peer.metrics, e.t(), "DCGM_FI_DEV_SM_CLOCK"), from);
  }
  /// For rising times.
  bool at(double time) { return (knows_limits_ && is_lowered(time)) || (!peers_.empty() && is_slow(time)); }

 private:
  bool is_lowered(double time) {
    const auto enforced = enforced_.at(time), by_default = default_.at(time);
    return enforced && by_default && *enforced < *by_default;
  }
  bool is_slow(double time) {
    const auto own = clock_.at(time);
    if (!own) return false;
    clocks_.clear();
    for (auto& peer : peers_)
      if (const auto clock = peer.at(time)) clocks_.push_back(*clock);
    return !clocks_.empty() && is_slower_than_peers(*own, percentile(clocks_, 50));
  }

  Cursor enforced_, default_, clock_;
  bool knows_limits_, knows_clock_;
  std::vector<Cursor> peers_;
  std::vector<double> clocks_;
};

Counted limited(const Evidence& e) {
  const double from = e.t() - kDay;
  LimitedBeyondDesign limited(e, from);
  Counted c;
  bool is_counted = false;
  for_each_in_episodes(
      e[Of::reasons].readings, from, e.t(), [](double v) { return has_bits(v, kPowerReasons); },
      [&](const Reading& r, bool first) {
        if (first) is_counted = false;
        if (is_counted || !limited.at(r.at)) return;
        is_counted = true;
        ++c.count;
        c.last_at = r.at;
      });
  return c;
}

// Joules per second of full activity by day, from neighbouring readings under load.
Days energy_per_work(const Evidence& e) {
  const double interval = e.input().interval_s;
  Days days(e.t());
  std::optional<EnergyMoment> before;
  for_each_joined(std::array{&e[Of::energy], &e[Of::activity]}, e.t() - Days::kCount * kDay - 2 * interval - 1, e.t(),
                  [&](double at, const auto& v) {
                    const EnergyMoment now{at, v[0], v[1]};
                    if (before && is_work(*before, now, interval)) days.add(at, joules(*before, now), work(*before, now));
                    before = now;
                  });
  return days;
}

Share slow_clock(const Evidence& e) {
  Share s;
  for_each_joined(std::array{&e[Of::activity], &e[Of::sm_clock], &e[Of::max_sm_clock], &e[Of::reasons]}, e.t() - kDay, e.t(),
                  [&](double at, const auto& v) {
                    if (v[0] < kUnderLoad) return;
                    ++s.all;
                    if (!is_slow_clock(v[1], v[2], v[3])) return;
                    ++s.those;
                    s.last_at = at;
                  });
  return s;
}

Share slow_generation(const Evidence& e) {
  Share s;
  for_each_joined(std::array{&e[Of::pcie_gen], &e[Of::pcie_max_gen], &e[Of::activity]}, e.t() - kDay, e.t(), [&](double at, const auto& v) {
    if (v[2] < kUnderLoad) return;
    ++s.all;
    if (v[0] >= v[1]) return;
    ++s.those;
    s.last_at = at;
  });
  return s;
}

void add_width(const Evidence& e, Measures& m) {
  const auto width = e[Of::pcie_width].readings, most = e[Of::pcie_max_width].readings;
  auto w = width.rbegin(), x = most.rbegin();
  while (w != width.rend() && x != most.rend() && w->at != x->at) ++(w->at > x->at ? w : x);
  if (w == width.rend() || x == most.rend()) return;
  m.width = {w->at, w->value};
  m.most_width = {x->at, x->value};
}

void add_links(const Evidence& e, Measures& m) {
  m.links_at = e.t() - kDay;
  for (const auto& link : e.links()) {
    if (link.readings.empty() || link.readings.back().at < m.links_at) continue;
    const auto& latest = link.readings.back();
    if (latest.at > m.links_at) m.links_up = 0;
    m.links_at = latest.at;
    if (latest.value == 1) ++m.links_up;
  }
}

// The round at t is the one that is being formed.
void add_rounds(const Input& in, Measures& m) {
  const Readings all = in.previous_scores;
  const auto now = std::ranges::lower_bound(all, in.t, {}, &Reading::at);
  const auto before = all.first(static_cast<std::size_t>(now - all.begin()));
  const auto of = [&](double days, Rounds& rounds) {
    const double end = in.t - days * kDay;
    for (const auto& s : within(before, end - kDay, end)) rounds.add(s.value);
  };
  of(0, m.rounds_today);
  of(7, m.rounds_week_ago);
  of(30, m.rounds_month_ago);
}

}  // namespace

Measures measure(const Evidence& e) {
  Measures m(e.t());
  m.throttling = throttling(e);
  add_temperature(e, m);
  m.loaded_temperature = loaded_temperature(e);
  add_swing(e, m);
  add_fan(e, m);
  add_errors(e, m);
  add_growth(e, m);
  add_hours(e, m);
  add_power_days(e, m);
  m.remap_pending = last(e[Of::remap_pending]);
  m.remap_failure = last(e[Of::remap_failure]);
  m.banks = last(e[Of::banks]);
  m.spikes = spikes(e);
  m.limited = limited(e);
  m.energy_per_work = energy_per_work(e);
  m.busy_clock = busy_clock(e[Of::activity], e[Of::sm_clock], e.t() - Days::kCount * kDay, e.t());
  m.slow_clock = slow_clock(e);
  m.slow_generation = slow_generation(e);
  add_width(e, m);
  add_links(e, m);
  m.uptime = uptime(e.input());
  add_rounds(e.input(), m);
  return m;
}

Days busy_clock(const Metric& activity, const Metric& clock, double from, double t) {
  Days days(t);
  for_each_joined(std::array{&activity, &clock}, from, t, [&](double at, const auto& v) {
    if (v[0] >= kBusy) days.add(at, v[1]);
  });
  return days;
}

}  // namespace ghm::health
