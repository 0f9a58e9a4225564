#include "domain/validation/believe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ghm::validation {
namespace {

using telemetry::Reason;

// The first of four consecutive blank values of each type. As doubles the four INT64 values are one.
constexpr double kInt32Blank = 2147483632.0, kInt64Blank = 9223372036854775808.0, kFp64Blank = 140737488355328.0;
// Scalings that exporters apply before printing: mW to W, percent, MiB and kHz conversions.
constexpr double kScales[] = {1, 100, 0.01, 1000, 0.001, 1e6, 1e-6, 1048576, 1.0 / 1048576};

constexpr double kSmallestBlank = kInt32Blank / 1048576 - 1;

constexpr auto kMostAhead = 5min;
constexpr auto kMostLate = 48h;

/// Four consecutive blank values of one type at one scale.
struct BlankRange {
  double first, step;  // step 0: the four INT64 ones are a single double
};

std::vector<BlankRange> scaled_blanks() {
  std::vector<BlankRange> out;
  for (const double scale : kScales) {
    for (const double first : {kInt32Blank, kFp64Blank}) out.push_back({first * scale, scale});
    out.push_back({kInt64Blank * scale, 0});
  }
  std::ranges::sort(out, {}, &BlankRange::first);
  return out;
}

void check_stamps(telemetry::PageReading& reading, Timestamp now) {
  for (const auto& [column, at] : reading.stamps) {
    if (column >= reading.values.size() || telemetry::is_absent(reading.values[column])) continue;
    if (const auto reason = why_not(at, now)) refuse(reading, column, *reason);
  }
}

}  // namespace

std::optional<Reason> why_not(double value, const Bounds& b) {
  if (std::isnan(value) || std::isinf(value)) return Reason::not_finite;
  if (is_sentinel(value)) return Reason::sentinel;
  if (value < b.lo || value > b.hi) return Reason::out_of_range;
  return std::nullopt;
}

std::optional<Reason> why_not(Timestamp at, Timestamp now) {
  if (at > now + kMostAhead) return Reason::future;
  if (at < now - kMostLate) return Reason::too_old;
  return std::nullopt;
}

void refuse(telemetry::PageReading& reading, std::size_t column, Reason reason) {
  const auto& s = reading.layout->table->series[column];
  const auto gpu = s.gpu < 0 ? std::nullopt : std::optional(static_cast<std::uint16_t>(s.gpu));
  const double value = reading.values[column];
  telemetry::Refusal r{gpu, s.entity, s.metric, fmt::format("{}", value), reason};
  r.column = static_cast<std::uint32_t>(column);
  r.number = value;
  if (const auto stamp = reading.stamps.find(static_cast<std::uint32_t>(column)); stamp != reading.stamps.end()) r.at = stamp->second;
  reading.refused.push_back(std::move(r));
  reading.values[column] = telemetry::absent();
}

bool is_sentinel(double value) {
  static const auto ranges = scaled_blanks();
  // A printed and re-scaled blank may lie a rounding error below its range's first.
  const auto after = std::ranges::upper_bound(ranges, value * (1 + 1e-13), {}, &BlankRange::first);
  if (after == ranges.begin()) return false;
  const auto& r = *std::prev(after);
  if (r.step == 0) return value == r.first;
  const double n = (value - r.first) / r.step;
  return n > -0.01 && n < 3.01 && std::abs(n - std::round(n)) < 0.01;
}

ColumnRules ColumnRules::build(const telemetry::PageLayout& layout, const std::vector<double>& device_limits,
                               const telemetry::MetricCatalogue& metrics, const telemetry::ModelCatalogue& models,
                               const Overrides& overrides) {
  auto limits = limits_by_gpu(layout, device_limits, models);
  ColumnRules rules;
  rules.bounds_.reserve(layout.table->series.size());
  for (std::uint32_t i = 0; i < layout.table->series.size(); ++i) {
    const auto& s = layout.table->series[i];
    const auto* spec = metrics.find(s.metric);
    if (spec == nullptr) {
      rules.bounds_.push_back({});
      continue;
    }
    const std::string_view model = s.gpu < 0 ? std::string_view() : layout.gpus[static_cast<std::size_t>(s.gpu)].model;
    const auto* own = overrides.empty() ? nullptr : override_for(overrides, s.metric, model, models);
    const auto& device = limits[s.gpu];
    rules.bounds_.push_back(overridden(bounds_of(*spec, s.entity, device), own));
    if (s.event_like) continue;
    if (auto rate = rate_rule(*spec, device, own)) {
      rate->column = i;
      rules.rates_.push_back(*rate);
    }
  }
  return rules;
}

void believe(telemetry::PageReading& reading, const ColumnRules& rules, Timestamp now) {
  const auto& bounds = rules.bounds();
  auto& values = reading.values;
  const std::size_t n = std::min(values.size(), bounds.size());
  // A value inside its range and below the smallest blank needs no second look. Written so that NaN (absent or real)
  // fails the comparison.
  for (std::size_t i = 0; i < n; ++i) {
    if (values[i] >= bounds[i].lo && values[i] <= bounds[i].hi && values[i] < kSmallestBlank) continue;
    if (telemetry::is_absent(values[i])) continue;
    if (const auto reason = why_not(values[i], bounds[i])) refuse(reading, i, *reason);
  }
  if (!reading.stamps.empty()) check_stamps(reading, now);
}

}  // namespace ghm::validation
