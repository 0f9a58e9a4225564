#include "adapters/sqlite/rollups.h"

#include <fmt/format.h>

#include "adapters/sqlite/journal.h"

namespace ghm::sqlite {
namespace {

using store::RollupBlock, windows::Rollup;

constexpr int kDropAtOnce = 200;  // rows, each a few kilobytes

std::int64_t number(BoardId board) {
  return static_cast<std::int64_t>(board);
}

void tell_damage(const Log& log, BoardId board, std::int64_t day, const Error& why) {
  log.error("store.rollup_damaged", {{"board", std::to_string(number(board))}, {"day", day_name(day)}, {"error", why.what}});
}

Result<void> roll_up_again(Db& main, std::int64_t day) {
  auto q = main.query("insert or ignore into unrolled(day, board) values(?1, -1)");
  if (!q) return q.error();
  return q->bind(1, day).run();
}

/// A table of blocks in ghm.db: one per board and place.
struct Blocks {
  const char *select, *upsert;
};
constexpr Blocks kHours = {"select sum, bytes from hour_rollups where board = ?1 and day = ?2",
                           "insert into hour_rollups(board, day, sum, bytes) values(?1, ?2, ?3, ?4) "
                           "on conflict(board, day) do update set sum = ?3, bytes = ?4"};
constexpr Blocks kDays = {"select sum, bytes from day_rollups where board = ?1 and span = ?2",
                          "insert into day_rollups(board, span, sum, bytes) values(?1, ?2, ?3, ?4) "
                          "on conflict(board, span) do update set sum = ?3, bytes = ?4"};

// Calls `read` with the row's bytes, if there is such a row; corrupt when they are damaged.
Result<void> with_bytes(Db& main, const Blocks& table, BoardId board, std::int64_t place,
                        const std::function<Result<void>(std::string_view)>& read) {
  auto q = main.query(table.select);
  if (!q) return q.error();
  const auto row = q->bind(1, number(board)).bind(2, place).step();
  if (!row) return row.error();
  if (!*row) return {};
  const auto bytes = checked_bytes(main, *q);
  if (!bytes) return bytes.error();
  return read(*bytes);
}

// The block at that place, or an empty one of the start and width of `like`.
Result<RollupBlock> block_at(Db& main, const Blocks& table, BoardId board, std::int64_t place, const RollupBlock& like) {
  RollupBlock block{like.start, like.width, {}};
  auto done = with_bytes(main, table, board, place, [&](std::string_view bytes) -> Result<void> {
    auto there = store::decode_rollups(bytes);
    if (!there) return there.error();
    if (there->start != like.start || there->width != like.width) return Error{Errc::corrupt, "rollups: of another place"};
    block = std::move(*there);
    return {};
  });
  if (!done) return done.error();
  return block;
}

Result<void> put_block(Db& main, const Blocks& table, BoardId board, std::int64_t place, const RollupBlock& block) {
  auto q = main.query(table.upsert);
  if (!q) return q.error();
  const auto bytes = store::encode_rollups(block);
  return q->bind(1, number(board)).bind(2, place).bind(3, checksum(bytes)).bind_bytes(4, bytes).run();
}

RollupBlock days_of(const RollupBlock& hours, std::int64_t span) {
  return store::roll_up(hours, start_of_day(span * kDaysPerSpan), kDay);
}

// The days of a span from what there is of their hours.
Result<RollupBlock> days_from_hours(Db& main, BoardId board, std::int64_t span) {
  RollupBlock days{start_of_day(span * kDaysPerSpan), kDay, {}};
  for (auto day = span * kDaysPerSpan; day < (span + 1) * kDaysPerSpan; ++day) {
    const auto hours = block_at(main, kHours, board, day, {start_of_day(day), kHour, {}});
    if (hours) store::update(days, days_of(*hours, span));
    else if (hours.error().code != Errc::corrupt) return hours.error();
  }
  return days;
}

Result<RollupBlock> update_hours(Db& main, BoardId board, std::int64_t day, const RollupBlock& fresh, const Log& log) {
  auto block = block_at(main, kHours, board, day, fresh);
  if (!block) {
    if (block.error().code != Errc::corrupt) return block;
    tell_damage(log, board, day, block.error());
    if (auto done = roll_up_again(main, day); !done) return done.error();
    block = RollupBlock{fresh.start, fresh.width, {}};
  }
  store::update(*block, fresh);
  if (auto done = put_block(main, kHours, board, day, *block); !done) return done.error();
  return block;
}

Result<void> update_days(Db& main, BoardId board, std::int64_t span, const RollupBlock& fresh, const Log& log) {
  auto block = block_at(main, kDays, board, span, fresh);
  if (!block) {
    if (block.error().code != Errc::corrupt) return block.error();
    tell_damage(log, board, span * kDaysPerSpan, block.error());
    block = days_from_hours(main, board, span);
    if (!block) return block.error();
  }
  store::update(*block, fresh);
  return put_block(main, kDays, board, span, *block);
}

Result<std::vector<Rollup>> read_series(std::string_view bytes, const store::SeriesKey& series) {
  auto reader = store::RollupReader::open(bytes);
  if (!reader) return reader.error();
  std::vector<Rollup> rollups;
  if (const auto found = reader->find({series.entity, series.metric}))
    if (auto done = reader->read(*found, rollups); !done) return done.error();
  return rollups;
}

}  // namespace

Result<void> put_minutes(Db& day, BoardId board, std::int64_t hour, const RollupBlock& minutes) {
  const auto there = get_chunk(day, board, hour);
  if (!there) return there.error();
  if (there->empty()) return put_chunk(day, board, hour, store::encode_rollups(minutes));
  auto block = store::decode_rollups(*there);
  if (!block) return block.error();
  store::update(*block, minutes);
  return put_chunk(day, board, hour, store::encode_rollups(*block));
}

Result<void> put_hour(Db& main, BoardId board, std::int64_t hour, const RollupBlock& minutes, const Log& log) {
  const auto day = day_of_hour(hour), span = day / kDaysPerSpan;
  const auto hours = update_hours(main, board, day, store::roll_up(minutes, start_of_day(day), kHour), log);
  if (!hours) return hours.error();
  return update_days(main, board, span, days_of(*hours, span), log);
}

Result<void> read_minute_rollups(Db& day, const store::SeriesKey& series, TimeRange range, const std::function<bool(std::int64_t)>& wanted,
                                 const std::function<void(std::int64_t, std::vector<Rollup>)>& found) {
  auto q = day.query("select sum, bytes, hour from chunks where board = ?1 and hour >= ?2 and hour <= ?3 order by hour");
  if (!q) return q.error();
  q->bind(1, number(series.board)).bind(2, hour_of(range.from)).bind(3, hour_of(range.to));
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return {};
    if (!wanted(q->integer(2))) continue;
    const auto bytes = checked_bytes(day, *q);
    if (!bytes) return bytes.error();
    auto rollups = read_series(*bytes, series);
    if (!rollups) return rollups.error();
    found(q->integer(2), std::move(*rollups));
  }
}

