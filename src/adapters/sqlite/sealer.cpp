#include "adapters/sqlite/sealer.h"

#include <algorithm>

#include "domain/store/points.h"
#include "domain/telemetry/page.h"

namespace ghm::sqlite {
namespace {

using store::Chunk, store::ColumnName, store::Point;

std::vector<Timestamp> all_times(const std::map<ColumnName, std::vector<Point>>& columns) {
  std::vector<Timestamp> times;
  for (const auto& [name, points] : columns) {
    // Columns of one page have the same times: mostly there is nothing to add.
    if (std::ranges::equal(times, points, {}, {}, &Point::at)) continue;
    for (const auto& p : points) times.push_back(p.at);
    std::ranges::sort(times);
    times.erase(std::unique(times.begin(), times.end()), times.end());  // clang 14 cannot read std::ranges::unique
  }
  return times;
}

std::vector<double> spread(std::span<const Timestamp> times, std::span<const Point> points) {
  std::vector<double> values(times.size(), telemetry::absent());
  std::size_t i = 0;
  for (const auto& p : points) {
    while (times[i] != p.at) ++i;
    values[i] = p.value;
  }
  return values;
}

Chunk chunk_of(const std::map<ColumnName, std::vector<Point>>& columns) {
  Chunk chunk{all_times(columns), {}};
  for (const auto& [name, points] : columns) chunk.columns.push_back({name, spread(chunk.times, points)});
  return chunk;
}

void add_points(const Chunk& chunk, std::map<ColumnName, std::vector<Point>>& columns) {
  for (const auto& column : chunk.columns) {
    auto& points = columns[column.name];
    for (std::size_t i = 0; i < chunk.times.size(); ++i)
      if (!telemetry::is_absent(column.values[i])) points.push_back({chunk.times[i], column.values[i]});
  }
}

}  // namespace

std::vector<Point> in_time_order(std::vector<HeadPoint> points) {
  const auto order = [](const HeadPoint& p) { return std::tuple(p.point.at, p.seq, p.offset); };
  if (!std::ranges::is_sorted(points, {}, order)) std::ranges::sort(points, {}, order);
  std::vector<Point> kept;
  kept.reserve(points.size());
  for (const auto& p : points)
    if (kept.empty() || kept.back().at != p.point.at) kept.push_back(p.point);
  return kept;
}

void ChunkBuilder::add(const RowRef& ref, std::span<const double> values) {
  if (known_ != ref.columns) {
    known_ = ref.columns;
    places_.clear();
    for (const auto& key : *known_->keys) places_.push_back(&boards_[key.board][{key.entity, key.metric}]);
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!telemetry::is_absent(values[i])) places_[i]->push_back({{ref.at, values[i]}, ref.seq, ref.offset});
}

Result<void> ChunkBuilder::finish(const std::function<Result<void>(BoardId, Chunk)>& chunk) {
  for (auto& [board, columns] : boards_) {
    std::map<ColumnName, std::vector<Point>> ordered;
    for (auto& [name, points] : columns)
      if (!points.empty()) ordered[name] = in_time_order(std::exchange(points, {}));
    if (auto done = chunk(board, chunk_of(ordered)); !done) return done;
  }
  return {};
}

Chunk merge_chunks(const Chunk& first, const Chunk& second) {
  std::map<ColumnName, std::vector<Point>> columns;
  add_points(first, columns);
  add_points(second, columns);
  for (auto& [name, points] : columns) store::keep_first_of_each_instant(points);
  return chunk_of(columns);
}

Result<Chunk> seal_chunk(Db& day, BoardId board, std::int64_t hour, Chunk chunk) {
  const auto there = get_chunk(day, board, hour);
  if (!there) return there.error();
  if (!there->empty()) {
    const auto before = store::decode_chunk(*there);
    if (!before) return before.error();
    chunk = merge_chunks(*before, chunk);
  }
  if (auto done = put_chunk(day, board, hour, store::encode_chunk(chunk)); !done) return done.error();
  return chunk;
}

}  // namespace ghm::sqlite
