// Windows as sums of quarters. Integers and times add and compare exactly; sums of doubles are the same terms in another order.
#include "domain/health/running_sums.h"

#include <algorithm>

#include "domain/health/rules.h"

namespace ghm::health {
namespace {

constexpr Number kQuarters = kQuartersOfDay;
constexpr std::size_t kMinuteQuarters = kUptimeMinutes / 15;

std::size_t index(Of of) {
  return static_cast<std::size_t>(of);
}

std::uint32_t ms_after(double start, double at) {
  return at == 0 ? 0 : static_cast<std::uint32_t>(std::llround((at - start) * 1000));
}

// Adds episodes of quarters, oldest first: one that goes on counts for the first quarter that shows it.
class EpisodeSum {
 public:
  void add(const QuarterEpisodes& q, bool last_of_all) {
    if (!q.any) return;
    if (!seen_ && q.continues) {
      ++sum_.count;
      sum_.last_at = q.first_at;
    }
    seen_ = true;
    sum_.count += q.starts;
    if (q.starts > 0 || last_of_all) sum_.last_at = q.last_at;
  }
  const Counted& sum() const { return sum_; }

 private:
  Counted sum_;
  bool seen_ = false;
};

void add(DaySums& day, const Quarter& q, double day_start) {
  add_sums(day, q);
  for (std::size_t n = 0; n < kGrowingForAMonth; ++n)
    if (q.grew_at[n] > day_start) day.growth_ms[n] = ms_after(day_start, q.grew_at[n]);
  if (q.corrected_at > day_start) day.corrected_ms = ms_after(day_start, q.corrected_at);
  if (q.uncorrected_at > day_start) day.uncorrected_ms = ms_after(day_start, q.uncorrected_at);
}

}  // namespace

template <class See>
void RunningSums::for_each_quarter(See see) const {
  for (std::size_t n = 1; n <= kQuartersOfDay; ++n) see(recent_->quarters[(time_of_day() + n) % kQuartersOfDay]);
}

// Days k of from <= k < to, latest first.
template <class See>
void RunningSums::for_each_day(std::size_t from, std::size_t to, See see) const {
  for (auto k = from; k < to; ++k) see(k, today_[day(k)]);
}

std::size_t RunningSums::day(std::size_t k) const {
  return static_cast<std::size_t>((number_of(t()) / kQuarters - static_cast<Number>(k)) % static_cast<Number>(Days::kCount));
}

std::string_view RunningSums::speaker(Of of) const {
  return recent_->by_stand_in[index(of)] ? spoken(of).otherwise : spoken(of).metric;
}

void RunningSums::advance(double interval_s, const std::function<void(QuarterReader&)>& read, const SwingOf& swing_of) {
  QuarterReader reader(recent_->carry, interval_s);
  read(reader);
  newest() = reader.finish(swing_of);
  auto& carry = recent_->carry;
  recent_->minutes[static_cast<std::size_t>(number_of(t()) % static_cast<Number>(kMinuteQuarters))] = newest().minutes;
  recent_->hours[static_cast<std::size_t>(number_of(t()) % static_cast<Number>(recent_->hours.size()))] = newest().hours;
  if (carry.scores > 0 && carry.scored_quarter > t() - kQuarter && carry.scored_quarter < t()) {
    newest().score_sum = carry.score_sum / carry.scores;
    newest().scores = 1;
  }
  today_ = days_->read(time_of_day());
  keep_day();
}

// The history has one score a quarter of the clock, its mean, at its start.
void RunningSums::note_score(double at, double overall) {
  auto& carry = recent_->carry;
  const double quarter = static_cast<double>(number_of(at)) * kQuarter;
  if (carry.scored_quarter != quarter) carry.score_sum = carry.scores = 0;
  carry.scored_quarter = quarter;
  carry.score_sum += overall;
  ++carry.scores;
  if (quarter <= t() - kQuarter || quarter > t()) return;
  auto& today = today_[day(0)];
  today.score_sum += carry.score_sum / carry.scores - newest().score_sum;
  today.scores += 1u - newest().scores;
  newest().score_sum = carry.score_sum / carry.scores;
  newest().scores = 1;
  days_->write(time_of_day(), today_);
}

DaySums RunningSums::sum_of_day() const {
  DaySums sum;
  sum.power_day = power_day(recent_->carry);
  for_each_quarter([&, start = t() - kDay](const Quarter& q) { add(sum, q, start); });
  return sum;
}

void RunningSums::keep_day() {
  today_[day(0)] = sum_of_day();
  days_->write(time_of_day(), today_);
}

AllSeen RunningSums::seen() const {
  AllSeen seen;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    seen[i].name = i < kMetricInputs ? speaker(static_cast<Of>(i)) : "DCGM_FI_DEV_NVLINK_GET_STATE";
    seen[i].listed = recent_->listed[i] != 0;
  }
  std::size_t left = kQuartersOfDay;
  constexpr std::size_t kHourQuarters = 4;
  for_each_quarter([&](const Quarter& q) {
    const bool is_last_hour = left-- <= kHourQuarters;
    for (std::size_t i = 0; i < seen.size(); ++i)
      if (i != index(Of::fan) || is_last_hour) seen[i].readings += q.readings[i];
  });
  auto &sbe = seen[index(Of::sbe)].readings, &dbe = seen[index(Of::dbe)].readings;
  sbe = dbe = 0;
  for_each_day(0, 7, [&](std::size_t, const DaySums& d) {
    sbe += d.corrected_readings;
    dbe += d.uncorrected_readings;
  });
  return seen;
}

