#include "adapters/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include "adapters/sqlite/backup.h"
#include "adapters/sqlite/schema.h"
#include "domain/store/points.h"
#include "domain/telemetry/page.h"

namespace ghm::sqlite {
namespace {

namespace fs = std::filesystem;

Result<void> make_folder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!failed) return {};
  return Error{Errc::unavailable, fmt::format("{}: {}; choose another data_dir, or make the folder", folder.string(), failed.message())};
}

}  // namespace

SqliteStore::SqliteStore(fs::path folder, FolderLock lock, std::unique_ptr<Db> main, SqliteSettings settings, Log log)
    : folder_(std::move(folder)),
      settings_(settings),
      log_(log),
      lock_(std::move(lock)),
      main_(std::move(main)),
      readers_(std::make_shared<ConnectionPool>(folder_ / "ghm.db", Db::Mode::read_write)),
      days_(folder_, "raw", log),
      rollups_(folder_, "rollup", std::move(log)) {}

SqliteStore::~SqliteStore() {
  readers_->close();
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const fs::path& folder, SqliteSettings settings, Log log) {
  if (auto done = make_folder(folder); !done) return done.error();
  auto lock = FolderLock::take(folder);
  if (!lock) return lock.error();
  if (std::error_code failed; fs::exists(folder / kUnfinishedRestore, failed))
    return Error{Errc::conflict, fmt::format("{}: a restore was cut off here; run `ghm restore` again", folder.string())};
  auto main = open_main(folder / "ghm.db", log);
  if (!main) return main.error();
  std::unique_ptr<SqliteStore> store(new SqliteStore(folder, std::move(*lock), std::move(*main), settings, std::move(log)));
  if (auto done = store->restore(); !done) return done.error();
  return store;
}

// ---- appending

Result<void> SqliteStore::keep(std::span<const RowBatch> rows, std::span<const Record> records) {
  if (auto done = store::check_rows(rows); !done) return done;
  std::lock_guard lock(writing_);
  JournalWriter journal(next_seq_);
  std::uint64_t samples = 0;
  std::uint64_t too_old = 0;
  for (const auto& row : rows) {
    if (day_of_hour(hour_of(row.at)) < oldest_day_) {
      ++too_old;
      continue;
    }
    auto& source = source_of(row);
    if (journal.add(source, columns_of(source, row), row)) samples += row.values.size();
  }
  if (auto done = write(journal, records); !done) {
    journal.undo();
    return done;
  }
  next_seq_ = journal.next_seq();
  head_.publish(journal.rows());
  rows_ += journal.rows().size();
  samples_ += samples;
  too_old_rows_ += too_old;
  return {};
}

Source& SqliteStore::source_of(const RowBatch& row) {
  const auto before = head_.sources().size();
  auto& source = head_.source(row.source);
  if (head_.sources().size() != before) unsaved_sources_.push_back(&source);
  return source;
}

const ColumnSet* SqliteStore::columns_of(Source& source, const RowBatch& row) {
  if (source.given != row.columns) {
    source.given_columns = sets_.intern(row.columns);
    source.given = row.columns;
  }
  return source.given_columns;
}

Result<void> SqliteStore::write(const JournalWriter& journal, std::span<const Record> records) {
  if (journal.blobs().empty() && records.empty()) return {};
  auto transaction = Transaction::begin(*main_);
  if (!transaction) return transaction.error();
  if (auto done = put_records(*main_, records); !done) return done;
  if (auto done = write_names(); !done) return done;
  auto q = main_->query("insert into journal(seq, rows) values(?1, ?2)");
  if (!q) return q.error();
  for (const auto& blob : journal.blobs())
    if (auto done = q->bind(1, static_cast<std::int64_t>(blob.seq)).bind_bytes(2, blob.bytes).run(); !done) return done;
  if (auto done = transaction->commit(); !done) return done;
  sets_.saved();
  unsaved_sources_.clear();
  return {};
}

Result<void> SqliteStore::write_names() {
  auto columns = main_->query("insert into columns(id, keys) values(?1, ?2)");
  if (!columns) return columns.error();
  for (const auto* set : sets_.unsaved())
    if (auto done = columns->bind(1, set->id).bind_bytes(2, encode_keys(*set->keys)).run(); !done) return done;
  auto sources = main_->query("insert into sources(id, name) values(?1, ?2)");
  if (!sources) return sources.error();
  for (const auto* source : unsaved_sources_)
    if (auto done = sources->bind(1, source->id).bind(2, source->name).run(); !done) return done;
  return {};
}

StoreStats SqliteStore::stats() const {
  StoreStats s{rows_, samples_, 0, sealed_chunks_, 0, days_.damaged() + rollups_.damaged(), too_old_rows_};
  std::error_code passing;  // a file that goes while we look is not there
  for (const auto& entry : fs::directory_iterator(folder_, passing))
    if (const auto size = entry.file_size(passing); !passing) s.bytes_on_disk += size;
  if (const auto space = fs::space(folder_, passing); !passing) s.free_bytes = space.available;
  return s;
}

// ---- records

Result<void> SqliteStore::put(std::span<const Record> records) {
  std::lock_guard lock(writing_);
  auto transaction = Transaction::begin(*main_);
  if (!transaction) return transaction.error();
  if (auto done = put_records(*main_, records); !done) return done;
  return transaction->commit();
}

Result<std::optional<Record>> SqliteStore::get(std::string_view kind, std::string_view key) const {
  auto db = readers_->lend();
  if (!db) return db.error();
  return get_record(**db, kind, key);
}

Result<std::vector<Record>> SqliteStore::scan(std::string_view kind, std::string_view prefix, std::string_view after,
                                              std::size_t limit) const {
  auto db = readers_->lend();
  if (!db) return db.error();
  return scan_records(**db, kind, prefix, after, limit);
}

Result<std::vector<Record>> SqliteStore::recent(std::string_view kind, TimeRange range, std::size_t limit) const {
  auto db = readers_->lend();
  if (!db) return db.error();
  return recent_records(**db, kind, range, limit);
}

Result<std::vector<Record>> SqliteStore::about(std::string_view kind, std::string_view subject, TimeRange range, std::size_t limit) const {
  auto db = readers_->lend();
  if (!db) return db.error();
  return records_about(**db, kind, subject, range, limit);
}

Result<bool> SqliteStore::erase(std::string_view kind, std::string_view key) {
  std::lock_guard lock(writing_);
  auto transaction = Transaction::begin(*main_);
  if (!transaction) return transaction.error();
  auto erased = erase_record(*main_, kind, key);
  if (!erased) return erased;
  if (auto done = transaction->commit(); !done) return done.error();
  return erased;
}

}  // namespace ghm::sqlite
