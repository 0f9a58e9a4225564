// A copy under load: one snapshot is held from the first page to the last, so writers never make it start again.
#include <fmt/format.h>

#include "adapters/sqlite/sqlite_db.h"

namespace ghm::sqlite {
namespace {

constexpr int kPagesPerStep = 256;  // 1 MiB: how often `copied` hears

using BackupHandle = Handle<sqlite3_backup, sqlite3_backup_finish>;

Error failed(sqlite3* db, const std::filesystem::path& path, int code) {
  const bool full = (code & 0xff) == SQLITE_FULL || (code & 0xff) == SQLITE_IOERR;
  const bool rotten = (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
  return {rotten ? Errc::corrupt : Errc::unavailable,
          fmt::format("{}: {}{}", path.string(), db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code),
                      full ? "; free some space, or choose another folder" : "")};
}

}  // namespace

Result<void> Db::copy_into(const std::filesystem::path& path, const std::function<void(std::uint64_t)>& copied) {
  for (const auto* end : {"", "-wal", "-shm", "-journal"}) {
    std::error_code ignored;  // what is not there need not go
    std::filesystem::remove(path.string() + end, ignored);
  }
  auto target = open(path, Mode::create);
  if (!target) return target.error();
  auto* to = (*target)->connection_.get();
  auto snapshot = Transaction::begin(*this, "begin");
  if (!snapshot) return snapshot.error();
  if (auto read = integer("select count(*) from sqlite_schema"); !read) return read.error();  // now the snapshot stands
  const auto page = integer("pragma page_size");
  if (!page) return page.error();
  BackupHandle backup(sqlite3_backup_init(to, "main", connection_.get(), "main"));
  if (!backup) return failed(to, path, sqlite3_errcode(to));
  for (int code = SQLITE_OK, before = 0; code != SQLITE_DONE;) {
    code = sqlite3_backup_step(backup.get(), kPagesPerStep);
    if (code != SQLITE_OK && code != SQLITE_DONE) return failed(nullptr, path, code);
    const int done = sqlite3_backup_pagecount(backup.get()) - sqlite3_backup_remaining(backup.get());
    copied(static_cast<std::uint64_t>(done - before) * static_cast<std::uint64_t>(*page));
    before = done;
  }
  if (const int code = sqlite3_backup_finish(backup.release()); code != SQLITE_OK) return failed(to, path, code);
  return {};
}

}  // namespace ghm::sqlite
