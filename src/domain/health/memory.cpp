// Memory dimension of the profile `baseline`. Corrected errors cost by their rate, uncorrected ones and failed row
// remaps cap the score: no good day makes up for them.
#include <algorithm>

#include "domain/health/rules.h"

namespace ghm::health {
namespace {

std::optional<Verdict> corrected(const Evidence& e) {
  constexpr double kMost = 50;
  const auto& week = e.measures().corrected_week;
  const double days = std::clamp((e.t() - e.measures().corrected_since) / kDay, 1.0, 7.0);
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
  const auto& latest = e.measures().remap_pending;
  if (latest.value != 1) return std::nullopt;
  return Verdict{kPoints, 1, 0, latest.at};
}

std::optional<Verdict> uncorrected_week(const Evidence& e) {
  constexpr double kCap = 70, kReference = 1;
  const auto& week = e.measures().uncorrected_week;
  if (week.sum < kReference) return std::nullopt;
  return Verdict{kCap, week.sum, kReference, week.last_at};
}

std::optional<Verdict> uncorrected_month(const Evidence& e) {
  constexpr double kCap = 50, kReference = 4;
  const auto& month = e.measures().uncorrected_month;
  if (month.sum <= kReference) return std::nullopt;
  return Verdict{kCap, month.sum, kReference, month.last_at};
}

std::optional<Verdict> many_corrected(const Evidence& e) {
  constexpr double kCap = 60, kReference = 100;
  const auto& day = e.measures().corrected_by_day;
  for (std::size_t k = 0; k + 2 < day.size(); ++k) {
    const double smallest = std::min({day[k].sum, day[k + 1].sum, day[k + 2].sum});
    if (smallest > kReference) return Verdict{kCap, smallest, kReference, day[k].last_at};
  }
  return std::nullopt;
}

// Either sign suffices; each is judged only where its readings are there.
std::optional<Verdict> remap_failed(const Evidence& e) {
  constexpr double kCap = 30;
  if (e.present(Of::remap_failure))
    if (const auto& latest = e.measures().remap_failure; latest.value == 1) return Verdict{kCap, 1, 0, latest.at, true};
  if (e.present(Of::banks))
    if (const auto& latest = e.measures().banks; latest.value > 0) return Verdict{kCap, latest.value, 0, latest.at, true};
  return std::nullopt;
}

std::optional<Verdict> uncorrected_rising(const Evidence& e) {
  const auto &today = e.measures().uncorrected_today, &day_before = e.measures().uncorrected_day_before;
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