void RunningSums::add_quarters(Measures& m) const {
  constexpr std::size_t kHourQuarters = 4;
  EpisodeSum throttling;
  double temperatures = 0, fans = 0;
  std::size_t left = kQuartersOfDay;
  const auto count = [](double& sum, double by, double& at, double last) {
    sum += by;
    if (by > 0) at = last;
  };
  for_each_quarter([&](const Quarter& q) {
    throttling.add(q.throttling, true);
    m.temperature += q.temperature_sum;
    temperatures += q.readings[index(Of::temperature)];
    count(m.spikes.count, q.spikes, m.spikes.last_at, q.spiked_at);
    m.slow_clock.all += q.clocks;
    count(m.slow_clock.those, q.slow_clocks, m.slow_clock.last_at, q.slow_clock_at);
    m.slow_generation.all += q.generations;
    count(m.slow_generation.those, q.slow_generations, m.slow_generation.last_at, q.slow_generation_at);
    m.rounds_today.sum += q.score_sum;
    m.rounds_today.count += q.scores;
    if (left-- > kHourQuarters || q.readings[index(Of::fan)] == 0) return;
    m.fan_lowest = fans == 0 ? q.fan_lowest : std::min(m.fan_lowest, q.fan_lowest);
    ++fans;
  });
  m.throttling = throttling.sum();
  m.temperature = temperatures > 0 ? m.temperature / temperatures : 0;
}

Growth RunningSums::growth_of_days(std::size_t from, std::size_t to, bool corrected) const {
  Growth g{0, t() - static_cast<double>(from) * kDay};
  bool grew = false;
  for_each_day(from, to, [&](std::size_t k, const DaySums& d) {
    g.sum += corrected ? d.corrected : d.uncorrected;
    const auto ms = corrected ? d.corrected_ms : d.uncorrected_ms;
    if (ms == 0 || grew) return;
    grew = true;
    g.last_at = t() - static_cast<double>(k + 1) * kDay + ms / 1000.0;
  });
  return g;
}

void RunningSums::add_days(Measures& m) const {
  constexpr bool kCorrected = true;
  for_each_day(0, Days::kCount, [&](std::size_t k, const DaySums& d) {
    m.loaded_temperature.set(k, d.loaded_temperature_sum, d.loaded_temperatures);
    m.energy_per_work.set(k, d.joules, d.work);
    m.busy_clock.set(k, d.busy_clock_sum, d.busy_clocks);
    if (k < kPowerDays) m.power_days[k] = d.power_day;
  });
  for (std::size_t k = 0; k < m.corrected_by_day.size(); ++k) m.corrected_by_day[k] = growth_of_days(k, k + 1, kCorrected);
  m.corrected_week = growth_of_days(0, 7, kCorrected);
  m.uncorrected_week = growth_of_days(0, 7, !kCorrected);
  m.uncorrected_month = growth_of_days(0, 30, !kCorrected);
  m.uncorrected_today = growth_of_days(0, 1, !kCorrected);
  m.uncorrected_day_before = growth_of_days(1, 2, !kCorrected);
  const auto &week_ago = today_[day(7)], &month_ago = today_[day(30)];
  m.rounds_week_ago = {week_ago.score_sum, static_cast<double>(week_ago.scores)};
  m.rounds_month_ago = {month_ago.score_sum, static_cast<double>(month_ago.scores)};
}

