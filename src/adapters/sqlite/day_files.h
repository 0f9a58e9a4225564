#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "adapters/sqlite/connection_pool.h"
#include "core/log.h"
#include "core/time.h"
#include "domain/telemetry/identity.h"

/// What is sealed, a SQLite file per UTC day and tier: raw-2026-02-09.db holds readings, rollup-2026-02-09.db their rollups
/// of a minute. Retention is an unlink; damage costs one day.
namespace ghm::sqlite {

inline constexpr std::int64_t kHoursPerDay = 24;
inline std::int64_t day_of_hour(std::int64_t hour) {
  return hour / kHoursPerDay;
}
/// A day is written for so many hours after its end: late rows are taken for 48, and sealed within one more.
inline constexpr std::int64_t kOpenHours = 49;
/// "2026-02-09".
std::string day_name(std::int64_t day);

/// All day files of one tier in a folder. Readers from any thread; writer() and what removes files only from the writer's.
class DayFiles {
 public:
  /// `tier`: how file names start.
  DayFiles(std::filesystem::path folder, std::string tier, Log log)
      : folder_(std::move(folder)), tier_(std::move(tier)), log_(std::move(log)) {}

  /// Learns which days are there. A file that is no database is set aside.
  Result<void> open();

  /// The connection that writes a day, made when new; the last few stay open.
  Result<Db*> writer(std::int64_t day);

  /// The days with something in `range` that are not held back, oldest first.
  std::vector<std::pair<std::int64_t, std::shared_ptr<ConnectionPool>>> readers(TimeRange range) const;

  /// A day that is being filled from another tier: readers do not see it until it is whole.
  void hold_back(std::int64_t day);
  void release(std::int64_t day);
  bool held_back(std::int64_t day) const;

  /// A damaged day is renamed to …db.damaged and named in the log; the others go on. Any thread.
  void set_aside(std::int64_t day, const Error& why);

  /// Unlinks days before `day`.
  void drop_before(std::int64_t day);
  /// Days before `day` are written no more: their connections close, and SQLite folds its side files into the one.
  void close_before(std::int64_t day);

  /// False when the day was set aside or dropped since readers() named it.
  bool known(std::int64_t day) const;
  std::vector<std::int64_t> days() const;
  std::uint64_t damaged() const;

 private:
  std::filesystem::path path_of(std::int64_t day) const;
  void note(std::int64_t day);

  const std::filesystem::path folder_;
  const std::string tier_;
  const Log log_;
  std::map<std::int64_t, std::unique_ptr<Db>> writers_;  // the writer's alone
  mutable std::mutex mutex_;                             // guards what follows
  std::map<std::int64_t, std::shared_ptr<ConnectionPool>> days_;
  std::set<std::int64_t> held_back_;
  std::uint64_t damaged_ = 0;
};

/// The bytes of the query's row: columns 0 and 1 are their checksum and they. Valid until the next step. corrupt.
Result<std::string_view> checked_bytes(const Db& db, const Query& row);

/// One board's hour in a day file. put replaces what was there; get is empty when there is nothing.
Result<void> put_chunk(Db& day, telemetry::BoardId board, std::int64_t hour, std::string_view bytes);
Result<std::string> get_chunk(Db& day, telemetry::BoardId board, std::int64_t hour);

}  // namespace ghm::sqlite
