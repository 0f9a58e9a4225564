#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "domain/validation/limits.h"
#include "domain/validation/rates.h"

/// Is this reading believable? A verdict is data: the value stays, or it becomes absent and a Refusal says why.
/// Plausible ranges reject garbage; they do not judge health ("out of range" never means "failing GPU").
namespace ghm::validation {

/// The rules of every column of one layout. Built once per layout (O(columns)), used for each page (one compare a value).
/// Range: a site's override; else the device's own limits; else the model's; else the catalogue's.
class ColumnRules {
 public:
  /// `device_limits`: values of this same page, from which the device's own limits are taken (see DeviceLimits); may be empty.
  static ColumnRules build(const telemetry::PageLayout& layout, const std::vector<double>& device_limits,
                           const telemetry::MetricCatalogue& metrics, const telemetry::ModelCatalogue& models,
                           const Overrides& overrides = {});
  const std::vector<Bounds>& bounds() const { return bounds_; }
  /// Of the columns that have one, by column. RateMemory applies them.
  const std::vector<RateRule>& rates() const { return rates_; }
  friend bool operator==(const ColumnRules&, const ColumnRules&) = default;

 private:
  std::vector<Bounds> bounds_;
  std::vector<RateRule> rates_;
};

/// Sets values that are not believed to absent and appends a Refusal for each. `rules` must be of this reading's layout.
/// About 1 ns per value when all is well. now: the receiver's clock; a line's own timestamp more than 5 min ahead is
/// `future`, older than 48 h `too_old`.
void believe(telemetry::PageReading& reading, const ColumnRules& rules, Timestamp now);

/// The same two questions about a single value and a single time, for callers without a page.
std::optional<telemetry::Reason> why_not(double value, const Bounds& bounds);
std::optional<telemetry::Reason> why_not(Timestamp at, Timestamp now);

/// The column's value becomes absent, and a Refusal keeps it: number, time of its own if it had one, and place.
void refuse(telemetry::PageReading& reading, std::size_t column, telemetry::Reason reason);

/// DCGM's blank values (BLANK, NOT_FOUND, NOT_SUPPORTED, NOT_PERMISSIONED in INT32, INT64 and FP64), also after the
/// exporter's unit scaling. Source: dcgm_structs.h; reference telemetry facts, section (h).
bool is_sentinel(double value);

}  // namespace ghm::validation
