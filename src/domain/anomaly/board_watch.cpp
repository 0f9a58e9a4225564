#include "domain/anomaly/board_watch.h"

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

bool is_beyond(const Check& c, const Score& s, double threshold, double least) {
  const double d = s.value - s.expected;
  if (c.side == Check::Side::above && s.z < 0) return false;
  if (c.side == Check::Side::below && s.z > 0) return false;
  return std::fabs(s.z) >= threshold && std::fabs(d) >= least;
}

// How hard it works, in percent: its utilisation, or what its power says where nobody prints that.
double load_of(const std::array<double, kGauges>& smooth, const std::array<double, kSlots>& slots) {
  if (const double util = smooth[index_of(Slot::gpu_util)]; !std::isnan(util)) return util;
  const double limit = slots[index_of(Slot::power_limit)], share = smooth[index_of(Slot::power)] / (limit > 0 ? limit : kUsualLimit);
  return share >= kBusyPower ? 100 : share < kIdlePower ? 0 : (kBusyFrom + kIdleBelow) / 2;
}

}  // namespace

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
}

Hysteresis::Change BoardWatch::judge(std::size_t check, const BoardMinute& minute, Timestamp now, Score& found) {
  const Check& c = kChecks[check];
  auto& state = states_[check];
  const double x = c.input == Input::slot ? minute.slots[index_of(c.slot)] : minute.inputs[static_cast<std::size_t>(c.input)];
  if (std::isnan(x) || (c.when == Check::When::busy && !is_busy(now))) {
    state.rearm();
    return Hysteresis::Change::none;
  }
  const bool learn = !state.is_up() || now - state.since() >= kAdopt;
  const auto score = look(check, x, minute, now, learn);
  const bool over = score && now >= quiet_until_ && is_beyond(c, *score, c.open, c.least_effect);
  const bool under = !over && (!score || !is_beyond(c, *score, c.close, c.least_effect / 2));
  if (score) found = *score;
  return state.take(over, under, now, c.persist, c.calm);
}

std::optional<Score> BoardWatch::look(std::size_t check, double x, const BoardMinute& minute, Timestamp now, bool learn) {
  const Check& c = kChecks[check];
  const auto place = kPlaces[check];
  switch (c.detector) {
    case Detector::robust_z: {
      const auto score = robust_[place].look(x, c.least_sigma);
      if (learn) robust_[place].learn(x, now);
      return score;
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
