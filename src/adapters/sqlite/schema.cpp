#include "adapters/sqlite/schema.h"

#include <fmt/format.h>

#include <iterator>

#include "adapters/sqlite/durable_files.h"
#include "adapters/sqlite/records.h"

namespace ghm::sqlite {
namespace {

// Step n brings version n to n + 1. A step that has shipped is never edited: a change is a new step.
constexpr const char* kSteps[] = {
    // 1: the slow facts
    R"(create table records(kind text not null, key text not null, at integer not null, body text not null);
       create unique index records_by_key on records(kind, key);
       create index records_by_time on records(kind, at, key);)",
    // 2: the unsealed head. sealed: rows of a source in an hour up to this seq stand in the day's file.
    R"(create table sources(id integer primary key, name text not null unique, latest blob);
       create table columns(id integer primary key, keys blob not null);
       create table journal(seq integer primary key, rows blob not null);
       create table sealed(source integer not null, hour integer not null, seq integer not null, primary key(source, hour)) without rowid;)",
    // 3: rollups of an hour, a board's day in a row, and of a day, 64 days in a row. unrolled: days whose sealed readings are
    // being rolled up, and the last board that is done.
    R"(create table hour_rollups(board integer not null, day integer not null, sum integer not null, bytes blob not null);
       create unique index hour_rollup_place on hour_rollups(board, day);
       create index hour_rollups_by_day on hour_rollups(day);
       create table day_rollups(board integer not null, span integer not null, sum integer not null, bytes blob not null);
       create unique index day_rollup_place on day_rollups(board, span);
       create table unrolled(day integer primary key, board integer not null);)",
    // 4: which records are about a board, host, job or rack (domain/store/subjects.h); filled by index_all_records().
    R"(create table subjects(subject text not null, kind text not null, at integer not null, key text not null,
                             primary key(subject, kind, at, key)) without rowid;)",
};
constexpr int kSubjects = 4;  // the version that brought the index
constexpr int kVersion = std::size(kSteps);

Error newer(const Db& db, std::int64_t version) {
  return {Errc::conflict,
          fmt::format("{}: written by a newer version (schema {}, this program knows up to {}); upgrade this program, or restore a backup",
                      db.path().string(), version, kVersion)};
}

Result<void> copy_beside(Db& db, std::int64_t version, const Log& log) {
  const auto copy = fmt::format("{}.v{}", db.path().string(), version);
  std::error_code ignored;
  std::filesystem::remove(copy, ignored);  // left by a migration that did not finish
  auto q = db.query("vacuum into ?1");
  if (!q) return q.error();
  if (auto done = q->bind(1, std::string_view(copy)).run(); !done) return done;
  // SQLite does not sync what `vacuum into` wrote, and a copy that a power cut takes away is none.
  for (const auto& path : {std::filesystem::path(copy), std::filesystem::absolute(copy).parent_path()})
    if (auto done = sync_path(path); !done) return done;
  log.info("store.copied", {{"copy", copy}, {"why", "migration"}});
  return {};
}

// Random places of a large tree: in memory they cost a tenth of what they cost through two megabytes of cache.
Result<void> index_records(Db& db, const Log& log) {
  if (auto done = db.run("pragma cache_size = -262144"); !done) return done;
  const auto indexed = index_all_records(db);
  if (!indexed) return indexed.error();
  if (*indexed > 0) log.info("store.indexed", {{"records", std::to_string(*indexed)}});
  return db.run("pragma cache_size = -2000");
}

Result<void> migrate(Db& db, std::int64_t version, const Log& log) {
  if (version > 0)
    if (auto done = copy_beside(db, version, log); !done) return done;
  auto transaction = Transaction::begin(db);
  if (!transaction) return transaction.error();
  const bool without_index = version > 0 && version < kSubjects;
  for (; version < kVersion; ++version)
    if (auto done = db.run(kSteps[version]); !done) return done;
  if (without_index)
    if (auto done = index_records(db, log); !done) return done;
  if (auto done = db.run(fmt::format("pragma user_version = {}", kVersion)); !done) return done;
  return transaction->commit();
}

}  // namespace

int schema_version() {
  return kVersion;
}

Result<std::unique_ptr<Db>> open_main(const std::filesystem::path& path, const Log& log) {
  auto db = Db::open(path, Db::Mode::create);
  if (!db) return db;
  if (auto done = (*db)->run("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = off"); !done) return done.error();
  const auto version = (*db)->integer("pragma user_version");
  if (!version) return version.error();
  if (*version > kVersion) return newer(**db, *version);
  if (*version < kVersion)
    if (auto done = migrate(**db, *version, log); !done) return done.error();
  return db;
}

}  // namespace ghm::sqlite
