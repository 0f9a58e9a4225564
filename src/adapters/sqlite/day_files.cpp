#include "adapters/sqlite/day_files.h"

#include <fmt/format.h>

#include "adapters/sqlite/journal.h"

namespace ghm::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostWriters = 3;
constexpr int kDayVersion = 1;

Timestamp start_of_day(std::int64_t day) {
  return start_of_hour(day * kHoursPerDay);
}

// The day in "raw-2026-02-09.db"; nullopt for any other name.
std::optional<std::int64_t> day_in(const std::string& file, const std::string& tier) {
  const std::string_view end = ".db";
  if (!file.starts_with(tier + "-") || !file.ends_with(end) || file.size() < tier.size() + 1 + end.size()) return std::nullopt;
  const auto name = file.substr(tier.size() + 1, file.size() - tier.size() - 1 - end.size());
  const auto at = parse_time(name + "T00:00:00Z");
  if (!at || name.size() != 10) return std::nullopt;
  return day_of_hour(hour_of(*at));
}

Result<std::unique_ptr<Db>> open_day(const fs::path& path) {
  auto db = Db::open(path, Db::Mode::create);
  if (!db) return db;
  if (auto done = (*db)->run("pragma journal_mode = wal; pragma synchronous = full"); !done) return done.error();
  const auto version = (*db)->integer("pragma user_version");
  if (!version) return version.error();
  if (*version > kDayVersion)
    return Error{Errc::conflict, fmt::format("{}: written by a newer version; upgrade this program, or move the file away", path.string())};
  if (*version == kDayVersion) return db;
  auto transaction = Transaction::begin(**db);
  if (!transaction) return transaction.error();
  if (auto done = (*db)->run(
          fmt::format("create table chunks(board integer not null, hour integer not null, sum integer not null, bytes blob not null);"
                      "create unique index chunk_place on chunks(board, hour); pragma user_version = {}",
                      kDayVersion));
      !done)
    return done.error();
  if (auto done = transaction->commit(); !done) return done.error();
  return db;
}

void remove_with_side_files(const fs::path& path) {
  std::error_code ignored;  // what is gone already is what we want
  for (const auto* end : {"", "-wal", "-shm"}) fs::remove(path.string() + end, ignored);
}

}  // namespace

std::string day_name(std::int64_t day) {
  return format_rfc3339(start_of_day(day)).substr(0, 10);
}

fs::path DayFiles::path_of(std::int64_t day) const {
  return folder_ / fmt::format("{}-{}.db", tier_, day_name(day));
}

void DayFiles::note(std::int64_t day) {
  std::lock_guard lock(mutex_);
  if (!days_.contains(day)) days_[day] = std::make_shared<ConnectionPool>(path_of(day), Db::Mode::read_write);
}

Result<void> DayFiles::open() {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder_, failed)) {
    const auto day = day_in(entry.path().filename().string(), tier_);
    if (!day) continue;
    note(*day);
    const auto db = open_day(entry.path());
    if (db) continue;
    if (db.error().code != Errc::corrupt) return db.error();
    set_aside(*day, db.error());
  }
  if (failed) return Error{Errc::unavailable, fmt::format("{}: {}", folder_.string(), failed.message())};
  return {};
}

std::vector<std::int64_t> DayFiles::days() const {
  std::lock_guard lock(mutex_);
  std::vector<std::int64_t> all;
  for (const auto& [day, pool] : days_) all.push_back(day);
  return all;
}

void DayFiles::hold_back(std::int64_t day) {
  std::lock_guard lock(mutex_);
  held_back_.insert(day);
}

void DayFiles::release(std::int64_t day) {
  std::lock_guard lock(mutex_);
  held_back_.erase(day);
}

bool DayFiles::held_back(std::int64_t day) const {
  std::lock_guard lock(mutex_);
  return held_back_.contains(day);
}

bool DayFiles::known(std::int64_t day) const {
  std::lock_guard lock(mutex_);
  return days_.contains(day);
}