// Of the three ways in which a limit can be beyond design, the one that what is present allows.
Counted RunningSums::limited(const Input& input) const {
  if (std::ranges::none_of(recent_->quarters, [](const Quarter& q) { return q.limited[2].any; })) return {};
  const Evidence presence_alone(input, seen(), Measures(t()));
  const bool knows_limits = presence_alone.present(Of::limit_default) && presence_alone.present(Of::limit_enforced);
  const bool knows_clock = presence_alone.present(Of::sm_clock);
  if (!knows_limits && !knows_clock) return {};
  EpisodeSum sum;
  for_each_quarter([&, which = knows_limits && knows_clock ? 2u
                               : knows_clock               ? 1u
                                                           : 0u](const Quarter& q) { sum.add(q.limited[which], false); });
  return sum.sum();
}

MinuteBits RunningSums::minutes() const {
  MinuteBits bits;
  const auto newest = static_cast<std::size_t>(number_of(t()) % static_cast<Number>(kMinuteQuarters));
  for (std::size_t n = 0; n < kMinuteQuarters; ++n)
    bits.set_quarter(static_cast<int>(n * 15), recent_->minutes[(newest + 1 + n) % kMinuteQuarters]);
  return bits;
}

// UTC hours of the last week with a quarter that says so.
double RunningSums::hours_with(std::uint8_t what) const {
  const auto size = recent_->hours.size();
  const auto newest = static_cast<std::size_t>(number_of(t()) % static_cast<Number>(size));
  double count = 0, last = -1;
  const auto add = [&](double hour) {
    if (hour != last) ++count;
    last = hour;
  };
  for (std::size_t n = 1; n <= size; ++n) {
    const auto said = recent_->hours[(newest + n) % size];
    if ((said & (what | what << 1)) == 0) continue;
    const double hour = hour_of(t() - static_cast<double>(size - n + 1) * kQuarter);
    if (said & what) add(hour);
    if (said & what << 1) add(hour + kHour);
  }
  return count;
}

Growth RunningSums::growth_of_quarters(std::size_t which) const {
  Growth g{0, t()};
  for_each_quarter([&](const Quarter& q) {
    g.sum += q.growth[which];
    if (q.grew_at[which] > 0) g.last_at = q.grew_at[which];
  });
  return g;
}

Growth RunningSums::growth_of_month(std::size_t which) const {
  Growth g{0, t()};
  bool grew = false;
  for_each_day(0, 30, [&](std::size_t k, const DaySums& d) {
    g.sum += d.growth[which];
    if (d.growth_ms[which] == 0 || grew) return;
    grew = true;
    g.last_at = t() - static_cast<double>(k + 1) * kDay + d.growth_ms[which] / 1000.0;
  });
  return g;
}

Measures RunningSums::measures(const Input& input) const {
  const auto& carry = recent_->carry;
  const auto last = [&](Of of) { return Last{carry.last_at[index(of)], carry.last_value[index(of)]}; };
  Measures m(t());
  add_quarters(m);
  add_days(m);
  m.temperature_at = last(Of::temperature).at;
  m.fan_at = last(Of::fan).at;
  m.remap_pending = last(Of::remap_pending);
  m.remap_failure = last(Of::remap_failure);
  m.banks = last(Of::banks);
  m.width = carry.width;
  m.most_width = carry.most_width;
  m.corrected_since = std::max(t() - kWeek, carry.first_corrected_at);
  m.links_at = std::max(t() - kDay, carry.links_at);
  m.links_up = carry.links_at < t() - kDay ? 0 : carry.links_up;
  m.limited = limited(input);
  m.corrected_hours = {hours_with(Quarter::kErrors), m.corrected_week.last_at};
  m.brake_hours = {hours_with(Quarter::kBrake), carry.brake_at};
  m.remapped_corrected = growth_of_month(0);
  m.remapped_uncorrected = growth_of_month(1);
  m.pcie_replays = growth_of_quarters(2);
  m.nvlink_crc = growth_of_quarters(3);
  m.nvlink_replays = growth_of_quarters(4);
  const double this_hour = hour_of(t());
  for (double hour = this_hour - kHour; hour >= this_hour - kDay; hour -= kHour) {
    const auto place = static_cast<std::size_t>(hour / kHour) % kSwingHours;
    if (carry.swing_hour[place] != hour || carry.swing[place] <= m.widest_swing) continue;
    m.widest_swing = carry.swing[place];
    m.swing_at = hour + kHour;
  }
  m.uptime = uptime(input, minutes());
  return m;
}

Report RunningSums::score(const Profile& profile, const Input& input) const {
  return health::score(profile, Evidence(input, seen(), measures(input)));
}

}  // namespace ghm::health
