#include "adapters/sqlite/sqlite_db.h"

#include <fmt/format.h>

#include <utility>

namespace ghm::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;

// Connections give extended codes; the family is in the lowest byte.
int family_of(sqlite3* db) {
  return sqlite3_errcode(db) & 0xff;
}

// What the caller can do. A short read is a file that lost its end; other I/O errors pass (a full disk, a lost mount).
Errc code_of(sqlite3* db) {
  if (sqlite3_extended_errcode(db) == SQLITE_IOERR_SHORT_READ || sqlite3_extended_errcode(db) == SQLITE_IOERR_CORRUPTFS)
    return Errc::corrupt;
  switch (family_of(db)) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR:  // a table that should be there is not
      return Errc::corrupt;
    case SQLITE_CONSTRAINT: return Errc::conflict;
    case SQLITE_TOOBIG:
    case SQLITE_MISUSE:
    case SQLITE_RANGE: return Errc::invalid_input;
    default: return Errc::unavailable;
  }
}

std::string advice(sqlite3* db) {
  switch (family_of(db)) {
    case SQLITE_FULL: return "; free some space";
    case SQLITE_IOERR: return "; look at the volume's free space and the system log";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return "; look at the folder's owner and permissions";
    default: return "";
  }
}

Error error_of(sqlite3* db, std::string_view path) {
  return {code_of(db), fmt::format("{}: {}{}", path, sqlite3_errmsg(db), advice(db))};
}

Error error_of(sqlite3_stmt* s) {
  auto* db = sqlite3_db_handle(s);
  const char* path = sqlite3_db_filename(db, "main");
  return error_of(db, path != nullptr ? path : "sqlite");
}

int flags_of(Db::Mode mode) {
  switch (mode) {
    case Db::Mode::read_only: return SQLITE_OPEN_READONLY;
    case Db::Mode::read_write: return SQLITE_OPEN_READWRITE;
    case Db::Mode::create: break;
  }
  return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
}

}  // namespace

Query::~Query() {
  if (s_ != nullptr) reset();
}

Query& Query::bind(int position, std::int64_t value) {
  sqlite3_bind_int64(s_, position, value);
  return *this;
}

Query& Query::bind(int position, std::string_view text) {
  // A null pointer would bind NULL, and no text is not the same as none.
  sqlite3_bind_text64(s_, position, text.data() != nullptr ? text.data() : "", text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Query& Query::bind_bytes(int position, std::string_view bytes) {
  sqlite3_bind_blob64(s_, position, bytes.data() != nullptr ? bytes.data() : "", bytes.size(), SQLITE_STATIC);
  return *this;
}

Result<bool> Query::step() {
  const int code = sqlite3_step(s_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(s_);
}

Result<void> Query::run() {
  auto done = step();
  reset();
  if (!done) return done.error();
  return {};
}

void Query::reset() {
  sqlite3_reset(s_);
  sqlite3_clear_bindings(s_);
}

std::string_view Query::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(s_, column));  // before the size, as SQLite wants it
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(s_, column))};
}

Result<std::unique_ptr<Db>> Db::open(const std::filesystem::path& path, Mode mode) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags_of(mode) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Connection connection(raw);
  if (raw == nullptr) return Error{Errc::unavailable, fmt::format("{}: out of memory", path.string())};
  if (code != SQLITE_OK) return error_of(raw, path.string());
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  return std::unique_ptr<Db>(new Db(path, std::move(connection)));
}

Result<void> Db::run(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return error_of(connection_.get(), path_.string());
  return {};
}

Result<Query> Db::query(std::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return Query(found->second.get());
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr) !=
      SQLITE_OK)
    return error_of(connection_.get(), path_.string());
  return Query(statements_.emplace(std::string(sql), Statement(raw)).first->second.get());
}

Result<std::int64_t> Db::integer(std::string_view sql) {
  auto q = query(sql);
  if (!q) return q.error();
  const auto row = q->step();
  if (!row) return row.error();
  return *row ? q->integer(0) : 0;
}

Result<Transaction> Transaction::begin(Db& db, const char* how) {
  if (auto done = db.run(how); !done) return done.error();
  return Transaction(db);
}

Transaction::~Transaction() {
  if (db_ == nullptr) return;
  // SQLite itself has rolled back after a full disk, and says so; either way nothing of it is left.
  if (auto done = db_->run("rollback"); !done) return;
}

Result<void> Transaction::commit() {
  if (auto done = db_->run("commit"); !done) return done;
  db_ = nullptr;
  return {};
}

}  // namespace ghm::sqlite
