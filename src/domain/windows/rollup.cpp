#include "domain/windows/rollup.h"

#include <algorithm>
#include <cmath>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::windows {
namespace {

void add_step(ExactSum& increase, double before, double now, Counting counting, int& scale) {
  if (counting == Counting::none || now == before) return;
  if (now < before && counting == Counting::climbs) return;
  increase.add(now, scale);
  if (now > before) increase.subtract(before, scale);
}

Rollup start_with(Timestamp from, double value, Counting counting) {
  return {from, 0, value, value, value, counting == Counting::none ? 0 : value, {}, {}};
}

}  // namespace

Counting counting_of(telemetry::MetricId metric) {
  const auto* spec = telemetry::MetricCatalogue::built_in().find(metric);
  if (spec == nullptr || spec->kind != telemetry::MetricKind::counter) return Counting::none;
  return spec->resets_with_driver ? Counting::restarts : Counting::climbs;
}

ExactSum step(double before, double now, Counting counting) {
  ExactSum gained;
  int scale = 0;
  add_step(gained, before, now, counting, scale);
  return gained;
}

void merge(Rollup& a, const Rollup& b, Counting counting) {
  a.count += b.count;
  a.min = std::min(a.min, b.min);
  a.max = std::max(a.max, b.max);
  a.sum.add(b.sum);
  if (counting != Counting::none) {
    int scale = 0;
    add_step(a.increase, a.last, b.first, counting, scale);
    a.increase.add(b.increase);
  }
  a.last = b.last;
}

TimeRange whole_buckets(TimeRange range, std::chrono::milliseconds width) {
  const auto from = std::max(range.from, Timestamp{});
  if (range.to <= from) return {from, from};
  const auto start = bucket_start(range.to, width);
  const bool on_border = start == range.to;
  const bool ends_time = !on_border && Timestamp::max() - start < width;
  return {bucket_start(from, width), on_border ? start : ends_time ? Timestamp::max() : start + width};
}

void Roller::add(const Point& p) {
  if (!std::isfinite(p.value)) return;
  const double value = p.value == 0 ? 0 : p.value;  // -0.0 and 0.0 have no order
  const auto from = bucket_start(p.at, width_);
  if (done_.empty() || done_.back().from != from) done_.push_back(start_with(from, value, counting_));
  auto& b = done_.back();
  if (b.count > 0) add_step(b.increase, b.last, value, counting_, scale_);
  ++b.count;
  b.min = std::min(b.min, value);
  b.max = std::max(b.max, value);
  b.sum.add(value, scale_);
  b.last = value;
}

void Roller::add(const Rollup& r) {
  const auto from = bucket_start(r.from, width_);
  if (!done_.empty() && done_.back().from == from) return merge(done_.back(), r, counting_);
  done_.push_back(r);
  done_.back().from = from;
}

std::vector<Rollup> roll_up(std::span<const Point> points, std::chrono::milliseconds width, Counting counting) {
  Roller roller(width, counting);
  for (const auto& p : points) roller.add(p);
  return roller.take();
}

std::vector<Rollup> roll_up(std::span<const Rollup> rollups, std::chrono::milliseconds width, Counting counting) {
  Roller roller(width, counting);
  for (const auto& r : rollups) roller.add(r);
  return roller.take();
}

}  // namespace ghm::windows
