#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/telemetry/model_catalogue.h"
#include "domain/telemetry/page.h"

/// Is this reading believable? A verdict is data: the value stays, or it becomes absent and a Refusal says why.
/// Plausible ranges reject garbage; they do not judge health ("out of range" never means "failing GPU").
namespace ghm::validation {

struct Bounds {
  double lo, hi;
};

/// The bounds of every column of one layout. Built once per layout (O(columns)), used for each page (one compare a value).
/// Range: the device's own limits; else for power up to 1.5 x the model's TDP, from 0; else the catalogue's.
class ColumnRules {
 public:
  /// `device_limits`: values of this same page, from which the device's own limits (fields 158, 159, 162) are taken; may be empty.
  static ColumnRules build(const telemetry::PageLayout& layout, const std::vector<double>& device_limits,
                           const telemetry::MetricCatalogue& metrics, const telemetry::ModelCatalogue& models);
  const std::vector<Bounds>& bounds() const { return bounds_; }

 private:
  std::vector<Bounds> bounds_;
};

/// Sets values that are not believed to absent and appends a Refusal for each. `rules` must be of this reading's layout.
/// About 1 ns per value when all is well. now: the receiver's clock; a line's own timestamp more than 5 min ahead is
/// `future`, older than 48 h `too_old`.
void believe(telemetry::PageReading& reading, const ColumnRules& rules, Timestamp now);

/// DCGM's blank values (BLANK, NOT_FOUND, NOT_SUPPORTED, NOT_PERMISSIONED in INT32, INT64 and FP64), also after the
/// exporter's unit scaling. Source: dcgm_structs.h; reference telemetry facts, section (h).
bool is_sentinel(double value);

}  // namespace ghm::validation
