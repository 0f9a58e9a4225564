// Memory dimension of the profile `baseline`. Corrected errors cost by their rate, uncorrected ones and failed row
// remaps cap the score: no good day makes up for them.
#include <algorithm>

#include "domain/health/rules.h"

namespace ghm::health {
namespace {

std::optional<Verdict> corrected(const Evidence& e) {
  constexpr double kMost = 50;
  const auto& sbe = e[Of::sbe].readings;
  const double since = std::max(e.t() - kWeek, sbe.front().at);
  const double days = std::clamp((e.t() - since) / kDay, 1.0, 7.0);
  const auto week = growth(sbe, e.t() - kWeek, e.t());
  if (week.sum <= 0) return std::nullopt;
  return Verdict{std::min(kMost, week.sum / days), week.sum / days, 0, week.last_at};
}

std::optional<Verdict> bandwidth(const Evidence& e) {
  constexpr double kReference = 0.95;
  const auto& test = *e.input().bandwidth_test;
  if (test.ratio >= kReference) return std::nullopt;
  return Verdict{(1 - test.ratio) * 100, test.ratio, kReference, test.time};
}

std::optional<Verdict> remap_pending(const Evidence& e) {
  constexpr double kPoints = 10;
  const auto& latest = e[Of::remap_pending].readings.back();
  if (latest.value != 1) return std::nullopt;
  return Verdict{kPoints, 1, 0, latest.at};
}

std::optional<Verdict> uncorrected_week(const Evidence& e) {
  constexpr double kCap = 70, kReference = 1;
  const auto week = growth(e[Of::dbe].readings, e.t() - kWeek, e.t());
  if (week.sum < kReference) return std::nullopt;
  return Verdict{kCap, week.sum, kReference, week.last_at};
}

std::optional<Verdict> uncorrected_month(const Evidence& e) {
  constexpr double kCap = 50, kReference = 4;
  const auto month = growth(e[Of::dbe].readings, e.t() - kMonth, e.t());
  if (month.sum <= kReference) return std::nullopt;
  return Verdict{kCap, month.sum, kReference, month.last_at};
}

std::optional<Verdict> many_corrected(const Evidence& e) {
  constexpr double kCap = 60, kReference = 100;
  const auto day = growth_by_day(e[Of::sbe].readings, e.t(), 7);
  for (std::size_t k = 0; k + 2 < day.size(); ++k) {
    const double smallest = std::min({day[k], day[k + 1], day[k + 2]});
    if (smallest <= kReference) continue;
    const double end = e.t() - static_cast<double>(k) * kDay;
    return Verdict{kCap, smallest, kReference, growth(e[Of::sbe].readings, end - kDay, end).last_at};
  }
  return std::nullopt;
}

// Either sign suffices; each is judged only where its readings are there.
std::optional<Verdict> remap_failed(const Evidence& e) {
  constexpr double kCap = 30;
  if (e.present(Of::remap_failure))
    if (const auto& latest = e[Of::remap_failure].readings.back(); latest.value == 1) return Verdict{kCap, 1, 0, latest.at, true};
  if (e.present(Of::banks))
    if (const auto& latest = e[Of::banks].readings.back(); latest.value > 0) return Verdict{kCap, latest.value, 0, latest.at, true};
  return std::nullopt;
}

std::optional<Verdict> uncorrected_rising(const Evidence& e) {
  const auto& dbe = e[Of::dbe].readings;
  const auto today = growth(dbe, e.t() - kDay, e.t()), day_before = growth(dbe, e.t() - 2 * kDay, e.t() - kDay);
  if (today.sum <= day_before.sum) return std::nullopt;
  return Verdict{0, today.sum, day_before.sum, today.last_at, true};
}

}  // namespace

std::span<const Rule> memory_rules() {
  static const Rule kRules[] = {
      {"memory.corrected", Effect::deduct, {Of::sbe}, corrected},
      {"memory.bandwidth", Effect::deduct, {Of::bandwidth_record}, bandwidth},
      {"memory.remap_pending", Effect::deduct, {Of::remap_pending}, remap_pending},
      {"memory.ue_7d", Effect::cap, {Of::dbe}, uncorrected_week},
      {"memory.ue_30d", Effect::cap, {Of::dbe}, uncorrected_month},
      {"memory.ce_3d", Effect::cap, {Of::sbe}, many_corrected},
      {"memory.remap_failed", Effect::cap, {}, remap_failed},
      {"memory.ue_rising", Effect::deduct, {Of::dbe}, uncorrected_rising},
  };
  return kRules;
}

}  // namespace ghm::health