Result<std::vector<Rollup>> read_hour_rollups(Db& main, const store::SeriesKey& series, std::int64_t day) {
  std::vector<Rollup> rollups;
  auto done = with_bytes(main, kHours, series.board, day, [&](std::string_view bytes) -> Result<void> {
    auto read = read_series(bytes, series);
    if (!read) return read.error();
    rollups = std::move(*read);
    return {};
  });
  if (!done) return done.error();
  return rollups;
}

Result<std::vector<std::int64_t>> days_with_hours(Db& main, BoardId board, TimeRange range) {
  auto q = main.query("select day from hour_rollups where board = ?1 and day >= ?2 and day <= ?3 order by day");
  if (!q) return q.error();
  q->bind(1, number(board)).bind(2, day_of_hour(hour_of(range.from))).bind(3, day_of_hour(hour_of(range.to)));
  std::vector<std::int64_t> days;
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return days;
    days.push_back(q->integer(0));
  }
}

Result<std::vector<Rollup>> read_day_rollups(Db& main, const store::SeriesKey& series, TimeRange range) {
  auto q = main.query("select sum, bytes from day_rollups where board = ?1 and span >= ?2 and span <= ?3 order by span");
  if (!q) return q.error();
  const auto span_of = [](Timestamp t) { return day_of_hour(hour_of(t)) / kDaysPerSpan; };
  q->bind(1, number(series.board)).bind(2, span_of(range.from)).bind(3, span_of(range.to));
  std::vector<Rollup> all;
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return all;
    const auto bytes = checked_bytes(main, *q);
    if (!bytes) return bytes.error();
    const auto rollups = read_series(*bytes, series);
    if (!rollups) return rollups.error();
    all.insert(all.end(), rollups->begin(), rollups->end());
  }
}

Result<bool> drop_hours_before(Db& main, std::int64_t day) {
  auto q = main.query("delete from hour_rollups where rowid in (select rowid from hour_rollups where day < ?1 limit ?2)");
  if (!q) return q.error();
  if (auto done = q->bind(1, day).bind(2, std::int64_t{kDropAtOnce}).run(); !done) return done.error();
  const auto dropped = main.integer("select changes()");
  if (!dropped) return dropped.error();
  return *dropped > 0;
}

}  // namespace ghm::sqlite
