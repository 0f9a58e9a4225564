#include "domain/validation/believe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace ghm::validation {
namespace {

namespace field = telemetry::field;
using telemetry::Entity;
using telemetry::MetricId;
using telemetry::Reason;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The first of four consecutive blank values of each type. As doubles the four INT64 values are one.
constexpr double kInt32Blank = 2147483632.0, kInt64Blank = 9223372036854775808.0, kFp64Blank = 140737488355328.0;
// Scalings that exporters apply before printing: mW to W, percent, MiB and kHz conversions.
constexpr double kScales[] = {1, 100, 0.01, 1000, 0.001, 1e6, 1e-6, 1048576, 1.0 / 1048576};

constexpr double kSmallestBlank = kInt32Blank / 1048576 - 1;

// A GPU above its shutdown threshold is already off; the margin leaves room for sensors that read high while it dies.
constexpr double kMarginAboveShutdown = 15;
// Peaks of a millisecond above the limit are normal, half as much again is not.
constexpr double kPowerHeadroom = 1.5;

/// What one GPU's own page and model say about its limits.
struct Limits {
  std::optional<double> shutdown_temp, power;
};

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

bool is_power(MetricId id) {
  return id == field::power_usage || id == MetricId{157};
}

void note_limit(Limits& limits, MetricId id, double value) {
  if (telemetry::is_absent(value) || !std::isfinite(value) || is_sentinel(value)) return;
  if (id == field::shutdown_temp && value >= 80 && value <= 130) limits.shutdown_temp = value;
  if (id == field::power_limit_max && value >= 50 && value <= 3000) limits.power = value * kPowerHeadroom;
}

std::map<int, Limits> limits_by_gpu(const telemetry::PageLayout& layout, const std::vector<double>& values,
                                    const telemetry::ModelCatalogue& models) {
  std::map<int, Limits> out;
  for (std::size_t g = 0; g < layout.gpus.size(); ++g)
    if (const auto* model = models.find(layout.gpus[g].model); model && model->tdp_w)
      out[static_cast<int>(g)].power = *model->tdp_w * kPowerHeadroom;
  const auto& series = layout.table->series;
  for (std::size_t i = 0; i < series.size() && i < values.size(); ++i)
    if (series[i].gpu >= 0 && series[i].entity.kind == Entity::Kind::gpu) note_limit(out[series[i].gpu], series[i].metric, values[i]);
  return out;
}

Bounds bounds_of(const telemetry::MetricSpec& spec, const Limits& own) {
  Bounds b{spec.min, spec.max};
  if (is_power(spec.id)) b = {0, own.power.value_or(spec.max)};
  if (spec.id == field::gpu_temp && own.shutdown_temp) b.hi = *own.shutdown_temp + kMarginAboveShutdown;
  return b;
}

std::optional<Reason> why_not(double value, const Bounds& b) {
  if (std::isnan(value) || std::isinf(value)) return Reason::not_finite;
  if (is_sentinel(value)) return Reason::sentinel;
  if (value < b.lo || value > b.hi) return Reason::out_of_range;
  return std::nullopt;
}

void refuse(telemetry::PageReading& reading, std::size_t column, Reason reason) {
  const auto& s = reading.layout->table->series[column];
  const auto gpu = s.gpu < 0 ? std::nullopt : std::optional(static_cast<std::uint16_t>(s.gpu));
  auto text = fmt::format("{}", reading.values[column]);
  reading.refused.push_back({gpu, s.entity, s.metric, std::move(text), reason});
  reading.values[column] = telemetry::absent();
}

void check_stamps(telemetry::PageReading& reading, Timestamp now) {
  for (const auto& [column, at] : reading.stamps) {
    if (column >= reading.values.size() || telemetry::is_absent(reading.values[column])) continue;
    if (at > now + 5min) refuse(reading, column, Reason::future);
    else if (at < now - 48h) refuse(reading, column, Reason::too_old);
  }
}

}  // namespace

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
                               const telemetry::MetricCatalogue& metrics, const telemetry::ModelCatalogue& models) {
  auto limits = limits_by_gpu(layout, device_limits, models);
  ColumnRules rules;
  rules.bounds_.reserve(layout.table->series.size());
  for (const auto& s : layout.table->series) {
    const auto* spec = metrics.find(s.metric);
    rules.bounds_.push_back(spec ? bounds_of(*spec, limits[s.gpu]) : Bounds{-kInfinity, kInfinity});
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
