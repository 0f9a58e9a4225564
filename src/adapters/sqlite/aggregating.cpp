// An answer is put together of parts, each a span of days or hours from one tier: the widest that divides the bucket, or
// the readings. Hours of which something is not sealed yet come from the readings, whatever the tier, and so do days whose
// rollups are not there (yet). What is past the retention of a tier comes from the next wider one. As in reading.cpp the
// head is asked first: what is sealed in between was counted among its hours, and is then read from the day's file.
#include <algorithm>

#include "adapters/sqlite/rollups.h"
#include "adapters/sqlite/sqlite_store.h"
#include "domain/store/points.h"

namespace ghm::sqlite {
namespace {

using windows::Rollup;

enum class Tier { readings, minutes, hours, days };

Tier tier_for(std::chrono::milliseconds width) {
  if (width % kDay == 0ms) return Tier::days;
  if (width % kHour == 0ms) return Tier::hours;
  return width % kMinute == 0ms ? Tier::minutes : Tier::readings;
}

TimeRange common(TimeRange a, TimeRange b) {
  return {std::max(a.from, b.from), std::min(a.to, b.to)};
}

TimeRange range_of_hours(std::int64_t first, std::int64_t last) {
  return {start_of_hour(first), start_of_hour(last + 1)};
}

}  // namespace

/// One question under way.
struct SqliteStore::Aggregation {
  SeriesKey series;
  TimeRange range;  // whole buckets
  std::chrono::milliseconds width;
  windows::Counting counting;
  Tier tier;
  std::set<std::int64_t> hours;  // come from the readings
  std::set<std::int64_t> done;   // days whose other hours are there
  std::map<Timestamp, std::vector<Rollup>> parts;

