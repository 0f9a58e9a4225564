#include "domain/store/points.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/store/row_codec.h"

namespace ghm::store {
namespace {

constexpr Timestamp kYear10000 = Timestamp(std::chrono::milliseconds(253'402'300'800'000));

std::string why_wrong(const RowBatch& row) {
  if (row.source.empty()) return "it names no source";
  if (!row.columns) return "it has no columns";
  if (row.columns->size() != row.values.size()) return fmt::format("{} values, expected {}", row.values.size(), row.columns->size());
  if (row.columns->size() > kMostRowColumns) return fmt::format("{} columns, expected at most {}", row.columns->size(), kMostRowColumns);
  if (row.at < Timestamp{} || row.at >= kYear10000) return fmt::format("time {} ms, expected one from 1970 to 9999", to_unix_ms(row.at));
  return {};
}

Timestamp bucket_start(Timestamp t, std::chrono::milliseconds width) {
  return t - t.time_since_epoch() % width;
}

void add(Bucket& b, double value) {
  b.min = std::min(b.min, value);
  b.max = std::max(b.max, value);
  b.sum += value;
  b.last = value;
  ++b.count;
}

}  // namespace

Result<void> check_rows(std::span<const RowBatch> rows) {
  for (const auto& row : rows)
    if (const auto why = why_wrong(row); !why.empty())
      return Error{Errc::invalid_input, fmt::format("row of source '{}': {}", row.source, why)};
  return {};
}

void keep_first_of_each_instant(std::vector<Point>& points) {
  if (!std::ranges::is_sorted(points, {}, &Point::at)) std::ranges::stable_sort(points, {}, &Point::at);
  const auto same_time = [](const Point& a, const Point& b) { return a.at == b.at; };
  points.erase(std::unique(points.begin(), points.end(), same_time), points.end());  // clang 14 cannot read std::ranges::unique
}

std::vector<Bucket> into_buckets(std::span<const Point> points, std::chrono::milliseconds width) {
  std::vector<Bucket> buckets;
  for (const auto& p : points) {
    const auto from = bucket_start(p.at, width);
    if (buckets.empty() || buckets.back().from != from) buckets.push_back({from, p.value, p.value, 0, 0, 0});
    add(buckets.back(), p.value);
  }
  return buckets;
}

}  // namespace ghm::store
