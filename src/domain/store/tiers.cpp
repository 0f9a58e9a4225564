#include "domain/store/tiers.h"

#include <algorithm>

#include "domain/telemetry/page.h"

namespace ghm::store {
namespace {

using windows::Rollup;

void update(std::vector<Rollup>& rollups, const Rollup& fresh) {
  const auto it = std::ranges::lower_bound(rollups, fresh.from, {}, &Rollup::from);
  if (it == rollups.end() || it->from != fresh.from) rollups.insert(it, fresh);
  else if (fresh.count >= it->count) *it = fresh;
}

}  // namespace

RollupBlock roll_up(const Chunk& chunk, Timestamp start, std::chrono::milliseconds width) {
  RollupBlock block{start, width, {}};
  for (const auto& column : chunk.columns) {
    windows::Roller roller(width, windows::counting_of(column.name.metric));
    for (std::size_t i = 0; i < chunk.times.size(); ++i)
      if (!telemetry::is_absent(column.values[i])) roller.add(windows::Point{chunk.times[i], column.values[i]});
    block.series.push_back({column.name, roller.take()});
  }
  return block;
}

RollupBlock roll_up(const RollupBlock& narrow, Timestamp start, std::chrono::milliseconds width) {
  RollupBlock block{start, width, {}};
  for (const auto& s : narrow.series)
    block.series.push_back({s.name, windows::roll_up(s.rollups, width, windows::counting_of(s.name.metric))});
  return block;
}

void update(RollupBlock& block, const RollupBlock& fresh) {
  for (const auto& s : fresh.series) {
    auto it = std::ranges::lower_bound(block.series, s.name, {}, &RollupSeries::name);
    if (it == block.series.end() || it->name != s.name) it = block.series.insert(it, {s.name, {}});
    for (const auto& r : s.rollups) update(it->rollups, r);
  }
}

}  // namespace ghm::store
