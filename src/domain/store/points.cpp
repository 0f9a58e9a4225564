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

std::vector<Bucket> to_buckets(std::span<const windows::Rollup> rollups, windows::Counting counting) {
  std::vector<Bucket> buckets;
  buckets.reserve(rollups.size());
  for (const auto& r : rollups) {
    Bucket b{r.from, r.min, r.max, r.sum.value(), r.last, r.count, {}};
    if (counting != windows::Counting::none) {
      auto gained = r.increase;
      if (&r != rollups.data()) gained.add(step((&r - 1)->last, r.first, counting));
      b.increase = gained.value();
    }
    buckets.push_back(b);
  }
  return buckets;
}

}  // namespace ghm::store
