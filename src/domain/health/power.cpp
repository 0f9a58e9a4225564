// Power dimension of the profile `baseline`. At steady load and clock the draw should stand still, a limit should be the one
// that was asked for, and a unit of work should cost what it used to.
#include <algorithm>

#include "domain/health/rules.h"

namespace ghm::health {
namespace {

std::optional<Verdict> spike(const Evidence& e) {
  constexpr double kPointsEach = 3, kMost = 30;
  return each_costs(kPointsEach, kMost, e.measures().spikes);
}

std::optional<Verdict> limit(const Evidence& e) {
  constexpr double kFew = 5, kPointsFew = 5, kPointsMany = 15;
  const auto& episodes = e.measures().limited;
  if (episodes.count == 0) return std::nullopt;
  return Verdict{episodes.count > kFew ? kPointsMany : kPointsFew, episodes.count, 0, episodes.last_at};
}

std::optional<Verdict> efficiency(const Evidence& e) {
  constexpr double kMost = 20;
  constexpr std::size_t kLeastDays = 7;
  const auto& days = e.measures().energy_per_work;
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
