// Power dimension of the profile `baseline`. At steady load and clock the draw should stand still, a limit should be the one
// that was asked for, and a unit of work should cost what it used to.
#include <algorithm>
#include <array>
#include <cmath>

#include "domain/health/rules.h"

namespace ghm::health {
namespace {

constexpr std::uint64_t kPowerReasons = 0x84;  // software power cap and hardware power brake; NVML clocks event reasons
constexpr double kUnderLoad = 0.5;

struct Moment {
  double at, power, activity, clock;
};

// Both readings under the same load at the same clock, and no more than one missing between them.
bool is_stable_pair(const Moment& a, const Moment& b, double interval_s) {
  constexpr double kActivity = 0.05, kClock = 30;  // MHz
  return b.at - a.at <= 2 * interval_s && a.activity >= kUnderLoad && b.activity >= kUnderLoad &&
         std::abs(b.activity - a.activity) <= kActivity && std::abs(b.clock - a.clock) <= kClock;
}

std::optional<Verdict> spike(const Evidence& e) {
  constexpr double kPointsEach = 3, kMost = 30, kRise = 20;  // W
  const double interval = e.input().interval_s, begin = e.t() - kDay;
  double spikes = 0, last_at = 0;
  std::optional<Moment> before;
  // The first pair of the window may begin two intervals before it.
  for_each_joined(std::array{&e[Of::power], &e[Of::activity], &e[Of::sm_clock]}, begin - 2 * interval - 1, e.t(),
                  [&](double at, const auto& v) {
                    const Moment now{at, v[0], v[1], v[2]};
                    if (before && at > begin && is_stable_pair(*before, now, interval) && now.power - before->power > kRise) {
                      ++spikes;
                      last_at = at;
                    }
                    before = now;
                  });
  if (spikes == 0) return std::nullopt;
  return Verdict{std::min(kMost, kPointsEach * spikes), spikes, 0, last_at};
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
    constexpr double kShare = 0.95;
    const auto own = clock_.at(time);
    if (!own) return false;
    clocks_.clear();
    for (auto& peer : peers_)
      if (const auto clock = peer.at(time)) clocks_.push_back(*clock);
    return !clocks_.empty() && *own < kShare * percentile(clocks_, 50);
  }

  Cursor enforced_, default_, clock_;
  bool knows_limits_, knows_clock_;
  std::vector<Cursor> peers_;
  std::vector<double> clocks_;
};

std::optional<Verdict> limit(const Evidence& e) {
  constexpr double kFew = 5, kPointsFew = 5, kPointsMany = 15;
  const double from = e.t() - kDay;
  LimitedBeyondDesign limited(e, from);
  double episodes = 0, last_at = 0;
  bool is_counted = false;
  for_each_in_episodes(
      e[Of::reasons].readings, from, e.t(), [](double v) { return has_bits(v, kPowerReasons); },
      [&](const Reading& r, bool first) {
        if (first) is_counted = false;
        if (is_counted || !limited.at(r.at)) return;
        is_counted = true;
        ++episodes;
        last_at = r.at;
      });
  if (episodes == 0) return std::nullopt;
  return Verdict{episodes > kFew ? kPointsMany : kPointsFew, episodes, 0, last_at};
}

// Joules per second of full activity by day, from neighbouring readings under load.
Days energy_per_work(const Evidence& e) {
  constexpr double kMillijoules = 1000;
  struct State {
    double at, energy, activity;
  };
  const double interval = e.input().interval_s;
  Days days(e.t());
  std::optional<State> before;
  for_each_joined(std::array{&e[Of::energy], &e[Of::activity]}, e.t() - Days::kCount * kDay - 2 * interval - 1, e.t(),
                  [&](double at, const auto& v) {
                    if (before && at - before->at <= 2 * interval && before->activity >= kUnderLoad && v[1] >= kUnderLoad) {
                      const double step = v[0] >= before->energy ? v[0] - before->energy : v[0];
                      days.add(at, step / kMillijoules, (before->activity + v[1]) / 2 * (at - before->at));
                    }
                    before = State{at, v[0], v[1]};
                  });
  return days;
}

std::optional<Verdict> efficiency(const Evidence& e) {
  constexpr double kMost = 20;
  constexpr std::size_t kLeastDays = 7;
  const auto days = energy_per_work(e);
  const auto now = days.value(0), usual = days.usual(kLeastDays);
  if (!now || !usual || *usual <= 0 || *now <= *usual) return std::nullopt;
  return Verdict{std::min(kMost, 100 * (*now / *usual - 1)), *now, *usual, e.t()};
}

}  // namespace

std::span<const Rule> power_rules() {
  static const Rule kRules[] = {
      {"power.spike", Effect::deduct, {Of::power, Of::activity, Of::sm_clock}, spike},
      {"power.limit", Effect::deduct, {Of::reasons}, limit},
      {"power.efficiency", Effect::deduct, {Of::energy, Of::activity}, efficiency},
  };
  return kRules;
}

}  // namespace ghm::health
