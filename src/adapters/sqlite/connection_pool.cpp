#include "adapters/sqlite/connection_pool.h"

namespace ghm::sqlite {

Result<ConnectionPool::Loan> ConnectionPool::lend() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Loan loan(shared_from_this(), std::move(idle_.back()));
      idle_.pop_back();
      return loan;
    }
  }
  auto db = Db::open(path_, mode_);
  if (!db) return db.error();
  return Loan(shared_from_this(), std::move(*db));
}

void ConnectionPool::give_back(std::unique_ptr<Db> db) {
  std::lock_guard lock(mutex_);
  if (!closed_ && idle_.size() < kMostIdle) idle_.push_back(std::move(db));
}

void ConnectionPool::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  idle_.clear();
}

}  // namespace ghm::sqlite
