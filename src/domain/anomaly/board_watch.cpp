#include "domain/anomaly/board_watch.h"

#include <algorithm>

namespace ghm::anomaly {
namespace {

constexpr double kGlass = 10;                      // minutes
constexpr double kBusyFrom = 25, kIdleBelow = 10;  // percent
constexpr double kBusyPower = 0.35, kIdlePower = 0.25, kUsualLimit = 700;

constexpr auto kPlaces = [] {
  std::array<std::size_t, kChecks.size()> places{};
  for (std::size_t i = 0; i < kChecks.size(); ++i) places[i] = count_of(kChecks[i].detector, i);
  return places;
}();

constexpr double kRateMinutes = 6 * 60;
constexpr std::array kRateSlots = {Slot::corrected, Slot::pcie_replays, Slot::nvlink_crc};

// The burst of the same counter: while it is up, that is told already.
constexpr auto kBursts = [] {
  std::array<std::size_t, kChecks.size()> bursts{};
  for (std::size_t i = 0; i < kChecks.size(); ++i)
    for (std::size_t b = 0; b < kChecks.size(); ++b)
      if (kChecks[b].detector == Detector::event_burst && kChecks[b].slot == kChecks[i].slot) bursts[i] = b;
  return bursts;
}();

// How hard it works, in percent: its utilisation, or what its power says where nobody prints that.
double load_of(const std::array<double, kGauges>& smooth, const std::array<double, kSlots>& slots) {
  if (const double util = smooth[index_of(Slot::gpu_util)]; !std::isnan(util)) return util;
  const double limit = slots[index_of(Slot::power_limit)], share = smooth[index_of(Slot::power)] / (limit > 0 ? limit : kUsualLimit);
  return share >= kBusyPower ? 100 : share < kIdlePower ? 0 : (kBusyFrom + kIdleBelow) / 2;
}

}  // namespace

bool is_beyond(const Check& c, const Score& s, double threshold, double least) {
  const double d = s.value - s.expected;
  if (c.side == Check::Side::above && s.z < 0) return false;
  if (c.side == Check::Side::below && s.z > 0) return false;
  return std::fabs(s.z) >= threshold && std::fabs(d) >= least;
}

void ErrorRate::take(double counter, double minutes) {
  const double gained = std::isnan(last_) || counter < last_ ? 0 : counter - last_;
  const bool known = !std::isnan(last_);
  last_ = counter;
  if (!known || std::isnan(counter)) return;
  const auto weight = static_cast<float>(minutes / (minutes + kRateMinutes));
  per_hour_ += weight * (static_cast<float>(60 * gained / minutes) - per_hour_);
  minutes_ = std::min(minutes_ + static_cast<float>(minutes), static_cast<float>(kRateMinutes));
}

double ErrorRate::per_hour() const {
  return minutes_ >= static_cast<float>(kRateMinutes) && !std::isnan(last_) ? static_cast<double>(per_hour_) : std::nan("");
}

// A power gauge is one instant: looked at in step with a job's beat, it is off by a quarter for hours. The energy counter
// misses nothing. It may stand still between two pages of a slow exporter; then the gauge must do.
double BoardWatch::mean_watts(const BoardMinute& minute, Timestamp now) {
  const double joules = minute.slots[index_of(Slot::energy)], gauge = minute.slots[index_of(Slot::power)];
  const double gained = joules - joules_, seconds = std::chrono::duration<double>(now - joules_at_).count();
  if (gained == 0) return gauge;
  joules_ = joules;
  joules_at_ = now;
  return gained > 0 && !std::isnan(gauge) ? gained / seconds : gauge;
}

void BoardWatch::smooth(BoardMinute& minute, double minutes, Timestamp now) {
  minute.watts = mean_watts(minute, now);
  auto slots = minute.slots;
  slots[index_of(Slot::power)] = minute.watts;
  const double weight = minutes / (minutes + kGlass);
  for (std::size_t g = 0; g < kGauges; ++g) {
    const double x = slots[g];
    if (std::isnan(x) || std::isnan(smooth_[g])) smooth_[g] = x;
    else smooth_[g] += weight * (x - smooth_[g]);
  }
  for (std::size_t r = 0; r < kErrorRates; ++r) rates_[r].take(minute.slots[index_of(kRateSlots[r])], minutes);
  const double load = load_of(smooth_, slots);
  if (busy_ ? load < kIdleBelow : load >= kBusyFrom) {
    busy_ = !busy_;
    load_since_ = now;
  }
}

void BoardWatch::rearm(Timestamp now) {
  smooth_.fill(std::nan(""));
  joules_ = std::nan("");
  busy_ = false;
  load_since_ = now;
  quiet_until_ = now + kSettle;
  for (auto& s : states_) s.rearm();
  for (auto& s : stuck_) s.rearm();
  for (auto& s : steps_) s.rearm();
  for (auto& s : bursts_) s.rearm();
  for (auto& r : rates_) r.rearm();
  excess_ = std::nan("");
}

Hysteresis::Change BoardWatch::judge(std::size_t check, const BoardMinute& minute, Timestamp now, Score& found) {
  const Check& c = kChecks[check];
  auto& state = states_[check];
  const double x = c.input == Input::slot ? minute.slots[index_of(c.slot)] : minute.inputs[static_cast<std::size_t>(c.input)];
  const bool told_already = is_rate(c.input) && states_[kBursts[check]].is_up();
  if (std::isnan(x) || told_already || (c.when == Check::When::busy && !is_busy(now))) {
    state.rearm();
    return Hysteresis::Change::none;
  }
  const bool adopts = now - state.since() >= kAdopt;
  auto score = look(check, x, minute, now, !state.is_up() || adopts);
  const auto* then = score || adopts ? nullptr : before(check);
  if (then != nullptr) score = against(*then, check, x, minute);
  const bool over = score && now >= quiet_until_ && is_beyond(c, *score, c.open, c.least_effect);
  const bool under = !over && (score ? !is_beyond(c, *score, c.close, c.least_effect / 2) : then == nullptr);
  if (score) found = *score;
  const auto change = state.take(over, under, now, c.persist, c.calm);
  if (change == Hysteresis::Change::closed) std::erase_if(reopened_, [&](const Reopened& r) { return r.check == check; });
  return change;
}

void BoardWatch::reopen(std::size_t check, Timestamp since, const Score& then) {
  states_[check].reopen(since);
  reopened_.push_back({check, then});
}

const Score* BoardWatch::before(std::size_t check) const {
  const auto found = std::ranges::find(reopened_, check, &Reopened::check);
  return found == reopened_.end() ? nullptr : &found->then;
}

// A level can be held against the level of then; what a sum or a span of time meant then is gone.
std::optional<Score> BoardWatch::against(const Score& then, std::size_t check, double x, const BoardMinute& minute) const {
  const Check& c = kChecks[check];
  std::optional<double> level;
  if (c.detector == Detector::robust_z) level = c.input == Input::warmth ? x - minute.room : x;
  if (c.detector == Detector::step_change) level = steps_[kPlaces[check]].level();
  if (!level || !(then.sigma > 0)) return std::nullopt;
  return Score{*level, then.expected, then.sigma, (*level - then.expected) / then.sigma};
}

// What the hosts around have become warmer by is the room's. Half a day under load makes that their usual, each host at its own time:
// what was so is remembered for as long, else the last ones to learn it would stand alone.
std::optional<Score> BoardWatch::less_the_room(std::optional<Score> score, double room) {
  constexpr double kKept = 1 - 1.0 / (12 * 60);  // a minute
  if (!score) return score;
  const double excess = score->value - score->expected;
  excess_ = std::isnan(excess_) ? excess : std::max(excess, kKept * excess_);
  score->value -= room;
  score->z = (score->value - score->expected) / score->sigma;
  return score;
}

std::optional<Score> BoardWatch::look(std::size_t check, double x, const BoardMinute& minute, Timestamp now, bool learn) {
  const Check& c = kChecks[check];
  const auto place = kPlaces[check];
  switch (c.detector) {
    case Detector::robust_z: {
      auto score = robust_[place].look(x, c.least_sigma);
      if (learn) robust_[place].learn(x, now);
      return c.input == Input::warmth ? less_the_room(score, minute.room) : score;
    }
    case Detector::stuck_sensor: {
      const double watts = minute.watts, limit = minute.slots[index_of(Slot::power_limit)];
      if (std::isnan(watts)) return std::nullopt;
      stuck_[place].take(x, watts, now);
      return stuck_[place].look(c.band * (limit > 0 ? limit : kUsualLimit), now);
    }
    case Detector::step_change: steps_[place].take(x, learn); return steps_[place].look(c.least_sigma);
    case Detector::event_burst: bursts_[place].take(x, now, learn); return bursts_[place].look(c.prior);
    case Detector::cusum_drift: drifts_[place].take(x, c.least_sigma); return drifts_[place].look(c.least_sigma);
    case Detector::peer_residual: return minute.peers[static_cast<std::size_t>(c.input)];
  }
  return std::nullopt;
}

}  // namespace ghm::anomaly
