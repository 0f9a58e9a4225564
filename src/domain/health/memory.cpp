// Memory dimension of the profile `baseline`. Corrected errors cost by their rate, uncorrected ones and failed row
// remaps cap the score: no good day makes up for them.
#include <algorithm>
#include <array>
#include <optional>

#include "domain/health/scorers.h"
#include "domain/health/sheet.h"

namespace ghm::health {
namespace {

constexpr double kWeek = 7 * kDay, kMonth = 30 * kDay;

void corrected(const Input& in, const Metric& sbe, Sheet& sheet) {
  constexpr double kMost = 50;
  const double since = std::max(in.t - kWeek, sbe.readings.front().at);
  const double days = std::clamp((in.t - since) / kDay, 1.0, 7.0);
  const double per_day = increase(sbe.readings, in.t - kWeek, in.t) / days;
  if (per_day > 0) sheet.deduct("memory.corrected", std::min(kMost, per_day), {per_day, 0, last_step(sbe.readings, in.t - kWeek, in.t)});
}

bool has_bandwidth_record(const Input& in) {
  return in.bandwidth_test && in.bandwidth_test->time <= in.t && in.bandwidth_test->time >= in.t - kMonth;
}

void bandwidth(const Input& in, Sheet& sheet) {
  constexpr double kReference = 0.95;
  const auto& test = *in.bandwidth_test;
  if (test.ratio < kReference) sheet.deduct("memory.bandwidth", (1 - test.ratio) * 100, {test.ratio, kReference, test.time});
}

void remap_pending(const Metric& pending, Sheet& sheet) {
  constexpr double kPoints = 10;
  const auto& latest = pending.readings.back();
  if (latest.value == 1) sheet.deduct("memory.remap_pending", kPoints, {1, 0, latest.at});
}

void uncorrected(const Input& in, const Metric& dbe, Sheet& sheet) {
  constexpr double kWeekCap = 70, kMonthCap = 50;
  const double week = increase(dbe.readings, in.t - kWeek, in.t);
  if (week >= 1) sheet.cap("memory.ue_7d", kWeekCap, {week, 1, last_step(dbe.readings, in.t - kWeek, in.t)});
  const double month = increase(dbe.readings, in.t - kMonth, in.t);
  if (month > 4) sheet.cap("memory.ue_30d", kMonthCap, {month, 4, last_step(dbe.readings, in.t - kMonth, in.t)});
}

void rising(const Input& in, const Metric& dbe, Sheet& sheet) {
  const double today = increase(dbe.readings, in.t - kDay, in.t), day_before = increase(dbe.readings, in.t - 2 * kDay, in.t - kDay);
  if (today > day_before) sheet.deduct("memory.ue_rising", 0, {today, day_before, last_step(dbe.readings, in.t - kDay, in.t)});
}

void many_corrected(const Input& in, const Metric& sbe, Sheet& sheet) {
  constexpr double kCap = 60, kReference = 100;
  std::array<double, 7> day{};
  for (std::size_t k = 0; k < day.size(); ++k) {
    const double end = in.t - static_cast<double>(k) * kDay;
    day[k] = increase(sbe.readings, end - kDay, end);
  }
  for (std::size_t k = 0; k + 2 < day.size(); ++k) {
    const double smallest = std::min({day[k], day[k + 1], day[k + 2]});
    if (smallest <= kReference) continue;
    const double end = in.t - static_cast<double>(k) * kDay;
    return sheet.cap("memory.ce_3d", kCap, {smallest, kReference, last_step(sbe.readings, end - kDay, end)});
  }
}

// Either sign suffices; each is judged only where its readings are there.
void remap_failed(const Metric& failure, bool has_failure, const Metric& banks, bool has_banks, Sheet& sheet) {
  constexpr double kCap = 30;
  if (has_failure && failure.readings.back().value == 1) return sheet.cap("memory.remap_failed", kCap, {1, 0, failure.readings.back().at});
  if (has_banks && banks.readings.back().value > 0)
    sheet.cap("memory.remap_failed", kCap, {banks.readings.back().value, 0, banks.readings.back().at});
}

}  // namespace

Dimension score_memory(const Input& in) {
  const auto sbe = metric(in, "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", "DCGM_FI_DEV_ECC_SBE_AGG_TOTAL");
  const auto dbe = metric(in, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "DCGM_FI_DEV_ECC_DBE_AGG_TOTAL");
  const auto pending = metric(in, "DCGM_FI_DEV_ROW_REMAP_PENDING"), failure = metric(in, "DCGM_FI_DEV_ROW_REMAP_FAILURE"),
             banks = metric(in, "DCGM_FI_DEV_BANKS_REMAP_ROWS_AVAIL_NONE");
  Sheet sheet(in, "memory");
  const bool has_sbe = sheet.list(sbe, kWeek), has_dbe = sheet.list(dbe, kWeek);
  const bool has_pending = sheet.list(pending), has_failure = sheet.list(failure), has_banks = sheet.list(banks);
  const bool has_record = has_bandwidth_record(in);
  if (has_record) sheet.list_record();
  if (has_sbe) corrected(in, sbe, sheet);
  if (has_record) bandwidth(in, sheet);
  if (has_pending) remap_pending(pending, sheet);
  if (has_dbe) uncorrected(in, dbe, sheet);
  if (has_sbe) many_corrected(in, sbe, sheet);
  remap_failed(failure, has_failure, banks, has_banks, sheet);
  if (has_dbe) rising(in, dbe, sheet);
  return std::move(sheet).finish();
}

}  // namespace ghm::health
