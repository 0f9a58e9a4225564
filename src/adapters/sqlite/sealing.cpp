// Finished hours leave the journal for the day's files, a few milliseconds at a time, between two appends. First the
// transaction of the readings' file, then that of the minutes', then the main one with hours, days and the end of the
// journal's rows: after a kill in between the rows are sealed once more to the same end. Rollups are made of everything
// that is then sealed of the hour, so late rows need no arithmetic of their own.
#include <fmt/format.h>

#include "adapters/sqlite/head_image.h"
#include "adapters/sqlite/rollups.h"
#include "adapters/sqlite/sealer.h"
#include "adapters/sqlite/sqlite_store.h"

namespace ghm::sqlite {
namespace {

constexpr auto kGrace = 2min;          // rows of the hour before are still under way
constexpr auto kQuiet = 60s;           // late rows come in groups: an hour is sealed when they have stopped...
constexpr auto kMostPatience = 10min;  // ...or go on for ever
constexpr auto kRetentionEvery = 1min;

bool finished(std::int64_t hour, Timestamp now) {
  return start_of_hour(hour + 1) + kGrace <= now;
}

}  // namespace

Result<bool> SqliteStore::maintain(Timestamp now) {
  if (auto done = retain(now); !done) return done.error();
  std::int64_t hour = 0;
  auto* source = due(now, hour);
  if (source == nullptr) {
    if (auto done = save_latest(now); !done) return done.error();
    auto more = drop_hours();
    return !more || *more ? more : roll_up_next();
  }
  if (auto done = seal(*source, hour); !done) return done.error();
  return true;
}

Source* SqliteStore::due(Timestamp now, std::int64_t& hour) {
  for (const auto& s : head_.sources())
    for (const auto& [h, rows] : s->hours)
      if (finished(h, now) && settled(*s, h, now)) {
        hour = h;
        return s.get();
      }
  return nullptr;
}

bool SqliteStore::settled(const Source& source, std::int64_t hour, Timestamp now) {
  const auto newest = source.hours.at(hour).back().seq;
  auto& look = looks_.try_emplace({source.id, hour}, Look{newest, now, now}).first->second;
  if (look.seq != newest || now < look.since) {  // or the clock went back
    look.seq = newest;
    look.since = now;
    look.first = std::min(look.first, now);
  }
  return now - look.since >= kQuiet || now - look.first >= kMostPatience;
}

Result<void> SqliteStore::seal(Source& source, std::int64_t hour) {
  Sealing sealing;
  for (auto* s : head_.sharing_boards(source))
    if (auto slice = head_.slice(*s, hour); !slice.rows.empty()) sealing.slices.push_back(std::move(slice));
  sealing.unneeded = head_.unneeded_after(sealing.slices);
  std::lock_guard lock(writing_);
  const auto minutes = write_chunks(hour, sealing.slices);
  if (!minutes) return minutes.error();
  if (auto done = write_minutes(day_of_hour(hour), *minutes); !done) return done;
  if (auto done = write_sealed(sealing, *minutes); !done) return done;
  head_.forget(sealing.slices, sealing.unneeded);
  for (const auto& slice : sealing.slices) {
    looks_.erase({slice.source->id, hour});
    if (hour_of(slice.source->chain_at) == hour) slice.source->chain_links = 0;
  }
  return {};
}

Result<std::vector<SqliteStore::SealedMinutes>> SqliteStore::write_chunks(std::int64_t hour, const std::vector<HeadSlice>& slices) {
  if (day_of_hour(hour) < oldest_day_) {  // it came before the first maintain() said what is too old
    for (const auto& slice : slices) too_old_rows_ += slice.rows.size();
    return std::vector<SealedMinutes>();
  }
  auto written = try_write_chunks(hour, slices);
  if (written || written.error().code != Errc::corrupt) return written;
  days_.set_aside(day_of_hour(hour), written.error());
  return try_write_chunks(hour, slices);  // into a new file
}

Result<std::vector<SqliteStore::SealedMinutes>> SqliteStore::try_write_chunks(std::int64_t hour, const std::vector<HeadSlice>& slices) {
  ChunkBuilder builder;
  const auto damaged = [this](const Error& e) { log_.error("store.row_damaged", {{"error", e.what}}); };
  for (const auto& slice : slices)
    if (auto done = read_slice(
            *main_, slice, [&](const RowRef& ref, std::span<const double> values) { builder.add(ref, values); }, damaged);
        !done)
      return done.error();
  auto day = days_.writer(day_of_hour(hour));
  if (!day) return day.error();
  auto transaction = Transaction::begin(**day);
  if (!transaction) return transaction.error();
  std::vector<SealedMinutes> minutes;
  auto done = builder.finish([&](BoardId board, store::Chunk chunk) -> Result<void> {
    ++sealed_chunks_;
    const auto sealed = seal_chunk(**day, board, hour, std::move(chunk));
    if (!sealed) return sealed.error();
    minutes.push_back({board, hour, store::roll_up(*sealed, start_of_hour(hour), kMinute)});
    return {};
  });
  if (!done) return done.error();
  if (auto committed = transaction->commit(); !committed) return committed.error();
  return minutes;
}

Result<void> SqliteStore::write_sealed(const Sealing& sealing, const std::vector<SealedMinutes>& minutes) {
  auto transaction = Transaction::begin(*main_);
  if (!transaction) return transaction.error();
  auto mark = main_->query("insert into sealed(source, hour, seq) values(?1, ?2, ?3) on conflict(source, hour) do update set seq = ?3");
  auto latest = main_->query("update sources set latest = ?2 where id = ?1");
  auto drop = main_->query("delete from journal where seq = ?1");
  // A mark is needed for as long as an older row of its source may still lie in the journal.
  auto sweep = main_->query("delete from sealed where seq < (select min(seq) from journal)");
  for (auto* q : {&mark, &latest, &drop, &sweep})
    if (!*q) return q->error();
  for (const auto& slice : sealing.slices) {
    const auto& s = *slice.source;
    if (auto done = mark->bind(1, s.id).bind(2, slice.hour).bind(3, static_cast<std::int64_t>(slice.rows.back().seq)).run(); !done)
      return done;
    if (s.columns == nullptr) continue;
    if (auto done = latest->bind(1, s.id).bind_bytes(2, encode_latest(s)).run(); !done) return done;
  }
  for (const auto& m : minutes)
    if (auto done = put_hour(*main_, m.board, m.hour, m.minutes, log_); !done) return done;
  for (const auto seq : sealing.unneeded)
    if (auto done = drop->bind(1, static_cast<std::int64_t>(seq)).run(); !done) return done;
  if (auto done = sweep->run(); !done) return done;
  return transaction->commit();
}

Result<void> SqliteStore::retain(Timestamp now) {
  if (now < next_retention_ && next_retention_ - now <= kRetentionEvery) return {};  // unless the clock went back
  next_retention_ = now + kRetentionEvery;
  const auto oldest = [now](int days) { return day_of_hour(hour_of(now - std::chrono::days(days))); };
  oldest_day_ = oldest(settings_.raw_days);
  oldest_hours_day_ = oldest(settings_.hour_days);
  hours_to_drop_ = true;
  days_.drop_before(oldest_day_);
  rollups_.drop_before(oldest(settings_.minute_days));
  for (auto* files : {&days_, &rollups_}) files->close_before(day_of_hour(hour_of(now) - kOpenHours));
  head_.forget_left_behind_before(now - std::chrono::days(settings_.raw_days));
  std::lock_guard lock(writing_);
  return find_unrolled();
}

Result<bool> SqliteStore::drop_hours() {
  if (!hours_to_drop_) return false;
  std::lock_guard lock(writing_);
  auto more = drop_hours_before(*main_, oldest_hours_day_);
  if (more) hours_to_drop_ = *more;
  return more;
}

}  // namespace ghm::sqlite