  void take_day_from_readings(std::int64_t day) {
    for (auto h = day * kHoursPerDay; h < (day + 1) * kHoursPerDay; ++h)
      if (start_of_hour(h) < range.to && start_of_hour(h + 1) > range.from) hours.insert(h);
    done.insert(day);
  }
  bool has_readings_of(std::int64_t day) const {
    const auto first = hours.lower_bound(day * kHoursPerDay);
    return first != hours.end() && *first < (day + 1) * kHoursPerDay;
  }
  // What is wider than the buckets may start before the range: it then says nothing about any of them.
  void add(Timestamp from, std::vector<Rollup> rollups) {
    std::erase_if(rollups, [this](const Rollup& r) { return !range.contains(r.from); });
    if (!rollups.empty()) parts[from] = std::move(rollups);
  }
  std::vector<Rollup> merged() const {
    windows::Roller roller(width, counting);
    for (const auto& [from, rollups] : parts)
      for (const auto& r : rollups) roller.add(r);
    return roller.take();
  }
};

Result<std::vector<Bucket>> SqliteStore::aggregate(const SeriesKey& series, TimeRange range, std::chrono::milliseconds width) const {
  auto all = aggregate_many(std::span(&series, 1), range, width);
  if (!all) return all.error();
  return std::move(all->front());
}

Result<std::vector<std::vector<Bucket>>> SqliteStore::aggregate_many(std::span<const SeriesKey> series, TimeRange range,
                                                                     std::chrono::milliseconds width) const {
  if (width <= 0ms) return Error{Errc::invalid_input, "aggregate: bucket width must be more than 0"};
  std::vector<Aggregation> all;
  for (const auto& one : series) {
    all.push_back(plan(one, windows::whole_buckets(range, width), width));
    if (auto done = add_rollups(all.back()); !done) return done.error();
  }
  if (auto done = add_readings(all); !done) return done.error();
  std::vector<std::vector<Bucket>> out;
  for (const auto& a : all) out.push_back(store::to_buckets(a.merged(), a.counting));
  return out;
}

Result<void> SqliteStore::add_rollups(Aggregation& a) const {
  auto main = readers_->lend();
  if (!main) return main.error();
  if (auto done = add_minutes(**main, a); !done) return done;
  if (auto done = add_hours(**main, a); !done) return done;
  return add_days(**main, a);
}

SqliteStore::Aggregation SqliteStore::plan(const SeriesKey& series, TimeRange range, std::chrono::milliseconds width) const {
  Aggregation a{series, range, width, windows::counting_of(series.metric), tier_for(width), head_.hours(series.board, range), {}, {}};
  for (const auto& [day, pool] : days_.readers(range)) {
    const bool no_minutes = a.tier == Tier::minutes && !rollups_.known(day);
    if (a.tier == Tier::readings || no_minutes || rollups_.held_back(day)) a.take_day_from_readings(day);
  }
  return a;
}

// Buckets that are wider than an hour, but no whole hours, need minutes only where one of them ends within an hour.
std::map<Timestamp, std::vector<Rollup>> SqliteStore::whole_hours(Db& main, const Aggregation& a, std::int64_t day) const {
  std::map<Timestamp, std::vector<Rollup>> found;
  if (a.width <= kHour) return found;
  const auto hours = read_hour_rollups(main, a.series, day);
  if (!hours) return found;  // damaged: the minutes know as well
  const auto bucket = [&](Timestamp t) { return t.time_since_epoch() / a.width; };
  for (const auto& r : *hours)
    if (bucket(r.from) == bucket(r.from + kHour - 1ms) && !a.hours.contains(hour_of(r.from))) found[r.from] = {r};
  return found;
}

Result<void> SqliteStore::add_minutes(Db& main, Aggregation& a) const {
  if (a.tier > Tier::minutes) return {};
  for (const auto& [day, pool] : rollups_.readers(a.range)) {
    if (a.done.contains(day)) continue;
    auto found = whole_hours(main, a, day);
    const auto wanted = [&](std::int64_t hour) { return !a.hours.contains(hour) && !found.contains(start_of_hour(hour)); };
    auto file = pool->lend();
    auto done =
        file ? read_minute_rollups(**file, a.series, a.range, wanted,
                                   [&](std::int64_t hour, std::vector<Rollup> rollups) { found[start_of_hour(hour)] = std::move(rollups); })
             : Result<void>(file.error());
    if (done) {
      for (auto& [from, rollups] : found) a.add(from, std::move(rollups));
      a.done.insert(day);
      continue;
    }
    if (done.error().code == Errc::corrupt) rollups_.set_aside(day, done.error());
    if (rollups_.known(day)) return done;
    if (days_.known(day)) a.take_day_from_readings(day);
  }
  return {};
}

// Of a day that is asked for as a whole the hours are needed only where some of them come from the readings.
Result<void> SqliteStore::add_hours(Db& main, Aggregation& a) const {
  if (a.range.to <= a.range.from) return {};
  const auto days = days_with_hours(main, a.series.board, a.range);
  if (!days) return days.error();
  for (const auto day : *days) {
    if (a.done.contains(day) || (a.tier == Tier::days && !a.has_readings_of(day))) continue;
    auto hours = read_hour_rollups(main, a.series, day);
    if (!hours) {
      if (hours.error().code != Errc::corrupt) return hours.error();
      log_.error("store.rollup_damaged", {{"day", day_name(day)}, {"error", hours.error().what}});
      rollups_.hold_back(day);  // until the writer has rolled it up again
      a.take_day_from_readings(day);
      continue;
    }
    for (auto& r : *hours)
      if (!a.hours.contains(hour_of(r.from))) a.add(r.from, {std::move(r)});
    a.done.insert(day);
  }
  return {};
}

Result<void> SqliteStore::add_days(Db& main, Aggregation& a) const {
  if (a.range.to <= a.range.from) return {};
  auto days = read_day_rollups(main, a.series, a.range);
  if (!days) {
    if (days.error().code != Errc::corrupt) return days.error();
    log_.error("store.rollup_damaged", {{"error", days.error().what}});
    a.tier = std::min(a.tier, Tier::hours);
    return add_hours(main, a);
  }
  for (auto& r : *days)
    if (const auto day = day_of_hour(hour_of(r.from)); !a.done.contains(day) && !a.has_readings_of(day)) a.add(r.from, {std::move(r)});
  return {};
}

// Series that want the same hours are read together: a host's rows are then gone through once and not once for each. Hours
// that follow each other are read at once, and rolled up no wider than the tier, so that parts stay apart.
Result<void> SqliteStore::add_readings(std::span<Aggregation> all) const {
  std::map<std::set<std::int64_t>, std::vector<Aggregation*>> by_hours;
  for (auto& a : all)
    if (!a.hours.empty()) by_hours[a.hours].push_back(&a);
  for (const auto& [hours, together] : by_hours)
    for (auto it = hours.begin(); it != hours.end();) {
      const auto first = *it;
      auto last = first;
      for (++it; it != hours.end() && *it == last + 1; ++it) ++last;
      const auto span = common(range_of_hours(first, last), together.front()->range);
      if (auto done = add_readings(together, span); !done) return done;
    }
  return {};
}

Result<void> SqliteStore::add_readings(std::span<Aggregation* const> together, TimeRange span) const {
  std::vector<SeriesKey> series;
  for (const auto* a : together) series.push_back(a->series);
  const auto points = read_many(series, span);
  if (!points) return points.error();
  for (std::size_t i = 0; i < together.size(); ++i) {
    auto& a = *together[i];
    const auto width = a.tier == Tier::readings ? a.width : a.tier == Tier::minutes ? kMinute : kHour;
    a.parts[span.from] = windows::roll_up((*points)[i], width, a.counting);
  }
  return {};
}

}  // namespace ghm::sqlite
