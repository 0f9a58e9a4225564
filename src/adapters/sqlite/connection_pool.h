#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "adapters/sqlite/sqlite_db.h"

namespace ghm::sqlite {

/// Connections for readers: each is lent to one reader at a time and kept open for the next. Thread-safe. The pool must
/// be owned by a shared_ptr: a loan keeps it alive.
class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  ConnectionPool(std::filesystem::path path, Db::Mode mode) : path_(std::move(path)), mode_(mode) {}

  /// A connection that comes back to the pool at its end.
  class Loan {
   public:
    Loan(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Db> db) : pool_(std::move(pool)), db_(std::move(db)) {}
    ~Loan() {
      if (db_) pool_->give_back(std::move(db_));
    }
    Loan(Loan&&) = default;
    Loan& operator=(Loan&&) = delete;
    Db& operator*() const { return *db_; }
    Db* operator->() const { return db_.get(); }

   private:
    std::shared_ptr<ConnectionPool> pool_;
    std::unique_ptr<Db> db_;
  };

  Result<Loan> lend();
  /// Closes what is idle, and what is lent when it comes back.
  void close();

 private:
  void give_back(std::unique_ptr<Db> db);

  static constexpr std::size_t kMostIdle = 4;
  const std::filesystem::path path_;
  const Db::Mode mode_;
  std::mutex mutex_;  // guards idle_ and closed_
  std::vector<std::unique_ptr<Db>> idle_;
  bool closed_ = false;
};

}  // namespace ghm::sqlite
