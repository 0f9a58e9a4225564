#pragma once
#include <functional>

#include "adapters/sqlite/backup_manifest.h"
#include "core/log.h"

/// Copies of a data folder: taken beside a running server, put back into an empty one.
namespace ghm::sqlite {

struct BackupRequest {
  std::filesystem::path data_dir, to;
  bool verify = false;  // read the kept copies too, and copy again what does not have its checksum
};

/// A file that could not be had, and why; the others could.
struct FileTrouble {
  std::string name, why;
};

struct BackupReport {
  BackupManifest manifest;
  std::vector<std::string> copied, kept;    // kept: closed days that are there unchanged
  std::vector<std::string> only_in_backup;  // days that the data folder has no more; they stay
  std::vector<FileTrouble> damaged;         // not copied; an earlier copy stays
  std::uint64_t bytes_copied = 0;
};

/// Hears of bytes done and of how many there are in all (an estimate until the end).
using BackupProgress = std::function<void(std::uint64_t done, std::uint64_t all)>;

/// Copies ghm.db first and the day files after it: an hour that is sealed in between is in both, and a reader takes it once.
/// A server may run; nothing waits for it and it waits for nothing. A day that was not written since the last backup, and
/// is so old that none is to come, is not copied again. All or nothing: until the new manifest is durable the backup before
/// stands. Damage in a day is reported, damage in ghm.db is an error. not_found: no data folder. conflict: `to` holds
/// something else. unavailable: space, permissions.
Result<BackupReport> back_up(const BackupRequest& request, Timestamp now, const BackupProgress& progress = {});

struct RestoreReport {
  BackupManifest manifest;
  std::vector<std::string> restored;
  std::vector<FileTrouble> damaged;  // set aside as <name>.damaged when there was anything; costs that day only
  std::uint64_t bytes = 0;
};

/// Puts a backup into `data_dir`, which must be empty or not there. Checksums are verified as the files are copied, ghm.db
/// before all others: damage in it is an error (corrupt), damage in a day is reported. A restore that was cut off is begun
/// anew by the next one, and SqliteStore::open refuses what it left. conflict: not empty, in use, or of a newer schema.
Result<RestoreReport> restore_backup(const std::filesystem::path& from, const std::filesystem::path& data_dir,
                                     const BackupProgress& progress = {});

struct MigrationReport {
  int from = 0, to = 0;
  std::filesystem::path copy;  // of ghm.db as it was; empty when nothing was to be done
};

/// Brings ghm.db to this program's schema after a copy, as every start does; `dry_run` only says what would be done.
/// not_found: no data folder. conflict: in use, or written by a newer version.
Result<MigrationReport> migrate_folder(const std::filesystem::path& data_dir, bool dry_run, const Log& log);

/// The file that stands in a data folder for as long as a restore has not ended.
inline constexpr std::string_view kUnfinishedRestore = "restore.unfinished";

}  // namespace ghm::sqlite
