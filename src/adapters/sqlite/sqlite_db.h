#pragma once
#include <sqlite3.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/handle.h"
#include "core/result.h"

/// SQLite in the house's words: connections, statements and transactions that end themselves, failures as Result.
namespace ghm::sqlite {

/// A borrowed prepared statement: reset and free for the next borrower when this goes. One at a time per SQL text.
class Query {
 public:
  explicit Query(sqlite3_stmt* statement) : s_(statement) {}
  ~Query();
  Query(Query&& other) noexcept : s_(std::exchange(other.s_, nullptr)) {}
  Query& operator=(Query&&) = delete;

  /// Bytes are borrowed until the query is reset. Positions count from 1.
  Query& bind(int position, std::int64_t value);
  Query& bind(int position, std::string_view text);
  Query& bind_bytes(int position, std::string_view bytes);

  /// True: a row is there. False: done.
  Result<bool> step();
  /// For statements without rows; may be bound and run again.
  Result<void> run();
  /// Ready for other values.
  void reset();

  std::int64_t integer(int column) const { return sqlite3_column_int64(s_, column); }
  /// Valid until the next step or reset.
  std::string_view bytes(int column) const;

 private:
  sqlite3_stmt* s_;
};

/// One connection; used by one thread at a time.
class Db {
 public:
  enum class Mode { read_only, read_write, create };
  /// corrupt when the file is no database; unavailable when it cannot be opened. Waits up to 5 s for another's lock.
  static Result<std::unique_ptr<Db>> open(const std::filesystem::path& path, Mode mode);

  /// One or more statements without values and results.
  Result<void> run(const std::string& sql);
  /// Prepared once per text and connection.
  Result<Query> query(std::string_view sql);
  /// The first column of the first row, 0 when there is none.
  Result<std::int64_t> integer(std::string_view sql);

  /// The database as it stands now into `path`, which is made anew, while others go on writing. `copied` hears of bytes as
  /// they go. Not synced. The connection must have no open transaction.
  Result<void> copy_into(const std::filesystem::path& path, const std::function<void(std::uint64_t)>& copied);

  const std::filesystem::path& path() const { return path_; }

 private:
  using Connection = Handle<sqlite3, sqlite3_close_v2>;
  using Statement = Handle<sqlite3_stmt, sqlite3_finalize>;
  Db(std::filesystem::path path, Connection connection) : path_(std::move(path)), connection_(std::move(connection)) {}

  std::filesystem::path path_;
  Connection connection_;
  std::map<std::string, Statement, std::less<>> statements_;  // before the connection in destruction
};

/// Rolled back unless committed.
class Transaction {
 public:
  /// `begin immediate`: the write lock is taken now, not at some later statement. Readers say `begin`.
  static Result<Transaction> begin(Db& db, const char* how = "begin immediate");
  ~Transaction();
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  Result<void> commit();

 private:
  explicit Transaction(Db& db) : db_(&db) {}
  Db* db_;
};

}  // namespace ghm::sqlite
