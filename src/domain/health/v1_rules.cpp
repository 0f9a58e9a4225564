// Rules of the profile `v1`: signs by which modes of failure announce themselves (data sheets and field studies: docs/health.md),
// each with a dead zone as wide as healthy boards vary. What several rules have in common: a count that healthy boards do not
// reach, points by its size or its logarithm, and a highest cost.
#include "domain/health/v1_rules.h"

#include <algorithm>
#include <cmath>

#include "domain/health/utc_hours.h"

namespace ghm::health {
namespace {

// The verdict of a row of `baseline`, at other points.
std::optional<Verdict> at_points(std::optional<Verdict> verdict, double points) {
  if (verdict) verdict->points = points;
  return verdict;
}

// Thermal

std::optional<Verdict> resistance(const Evidence& e) {
  constexpr double kDeadZone = 1.10, kPointsPerPercent = 2, kMost = 60;
  constexpr std::size_t kNow = 7;
  const Resistance r(e);
  const auto now = r.over(0, kNow), usual = r.over(kNow, Resistance::kDays);
  if (!now || !usual || *usual <= 0 || *now <= kDeadZone * *usual) return std::nullopt;
  return Verdict{std::min(kMost, kPointsPerPercent * 100 * (*now / *usual - kDeadZone)), *now, *usual, e.t()};
}

// Memory

std::optional<Verdict> hours_with_errors(const Evidence& e) {
  constexpr double kPointsEach = 2.5, kMost = 70;
  return each_costs(kPointsEach, kMost, e.measures().corrected_hours);
}

std::optional<Verdict> flood(const Evidence& e) {
  constexpr double kReference = 1000, kPoints = 50;
  const auto& day = e.measures().corrected_by_day[0];
  if (day.sum <= kReference) return std::nullopt;
  return Verdict{kPoints, day.sum, kReference, day.last_at};
}

std::optional<Verdict> rows(const Evidence& e) {
  constexpr double kPointsEach = 15, kMost = 75;
  double count = 0, last_at = 0;
  const auto add = [&](Of of, const Growth& month) {
    if (!e.present(of) || month.sum <= 0) return;
    count += month.sum;
    last_at = std::max(last_at, month.last_at);
  };
  add(Of::remapped_corrected, e.measures().remapped_corrected);
  add(Of::remapped_uncorrected, e.measures().remapped_uncorrected);
  if (count == 0) return std::nullopt;
  return Verdict{std::min(kMost, kPointsEach * count), count, 0, last_at};
}

// Half of those that come again do so within a day; later the incident that it was goes on costing (reliability.incidents).
std::optional<Verdict> uncorrected(const Evidence& e) {
  constexpr double kCap = 45;
  const auto& week = e.measures().uncorrected_week;
  if (week.sum <= 0) return std::nullopt;
  return Verdict{kCap, week.sum, 0, week.last_at};
}

// Power

std::optional<Verdict> brake(const Evidence& e) {
  constexpr double kPointsEach = 6, kMost = 70;
  return each_costs(kPointsEach, kMost, e.measures().brake_hours);
}

// Jobs differ in joules per work; what is left beyond that is the board's.
std::optional<Verdict> efficiency(const Evidence& e) {
  constexpr double kDeadZone = 0.15, kMost = 20;
  auto v = rule_named(power_rules(), "power.efficiency").judge(e);
  if (!v || v->value <= (1 + kDeadZone) * v->reference) return std::nullopt;
  v->points = std::min(kMost, 100 * (v->value / v->reference - 1 - kDeadZone));
  return v;
}

// Performance

std::optional<Verdict> throughput(const Evidence& e) {
  constexpr double kDeadZone = 0.03, kPointsPerPercent = 2, kMost = 40;
  auto v = rule_named(performance_rules(), "performance.throughput").judge(e);
  if (!v || v->value >= (1 - kDeadZone) * v->reference) return std::nullopt;
  v->points = std::min(kMost, kPointsPerPercent * 100 * (1 - kDeadZone - v->value / v->reference));
  return v;
}

constexpr double kLinkPoints = 40;

std::optional<Verdict> pcie(const Evidence& e) {
  return at_points(rule_named(performance_rules(), "performance.pcie").judge(e), kLinkPoints);
}

std::optional<Verdict> nvlink(const Evidence& e) {
  return at_points(rule_named(performance_rules(), "performance.nvlink").judge(e), kLinkPoints);
}

constexpr double kPointsPerTenfold = 30, kMostByCount = 60;

// Counts of errors span decades: points go by the logarithm.
double points_by_count(double count, double reference) {
  return std::min(kMostByCount, kPointsPerTenfold * std::log10(count / reference));
}

std::optional<Verdict> replays(const Evidence& e) {
  constexpr double kReference = 250;
  const auto& day = e.measures().pcie_replays;
  if (day.sum <= kReference) return std::nullopt;
  return Verdict{points_by_count(day.sum, kReference), day.sum, kReference, day.last_at};
}

std::optional<Verdict> link_errors(const Evidence& e) {
  constexpr double kReference = 20;
  double count = 0, last_at = 0;
  const auto add = [&](Of of, const Growth& day) {
    if (!e.present(of) || day.sum <= 0) return;
    count += day.sum;
    last_at = std::max(last_at, day.last_at);
  };
  add(Of::nvlink_crc, e.measures().nvlink_crc);
  add(Of::nvlink_replays, e.measures().nvlink_replays);
  if (count <= kReference) return std::nullopt;
  return Verdict{points_by_count(count, kReference), count, kReference, last_at};
}

}  // namespace

std::span<const Rule> v1_thermal_rules() {
  static const Rule kRules[] = {
      rule_named(thermal_rules(), "thermal.throttle"),
      {"thermal.resistance", Effect::deduct, {Of::temperature, Of::power}, resistance},
      rule_named(thermal_rules(), "thermal.fan"),
  };
  return kRules;
}

std::span<const Rule> v1_memory_rules() {
  static const Rule kRules[] = {
      {"memory.ce_hours", Effect::deduct, {Of::sbe}, hours_with_errors},
      {"memory.ce_flood", Effect::deduct, {Of::sbe}, flood},
      {"memory.rows", Effect::deduct, {}, rows},
      rule_named(memory_rules(), "memory.bandwidth"),
      rule_named(memory_rules(), "memory.remap_pending"),
      {"memory.uncorrected", Effect::cap, {Of::dbe}, uncorrected},
      rule_named(memory_rules(), "memory.remap_failed"),
      rule_named(memory_rules(), "memory.ue_rising"),
  };
  return kRules;
}

std::span<const Rule> v1_power_rules() {
  static const Rule kRules[] = {
      {"power.brake", Effect::deduct, {Of::reasons}, brake},
      {"power.efficiency", Effect::deduct, {Of::energy, Of::activity}, efficiency},
  };
  return kRules;
}

std::span<const Rule> v1_performance_rules() {
  static const Rule kRules[] = {
      {"performance.throughput", Effect::deduct, {Of::activity, Of::sm_clock}, throughput},
      rule_named(performance_rules(), "performance.clock"),
      {"performance.pcie", Effect::deduct, {}, pcie},
      {"performance.replays", Effect::deduct, {Of::pcie_replays}, replays},
      {"performance.nvlink", Effect::deduct, {Of::nvlinks}, nvlink},
      {"performance.link_errors", Effect::deduct, {}, link_errors},
  };
  return kRules;
}

}  // namespace ghm::health
