// Days of readings without rollups are rolled up in the background, a board at a time: those of a folder that an older
// version wrote, and those whose rollups were damaged. Until a day is done, answers about it come from its readings.
#include "adapters/sqlite/rollups.h"
#include "adapters/sqlite/sqlite_store.h"

namespace ghm::sqlite {
namespace {

struct SealedHour {
  std::int64_t hour = 0;
  store::Chunk chunk;
};

struct SealedBoard {
  BoardId board{};
  std::vector<SealedHour> hours;
};

// The board after `after` with all its hours; nullopt at the end.
Result<std::optional<SealedBoard>> next_board(Db& day, std::int64_t after) {
  auto q =
      day.query("select sum, bytes, board, hour from chunks where board = (select min(board) from chunks where board > ?1) order by hour");
  if (!q) return q.error();
  q->bind(1, after);
  std::optional<SealedBoard> found;
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return found;
    const auto bytes = checked_bytes(day, *q);
    if (!bytes) return bytes.error();
    auto chunk = store::decode_chunk(*bytes);
    if (!chunk) return chunk.error();
    if (!found) found = SealedBoard{static_cast<BoardId>(q->integer(2)), {}};
    found->hours.push_back({q->integer(3), std::move(*chunk)});
  }
}

}  // namespace

Result<void> SqliteStore::restore_unrolled() {
  if (auto done = find_unrolled(); !done) return done;
  auto q = main_->query("select day from unrolled");
  if (!q) return q.error();
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return {};
    rollups_.hold_back(q->integer(0));
  }
}

Result<void> SqliteStore::find_unrolled() {
  for (const auto day : days_.days()) {
    if (rollups_.known(day) && !rollups_.held_back(day)) continue;
    auto q = main_->query("insert or ignore into unrolled(day, board) values(?1, -1)");
    if (!q) return q.error();
    if (auto done = q->bind(1, day).run(); !done) return done;
    rollups_.hold_back(day);
  }
  return {};
}

Result<bool> SqliteStore::roll_up_next() {
  std::lock_guard lock(writing_);
  std::int64_t day = 0, after = 0;
  {
    auto q = main_->query("select day, board from unrolled order by day desc limit 1");  // newest first: people look there
    if (!q) return q.error();
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return false;
    day = q->integer(0);
    after = q->integer(1);
  }
  rollups_.hold_back(day);
  auto more = roll_up_board(day, after);
  if (!more && more.error().code == Errc::corrupt) {  // its readings are damaged: there is nothing to roll up any more
    days_.set_aside(day, more.error());
    more = false;
  }
  if (!more) return more.error();
  if (!*more)
    if (auto done = end_rolling_up(day); !done) return done.error();
  return true;
}

Result<bool> SqliteStore::roll_up_board(std::int64_t day, std::int64_t after) {
  const auto readings = days_.readers({start_of_day(day), start_of_day(day) + 1ms});
  if (readings.empty()) return false;
  auto from = readings.front().second->lend();
  if (!from) return from.error();
  const auto board = next_board(**from, after);
  if (!board) return board.error();
  if (!*board) return false;
  std::vector<SealedMinutes> all;
  for (const auto& [hour, chunk] : (*board)->hours)
    all.push_back({(*board)->board, hour, store::roll_up(chunk, start_of_hour(hour), kMinute)});
  if (auto done = write_minutes(day, all); !done) return done.error();
  auto transaction = Transaction::begin(*main_);
  if (!transaction) return transaction.error();
  for (const auto& m : all)
    if (auto done = put_hour(*main_, m.board, m.hour, m.minutes, log_); !done) return done.error();
  auto mark = main_->query("update unrolled set board = ?2 where day = ?1");
  if (!mark) return mark.error();
  if (auto done = mark->bind(1, day).bind(2, static_cast<std::int64_t>((*board)->board)).run(); !done) return done.error();
  if (auto done = transaction->commit(); !done) return done.error();
  return true;
}

Result<void> SqliteStore::end_rolling_up(std::int64_t day) {
  auto q = main_->query("delete from unrolled where day = ?1");
  if (!q) return q.error();
  if (auto done = q->bind(1, day).run(); !done) return done;
  rollups_.release(day);
  log_.info("store.day_rolled_up", {{"day", day_name(day)}});
  return {};
}

// A damaged file of minutes is set aside and begun anew; find_unrolled() sees to the rest of it.
Result<void> SqliteStore::write_minutes(std::int64_t day, const std::vector<SealedMinutes>& all) {
  auto done = try_write_minutes(day, all);
  if (done || done.error().code != Errc::corrupt) return done;
  rollups_.set_aside(day, done.error());
  if (auto found = find_unrolled(); !found) return found;
  return try_write_minutes(day, all);
}

Result<void> SqliteStore::try_write_minutes(std::int64_t day, const std::vector<SealedMinutes>& all) {
  if (all.empty()) return {};
  auto file = rollups_.writer(day);
  if (!file) return file.error();
  auto transaction = Transaction::begin(**file);
  if (!transaction) return transaction.error();
  for (const auto& m : all)
    if (auto done = put_minutes(**file, m.board, m.hour, m.minutes); !done) return done;
  return transaction->commit();
}

}  // namespace ghm::sqlite
