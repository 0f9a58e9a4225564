#include "services/sliding_store.h"

#include <algorithm>

namespace ghm::services {
namespace {

using store::Point;
using store::SeriesKey;

constexpr std::chrono::hours kAhead{24};  // a day's file is opened once
constexpr std::chrono::hours kBehind{4};  // rounds that go on look back at the hour that they ended

}  // namespace

Result<void> SlidingStore::append(std::span<const store::RowBatch>) {
  return Error{Errc::unavailable, "a store that is looked back through is not written"};
}

Result<std::vector<Point>> SlidingStore::read(const SeriesKey& series, TimeRange range) const {
  auto one = read_many(std::span(&series, 1), range);
  if (!one) return one.error();
  return std::move(one->front());
}

// Either a window begins anew, or it is made longer at its end; what lies before `range` is not asked for again.
void SlidingStore::note_lack(const SeriesKey& series, TimeRange range, Lacking& lacking) const {
  auto& w = windows_[series];
  const bool goes_on = w.from <= range.from && range.from <= w.to;
  if (goes_on && range.to <= w.to) return;
  if (!goes_on) w = {range.from, range.from, {}};
  auto& points = w.points;
  const auto keep_from = std::max(w.from, range.from - kBehind);
  const auto stale = std::ranges::lower_bound(points, keep_from, {}, &Point::at) - points.begin();
  if (stale * 8 > std::ssize(points)) {
    points.erase(points.begin(), points.begin() + stale);
    if (stale > std::ssize(points)) points.shrink_to_fit();  // rounds went on: a month became hours
    w.from = keep_from;
  }
  lacking[{w.to, std::max(range.to, std::min(range.to + kAhead, end_))}].push_back(series);
}

Result<void> SlidingStore::load(TimeRange range, const std::vector<SeriesKey>& series) const {
  const auto more = of_.read_many(series, range);
  if (!more) return tl::make_unexpected(more.error());
  for (std::size_t i = 0; i < series.size(); ++i) {
    auto& w = windows_[series[i]];
    w.points.insert(w.points.end(), (*more)[i].begin(), (*more)[i].end());
    w.to = range.to;
  }
  return {};
}

Result<std::vector<std::vector<Point>>> SlidingStore::read_many(std::span<const SeriesKey> series, TimeRange range) const {
  const auto last = until_ == Timestamp::max() ? until_ : until_ + 1ms;
  range.to = std::max(range.from, std::min({range.to, last, end_}));
  Lacking lacking;
  for (const auto& key : series) note_lack(key, range, lacking);
  for (const auto& [span, keys] : lacking)
    if (auto done = load({span.first, span.second}, keys); !done) return done.error();
  std::vector<std::vector<Point>> out;
  out.reserve(series.size());
  for (const auto& key : series) {
    const auto& points = windows_[key].points;
    const auto from = std::ranges::lower_bound(points, range.from, {}, &Point::at);
    out.emplace_back(from, std::ranges::lower_bound(from, points.end(), range.to, {}, &Point::at));
  }
  return out;
}

}  // namespace ghm::services
