#include <fmt/format.h>

#include "adapters/sqlite/backup.h"
#include "adapters/sqlite/durable_files.h"
#include "adapters/sqlite/folder_lock.h"
#include "adapters/sqlite/schema.h"
#include "core/files.h"
#include "core/size_text.h"

namespace ghm::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLockFile = "ghm.lock";
constexpr std::string_view kDamaged = ".damaged";

Result<BackupFolder> read_source(const fs::path& from) {
  auto folder = read_backup_folder(from);
  if (!folder) return folder;
  if (!folder->manifest)
    return Error{Errc::not_found,
                 fmt::format("{}: holds no backup (there is no manifest.json in it); name a folder that `ghm backup` made", from.string())};
  if (folder->manifest->schema > schema_version())
    return Error{Errc::conflict, fmt::format("{}: made by a newer version (schema {}, this program knows up to {}); upgrade this program",
                                             from.string(), folder->manifest->schema, schema_version())};
  return folder;
}

bool was_cut_off(const fs::path& data_dir) {
  std::error_code failed;
  return fs::exists(data_dir / kUnfinishedRestore, failed);
}

bool is_own_mark(const std::string& name) {
  return name == kLockFile || name == kUnfinishedRestore;
}

// Empty, or left by a restore that was cut off.
Result<void> check_target(const fs::path& data_dir) {
  std::error_code failed;
  fs::create_directories(data_dir, failed);
  if (failed) return Error{Errc::unavailable, fmt::format("{}: {}; choose another data_dir", data_dir.string(), failed.message())};
  if (was_cut_off(data_dir)) return {};
  for (const auto& entry : fs::directory_iterator(data_dir, failed))
    if (const auto name = entry.path().filename().string(); !is_own_mark(name))
      return Error{Errc::conflict, fmt::format("{}: is not empty ({} is there); restore into an empty folder, or move this one away first",
                                               data_dir.string(), name)};
  if (failed) return Error{Errc::unavailable, fmt::format("{}: {}", data_dir.string(), failed.message())};
  return {};
}

void drop_what_was_cut_off(const fs::path& data_dir) {
  if (!was_cut_off(data_dir)) return;
  std::error_code ignored;  // what stays is written over
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(data_dir, ignored))
    if (!is_own_mark(entry.path().filename().string())) left.push_back(entry.path());
  for (const auto& path : left) fs::remove(path, ignored);
}

class Restore {
 public:
  Restore(const BackupFolder& from, const fs::path& to, const BackupProgress& progress) : from_(from), to_(to), progress_(progress) {
    report_.manifest = *from.manifest;
    for (const auto& f : from.manifest->files) expected_ += f.bytes;
  }

  Result<RestoreReport> run() {
    if (auto done = check_space(); !done) return done.error();
    if (auto done = write_file_atomically(to_ / kUnfinishedRestore, from_.folder.string() + "\n"); !done) return done.error();
    if (auto done = restore_main(); !done) return done.error();
    for (const auto& f : from_.manifest->files)
      if (f.name != kMainFile)
        if (auto done = restore_day(f); !done) return done.error();
    if (auto done = finish(); !done) return done.error();
    return std::move(report_);
  }

 private:
  Result<void> check_space() const {
    std::error_code failed;
    const auto space = fs::space(to_, failed);
    if (failed || expected_ <= space.available) return {};
    return Error{Errc::unavailable,
                 fmt::format("{}: {} are needed and {} are free; free some space, or choose another data_dir", to_.string(),
                             size_text(static_cast<double>(expected_)), size_text(static_cast<double>(space.available)))};
  }

  /// What is wrong with the copy, empty when nothing is; the error is the target's.
  Result<std::string> copy(const BackupFile& f) {
    const auto source = from_.file(f.name);
    std::error_code failed;
    if (!fs::exists(source, failed)) return source.string() + ": is not there any more";
    const auto sum = copy_durably(source, to_ / f.name, [this](std::uint64_t bytes) {
      done_ += bytes;
      if (progress_) progress_(done_, std::max(done_, expected_));
    });
    if (!sum && sum.error().what.starts_with(source.string())) return sum.error().what;
    if (!sum) return sum.error();
    if (*sum != f.sha256) return source.string() + ": does not have the checksum that it was written with";
    report_.restored.push_back(f.name);
    report_.bytes += f.bytes;
    return std::string();
  }

  Result<void> restore_main() {
    const auto wrong = copy(*from_.manifest->find(kMainFile));
    if (!wrong) return wrong.error();
    if (wrong->empty()) return {};
    std::error_code ignored;
    for (const auto name : {kMainFile, kUnfinishedRestore}) fs::remove(to_ / name, ignored);
    return Error{Errc::corrupt, *wrong + "; nothing was restored: take another backup"};
  }

  Result<void> restore_day(const BackupFile& f) {
    const auto wrong = copy(f);
    if (!wrong) return wrong.error();
    if (wrong->empty()) return {};
    report_.damaged.push_back({f.name, *wrong});
    std::error_code failed;
    const auto there = to_ / f.name;
    if (!fs::exists(there, failed)) return {};
    return rename_over(there, there.string() + std::string(kDamaged));
  }

  Result<void> finish() {
    if (auto done = sync_path(to_); !done) return done;
    std::error_code failed;
    if (!fs::remove(to_ / kUnfinishedRestore, failed) || failed)
      return Error{Errc::unavailable, fmt::format("{}: {}", (to_ / kUnfinishedRestore).string(), failed.message())};
    return sync_path(to_);
  }

  const BackupFolder& from_;
  const fs::path to_;
  const BackupProgress& progress_;
  RestoreReport report_;
  std::uint64_t expected_ = 0, done_ = 0;
};

}  // namespace

Result<RestoreReport> restore_backup(const fs::path& from, const fs::path& data_dir, const BackupProgress& progress) {
  const auto source = read_source(from);
  if (!source) return source.error();
  if (auto done = check_target(data_dir); !done) return done.error();
  const auto lock = FolderLock::take(data_dir);
  if (!lock) return lock.error();
  drop_what_was_cut_off(data_dir);
  return Restore(*source, data_dir, progress).run();
}

}  // namespace ghm::sqlite