Result<Db*> DayFiles::writer(std::int64_t day) {
  const auto found = writers_.find(day);
  if (found != writers_.end() && known(day)) return found->second.get();
  writers_.erase(day);  // set aside meanwhile: what comes goes into a new file
  auto db = open_day(path_of(day));
  if (!db) return db.error();
  note(day);
  if (writers_.size() >= kMostWriters) writers_.erase(writers_.begin());  // the oldest day
  return (writers_[day] = std::move(*db)).get();
}

std::vector<std::pair<std::int64_t, std::shared_ptr<ConnectionPool>>> DayFiles::readers(TimeRange range) const {
  std::lock_guard lock(mutex_);
  const auto from = days_.lower_bound(day_of_hour(hour_of(std::max(range.from, Timestamp{}))));
  std::vector<std::pair<std::int64_t, std::shared_ptr<ConnectionPool>>> found;
  for (auto it = from; it != days_.end() && start_of_day(it->first) < range.to; ++it)
    if (!held_back_.contains(it->first)) found.emplace_back(*it);
  return found;
}

void DayFiles::set_aside(std::int64_t day, const Error& why) {
  std::lock_guard lock(mutex_);
  const auto found = days_.find(day);
  if (found == days_.end()) return;  // another reader has seen it too
  found->second->close();
  days_.erase(found);
  ++damaged_;
  const auto path = path_of(day);
  std::error_code failed;
  for (const auto* end : {"", "-wal", "-shm"})
    if (fs::exists(path.string() + end, failed)) fs::rename(path.string() + end, path.string() + ".damaged" + end, failed);
  log_.error("store.day_damaged", {{"tier", tier_},
                                   {"day", day_name(day)},
                                   {"error", why.what},
                                   {"set_aside", path.string() + ".damaged"},
                                   {"renamed", failed ? failed.message() : "yes"}});
}

void DayFiles::drop_before(std::int64_t day) {
  close_before(day);
  std::lock_guard lock(mutex_);
  while (!days_.empty() && days_.begin()->first < day) {
    days_.begin()->second->close();
    remove_with_side_files(path_of(days_.begin()->first));
    log_.info("store.day_dropped", {{"tier", tier_}, {"day", day_name(days_.begin()->first)}, {"why", "retention"}});
    days_.erase(days_.begin());
  }
}

void DayFiles::close_before(std::int64_t day) {
  writers_.erase(writers_.begin(), writers_.lower_bound(day));
}

std::uint64_t DayFiles::damaged() const {
  std::lock_guard lock(mutex_);
  return damaged_;
}

Result<void> put_chunk(Db& day, telemetry::BoardId board, std::int64_t hour, std::string_view bytes) {
  auto q = day.query(
      "insert into chunks(board, hour, sum, bytes) values(?1, ?2, ?3, ?4) on conflict(board, hour) do update set sum = ?3, bytes = ?4");
  if (!q) return q.error();
  return q->bind(1, static_cast<std::int64_t>(board)).bind(2, hour).bind(3, checksum(bytes)).bind_bytes(4, bytes).run();
}

Result<std::string_view> checked_bytes(const Db& db, const Query& row) {
  const auto bytes = row.bytes(1);
  if (row.integer(0) != checksum(bytes)) return Error{Errc::corrupt, fmt::format("{}: a chunk's checksum is wrong", db.path().string())};
  return bytes;
}

Result<std::string> get_chunk(Db& day, telemetry::BoardId board, std::int64_t hour) {
  auto q = day.query("select sum, bytes from chunks where board = ?1 and hour = ?2");
  if (!q) return q.error();
  const auto row = q->bind(1, static_cast<std::int64_t>(board)).bind(2, hour).step();
  if (!row) return row.error();
  if (!*row) return std::string();
  const auto bytes = checked_bytes(day, *q);
  if (!bytes) return bytes.error();
  return std::string(*bytes);
}

}  // namespace ghm::sqlite
