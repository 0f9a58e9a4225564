#include <fmt/format.h>

#include "adapters/sqlite/backup.h"
#include "adapters/sqlite/folder_lock.h"
#include "adapters/sqlite/schema.h"

namespace ghm::sqlite {
namespace {

namespace fs = std::filesystem;

Result<int> version_of(const fs::path& main) {
  auto db = Db::open(main, Db::Mode::read_write);
  if (!db) return db.error();
  const auto version = (*db)->integer("pragma user_version");
  if (!version) return version.error();
  return static_cast<int>(*version);
}

}  // namespace

Result<MigrationReport> migrate_folder(const fs::path& data_dir, bool dry_run, const Log& log) {
  const auto main = data_dir / kMainFile;
  std::error_code failed;
  if (!fs::exists(main, failed))
    return Error{Errc::not_found,
                 fmt::format("{}: is no data folder (there is no ghm.db in it); name the data_dir of your ghm.yaml", data_dir.string())};
  const auto lock = FolderLock::take(data_dir);
  if (!lock) return lock.error();
  const auto version = version_of(main);
  if (!version) return version.error();
  MigrationReport report{*version, schema_version(), {}};
  if (*version < schema_version() && *version > 0) report.copy = fmt::format("{}.v{}", main.string(), *version);
  if (dry_run && *version <= schema_version()) return report;
  if (auto db = open_main(main, log); !db) return db.error();  // refuses a newer one, and copies an older one
  return report;
}

}  // namespace ghm::sqlite
