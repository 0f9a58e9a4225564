#include "adapters/memory/memory_store.h"

#include <algorithm>
#include <cmath>

#include "domain/store/points.h"
#include "domain/telemetry/page.h"

namespace ghm::memory {
namespace {

using windows::Counting;

// By the definition, from every reading: what rollups are held against. `before`: the last reading of the bucket before.
Bucket bucket_of(const std::vector<Point>& inside, std::optional<Point> before, std::chrono::milliseconds width, Counting counting) {
  const auto [min, max] = std::ranges::minmax(inside, {}, &Point::value);
  windows::ExactSum sum, gained;
  for (const auto& p : inside) {
    sum.add(p.value);
    const double from = before ? before->value : p.value;
    if (p.value > from) gained.subtract(from);
    if (p.value > from || (p.value < from && counting == Counting::restarts)) gained.add(p.value);
    before = p;
  }
  Bucket b{windows::bucket_start(inside[0].at, width), min.value, max.value, sum.value(), inside.back().value, inside.size(), {}};
  if (counting != Counting::none) b.increase = gained.value();
  return b;
}

}  // namespace

Result<void> MemoryStore::append(std::span<const RowBatch> batch) {
  if (auto done = store::check_rows(batch); !done) return done;
  std::lock_guard lock(mutex_);
  for (const auto& row : batch) {
    ++stats_.rows;
    stats_.samples += row.values.size();
    for (std::size_t i = 0; i < row.values.size(); ++i)
      if (!telemetry::is_absent(row.values[i])) series_[(*row.columns)[i]].try_emplace(row.at, row.values[i]);
  }
  return {};
}

Result<std::vector<Point>> MemoryStore::read(const SeriesKey& series, TimeRange range) const {
  std::lock_guard lock(mutex_);
  std::vector<Point> points;
  const auto found = series_.find(series);
  if (found == series_.end()) return points;
  for (auto it = found->second.lower_bound(range.from); it != found->second.end() && it->first < range.to; ++it)
    points.push_back({it->first, it->second});
  return points;
}

Result<std::vector<std::vector<Point>>> MemoryStore::read_many(std::span<const SeriesKey> series, TimeRange range) const {
  std::vector<std::vector<Point>> all;
  for (const auto& key : series) all.push_back(*read(key, range));
  return all;
}

Result<std::vector<Bucket>> MemoryStore::aggregate(const SeriesKey& series, TimeRange range, std::chrono::milliseconds width) const {
  if (width <= 0ms) return Error{Errc::invalid_input, "aggregate: bucket width must be more than 0"};
  const auto counting = windows::counting_of(series.metric);
  std::vector<Bucket> buckets;
  std::vector<Point> inside;
  std::optional<Point> before;
  const auto points = read(series, windows::whole_buckets(range, width));
  for (const auto& p : *points) {
    if (!std::isfinite(p.value)) continue;
    if (!inside.empty() && windows::bucket_start(p.at, width) != windows::bucket_start(inside[0].at, width)) {
      buckets.push_back(bucket_of(inside, before, width, counting));
      before = inside.back();
      inside.clear();
    }
    inside.push_back(p);
  }
  if (!inside.empty()) buckets.push_back(bucket_of(inside, before, width, counting));
  return buckets;
}

std::vector<Latest> MemoryStore::latest(telemetry::BoardId board) const {
  std::lock_guard lock(mutex_);
  std::vector<Latest> all;
  for (auto it = series_.lower_bound({board, {}, {}}); it != series_.end() && it->first.board == board; ++it)
    all.push_back({it->first, {it->second.rbegin()->first, it->second.rbegin()->second}});
  return all;
}

std::vector<Latest> MemoryStore::latest(telemetry::MetricId metric) const {
  std::lock_guard lock(mutex_);
  std::vector<Latest> all;
  for (const auto& [key, points] : series_)
    if (key.metric == metric && key.entity == telemetry::Entity{}) all.push_back({key, {points.rbegin()->first, points.rbegin()->second}});
  return all;
}

Result<bool> MemoryStore::maintain(Timestamp) {
  return false;
}

StoreStats MemoryStore::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

Result<void> MemoryStore::put(std::span<const Record> records) {
  std::lock_guard lock(mutex_);
  for (const auto& r : records) kinds_[r.kind][r.key] = r;
  return {};
}

Result<std::optional<Record>> MemoryStore::get(std::string_view kind, std::string_view key) const {
  std::lock_guard lock(mutex_);
  const auto of_kind = kinds_.find(kind);
  if (of_kind == kinds_.end()) return std::optional<Record>();
  const auto found = of_kind->second.find(key);
  return found == of_kind->second.end() ? std::optional<Record>() : found->second;
}

Result<std::vector<Record>> MemoryStore::scan(std::string_view kind, std::string_view prefix, std::string_view after,
                                              std::size_t limit) const {
  std::lock_guard lock(mutex_);
  std::vector<Record> found;
  const auto of_kind = kinds_.find(kind);
  if (of_kind == kinds_.end()) return found;
  auto it = after >= prefix && !after.empty() ? of_kind->second.upper_bound(after) : of_kind->second.lower_bound(prefix);
  for (; it != of_kind->second.end() && it->first.starts_with(prefix) && found.size() < limit; ++it) found.push_back(it->second);
  return found;
}

Result<std::vector<Record>> MemoryStore::recent(std::string_view kind, TimeRange range, std::size_t limit) const {
  std::lock_guard lock(mutex_);
  std::vector<Record> found;
  const auto of_kind = kinds_.find(kind);
  if (of_kind == kinds_.end()) return found;
  for (const auto& [key, record] : of_kind->second)
    if (range.contains(record.at)) found.push_back(record);
  std::ranges::sort(found, std::greater{}, [](const Record& r) { return std::tie(r.at, r.key); });
  if (found.size() > limit) found.resize(limit);
  return found;
}

Result<bool> MemoryStore::erase(std::string_view kind, std::string_view key) {
  std::lock_guard lock(mutex_);
  const auto of_kind = kinds_.find(kind);
  if (of_kind == kinds_.end()) return false;
  const auto found = of_kind->second.find(key);
  if (found == of_kind->second.end()) return false;
  of_kind->second.erase(found);
  return true;
}

Result<void> MemoryStore::keep(std::span<const RowBatch> rows, std::span<const Record> records) {
  if (auto done = append(rows); !done) return done;
  return put(records);
}

}  // namespace ghm::memory
