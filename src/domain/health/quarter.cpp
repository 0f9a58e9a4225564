// Moments of a quarter into its sums. Each question is the one that measures.cpp puts to a month of readings, put so that answers
// of neighbouring quarters add up: what a window would see of its first reading alone (an episode that goes on) is noted apart.
#include "domain/health/quarter.h"

#include <algorithm>

namespace ghm::health {
namespace {

constexpr double kMinute = 60, kSameEpisode = 60;
constexpr int kMinutesOfQuarter = 15;

std::size_t index(Of of) {
  return static_cast<std::size_t>(of);
}

// True when the reading begins an episode.
bool link(Chain& chain, double at) {
  const bool same = chain.is_latest || at - chain.last_at < kSameEpisode;
  chain.last_at = at;
  chain.is_latest = true;
  return !same;
}

}  // namespace

void add_sums(DaySums& day, const Quarter& q) {
  day.loaded_temperature_sum += q.loaded_temperature_sum;
  day.joules += q.joules;
  day.work += q.work;
  day.busy_clock_sum += q.busy_clock_sum;
  day.corrected += q.corrected;
  day.uncorrected += q.uncorrected;
  day.score_sum += q.score_sum;
  for (std::size_t n = 0; n < kGrowingForAMonth; ++n) day.growth[n] += q.growth[n];
  day.loaded_temperatures += q.loaded_temperatures;
  day.busy_clocks += q.busy_clocks;
  day.corrected_readings += q.readings[index(Of::sbe)];
  day.uncorrected_readings += q.readings[index(Of::dbe)];
  day.scores += q.scores;
}

PowerDay power_day(const Carry& carry) {
  std::array<PowerHour, 24> hours{};
  const double this_hour = hour_of(carry.t);
  for (std::size_t k = 0; k < hours.size(); ++k) {
    const double hour = this_hour - static_cast<double>(k + 1) * kHour;
    const auto& kept = carry.power_hours[static_cast<std::size_t>(hour / kHour) % carry.power_hours.size()];
    if (kept.hour == hour) hours[k] = kept.sums;
  }
  return day_of(hours);
}

QuarterReader::QuarterReader(Carry& carry, double interval_s) : carry_(carry), interval_(interval_s), start_(carry.t) {
  carry_.t += kQuarter;
}

void QuarterReader::add(const Moment& now) {
  report_minutes_before(now.at);
  carry_.last_any_at = now.at;
  if (now.has_links) {
    ++quarter_.readings[kMetricInputs];
    carry_.links_at = now.at;
    carry_.links_up = now.links_up;
  }
  count_throttling(now);
  count_limited(now);
  count_temperature(now);
  count_errors(now);
  count_power(now);
  count_clocks(now);
  count(now);
}

Quarter QuarterReader::finish(const SwingOf& swing_of) {
  report_minutes_before(carry_.t + kMinute);
  if (carry_.hour.hour >= 0 && carry_.hour.hour < hour_of(carry_.t)) end_hour();
  for (const auto& hour : ended_) {
    const auto place = static_cast<std::size_t>(hour.hour / kHour) % kSwingHours;
    const bool may_swing = hour.all_loaded && hour.highest - hour.lowest > kStillWithin;
    carry_.swing_hour[place] = hour.hour;
    carry_.swing[place] = may_swing ? swing_of(hour.hour) : 0;
  }
  return quarter_;
}

// Minute n of the quarter ends at start + 60 (n + 1) s; it is reported when a reading lies in the interval before, or the minute.
void QuarterReader::report_minutes_before(double at) {
  const double width = std::max(kMinute, interval_);
  for (; minute_ < kMinutesOfQuarter; ++minute_) {
    const double end = start_ + kMinute * (minute_ + 1);
    if (end >= at) return;
    if (carry_.last_any_at > end - width) quarter_.minutes |= static_cast<std::uint16_t>(1u << minute_);
  }
}

// Last of all: the others look at the readings before.
void QuarterReader::count(const Moment& now) {
  for (std::size_t i = 0; i < kMetricInputs; ++i) {
    if (!now.has(static_cast<Of>(i))) continue;
    ++quarter_.readings[i];
    carry_.last_at[i] = now.at;
    carry_.last_value[i] = now.values[i];
  }
  if (now.has(Of::fan)) {
    const bool first = quarter_.readings[index(Of::fan)] == 1;
    quarter_.fan_lowest = first ? now[Of::fan] : std::min(quarter_.fan_lowest, now[Of::fan]);
  }
  if (now.has(Of::pcie_width) && now.has(Of::pcie_max_width)) {
    carry_.width = {now.at, now[Of::pcie_width]};
    carry_.most_width = {now.at, now[Of::pcie_max_width]};
  }
}

void QuarterReader::note_hour(double at, std::uint8_t what) {
  quarter_.hours |= static_cast<std::uint8_t>(hour_of(at) == hour_of(start_) ? what : what << 1);
}

void QuarterReader::count_throttling(const Moment& now) {
  if (!now.has(Of::reasons)) return;
  if (has_bits(now[Of::reasons], kPowerBrake)) {
    note_hour(now.at, Quarter::kBrake);
    carry_.brake_at = now.at;
  }
  if (!has_bits(now[Of::reasons], kThermalReasons)) {
    carry_.throttling.is_latest = false;
    return;
  }
  const bool begins = link(carry_.throttling, now.at);
  auto& q = quarter_.throttling;
  if (!q.any) q.continues = !begins;
  q.any = true;
  q.starts += begins;
  q.last_at = now.at;
}

// Which of the three holds is decided by the round, which knows what is present.
void QuarterReader::count_limited(const Moment& now) {
  if (!now.has(Of::reasons)) return;
  auto& chain = carry_.limited;
  if (!has_bits(now[Of::reasons], kPowerReasons)) {
    chain.is_latest = false;
    return;
  }
  if (link(chain, now.at)) chain.counted = {};
  const bool lowered = now[Of::limit_enforced] < now[Of::limit_default];
  const bool slow = is_slower_than_peers(now[Of::sm_clock], now.peers_clock);
  const std::array<bool, 3> holds{lowered, slow, lowered || slow};
  for (std::size_t n = 0; n < holds.size(); ++n) {
    if (!holds[n]) continue;
    auto& q = quarter_.limited[n];
    if (!q.any) q.first_at = now.at;
    if (!q.any) q.continues = chain.counted[n];
    q.any = true;
    if (chain.counted[n]) continue;
    chain.counted[n] = true;
    ++q.starts;
    q.last_at = now.at;
  }
}

void QuarterReader::end_hour() {
  ended_.push_back(carry_.hour);
  carry_.hour = {};
}

void QuarterReader::count_temperature(const Moment& now) {
  if (!now.has(Of::temperature)) return;
  const double temperature = now[Of::temperature];
  quarter_.temperature_sum += temperature;
  if (now.has(Of::power)) {
    auto& hour = carry_.power_hours[static_cast<std::size_t>(hour_of(now.at) / kHour) % carry_.power_hours.size()];
    if (hour.hour != hour_of(now.at)) hour = {hour_of(now.at), {}};
    ++hour.sums.readings;
    hour.sums.temperature += temperature;
    hour.sums.power += now[Of::power];
  }
  if (!now.has(Of::activity)) return;
  const bool loaded = now[Of::activity] >= kUnderLoad;
  if (loaded) {
    ++quarter_.loaded_temperatures;
    quarter_.loaded_temperature_sum += temperature;
  }
  if (carry_.hour.hour >= 0 && carry_.hour.hour < hour_of(now.at)) end_hour();
  auto& hour = carry_.hour;
  if (hour.hour < 0) hour = {hour_of(now.at), temperature, temperature, true};
  hour.lowest = std::min(hour.lowest, temperature);
  hour.highest = std::max(hour.highest, temperature);
  hour.all_loaded = hour.all_loaded && loaded;
}

void QuarterReader::count_errors(const Moment& now) {
  const auto grow = [&](Of of, double& sum, double& at) {
    if (!now.has(of)) return;
    if (carry_.last_at[index(of)] == 0) return;
    const double step = growth_of(carry_.last_value[index(of)], now[of]);
    sum += step;
    if (step > 0) at = now.at;
  };
  const double corrected_before = quarter_.corrected;
  grow(Of::sbe, quarter_.corrected, quarter_.corrected_at);
  if (quarter_.corrected > corrected_before) note_hour(now.at, Quarter::kErrors);
  for (std::size_t n = 0; n < kGrowing.size(); ++n) grow(kGrowing[n], quarter_.growth[n], quarter_.grew_at[n]);
  grow(Of::dbe, quarter_.uncorrected, quarter_.uncorrected_at);
  if (now.has(Of::sbe) && carry_.last_at[index(Of::sbe)] == 0) carry_.first_corrected_at = now.at;
}

void QuarterReader::count_power(const Moment& now) {
  if (!now.has(Of::activity)) return;
  if (now.has(Of::power) && now.has(Of::sm_clock)) {
    const PowerMoment before{carry_.power_at, carry_.power, carry_.power_activity, carry_.power_clock};
    const PowerMoment at{now.at, now[Of::power], now[Of::activity], now[Of::sm_clock]};
    if (is_spike(before, at, interval_)) {
      ++quarter_.spikes;
      quarter_.spiked_at = now.at;
    }
    carry_.power_at = at.at, carry_.power = at.power, carry_.power_activity = at.activity, carry_.power_clock = at.clock;
  }
  if (now.has(Of::energy)) {
    const EnergyMoment before{carry_.energy_at, carry_.energy, carry_.energy_activity}, at{now.at, now[Of::energy], now[Of::activity]};
    if (is_work(before, at, interval_)) {
      quarter_.joules += joules(before, at);
      quarter_.work += work(before, at);
    }
    carry_.energy_at = at.at, carry_.energy = at.energy, carry_.energy_activity = at.activity;
  }
}

void QuarterReader::count_clocks(const Moment& now) {
  if (!now.has(Of::activity)) return;
  const double activity = now[Of::activity];
  if (activity >= kBusy && now.has(Of::sm_clock)) {
    ++quarter_.busy_clocks;
    quarter_.busy_clock_sum += now[Of::sm_clock];
  }
  if (activity < kUnderLoad) return;
  if (now.has(Of::sm_clock) && now.has(Of::max_sm_clock) && now.has(Of::reasons)) {
    ++quarter_.clocks;
    if (is_slow_clock(now[Of::sm_clock], now[Of::max_sm_clock], now[Of::reasons])) {
      ++quarter_.slow_clocks;
      quarter_.slow_clock_at = now.at;
    }
  }
  if (now.has(Of::pcie_gen) && now.has(Of::pcie_max_gen)) {
    ++quarter_.generations;
    if (now[Of::pcie_gen] < now[Of::pcie_max_gen]) {
      ++quarter_.slow_generations;
      quarter_.slow_generation_at = now.at;
    }
  }
}

}  // namespace ghm::health
