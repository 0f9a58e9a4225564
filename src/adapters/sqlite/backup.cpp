#include "adapters/sqlite/backup.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "adapters/sqlite/day_files.h"
#include "adapters/sqlite/durable_files.h"
#include "adapters/sqlite/folder_lock.h"
#include "adapters/sqlite/head.h"
#include "adapters/sqlite/schema.h"
#include "core/size_text.h"

namespace ghm::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLockFile = "ghm.lock";
constexpr double kSpaceMargin = 1.05;
constexpr auto kRacy = 2s;  // a file's time tells of no change within its own tick

struct Look {
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
};

Look look_at(const fs::path& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};
  return {static_cast<std::uint64_t>(s.st_size), s.st_mtim.tv_sec * 1'000'000'000 + s.st_mtim.tv_nsec};
}

/// How a database looks from outside: any write changes the file or its log.
struct Mark {
  Look file, log;

  static Mark of(const fs::path& path) {
    Mark m{look_at(path), look_at(path.string() + "-wal")};
    if (m.log.bytes == 0) m.log = {};  // an empty log comes and goes with every reader
    return m;
  }
  std::uint64_t bytes() const { return file.bytes + log.bytes; }
  bool older_than(Timestamp t) const {
    return std::max(file.modified_ns, log.modified_ns) < std::chrono::nanoseconds(t.time_since_epoch()).count();
  }
  std::string text() const { return fmt::format("{}@{} {}@{}", file.bytes, file.modified_ns, log.bytes, log.modified_ns); }
};

bool is_closed(std::int64_t day, Timestamp now) {
  return day < day_of_hour(hour_of(now) - kOpenHours);
}

/// Names of day files, oldest first by name.
std::vector<std::string> days_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;  // a folder that goes while we look has no days
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (auto name = entry.path().filename().string(); day_of_file(name)) names.push_back(std::move(name));
  std::ranges::sort(names);
  return names;
}

Result<void> check_source(const fs::path& data_dir) {
  std::error_code failed;
  if (!fs::is_directory(data_dir, failed))
    return Error{Errc::not_found, fmt::format("{}: no such folder; name the data_dir of your ghm.yaml", data_dir.string())};
  if (!fs::exists(data_dir / kMainFile, failed))
    return Error{Errc::not_found,
                 fmt::format("{}: is no data folder (there is no ghm.db in it); name the data_dir of your ghm.yaml", data_dir.string())};
  return {};
}

Result<void> make_target(const fs::path& to, const fs::path& data_dir) {
  std::error_code failed;
  fs::create_directories(to, failed);
  if (failed) return Error{Errc::unavailable, fmt::format("{}: {}; choose another folder", to.string(), failed.message())};
  if (fs::equivalent(to, data_dir, failed))
    return Error{Errc::invalid_input, fmt::format("{}: is the data folder itself; choose another folder for its backup", to.string())};
  return {};
}

// What a person may have here must not be mixed with a backup, nor two fleets' backups with each other.
Result<void> check_target(const BackupFolder& target, const std::string& data_dir) {
  if (target.manifest && target.manifest->data_dir != data_dir)
    return Error{Errc::conflict, fmt::format("{}: holds a backup of {}, not of {}; choose another folder", target.folder.string(),
                                             target.manifest->data_dir, data_dir)};
  if (target.manifest) return {};
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(target.folder, failed)) {
    const auto name = entry.path().filename().string();
    if (name != kLockFile && !name.ends_with(kDraft) && !name.ends_with(".tmp"))
      return Error{Errc::conflict,
                   fmt::format("{}: holds no backup of ghm but something else ({}); choose an empty folder", target.folder.string(), name)};
  }
  return {};
}

// A copy that does not read as a whole database must not take the place of one that does.
Result<void> check_copy(const fs::path& copy, const fs::path& original) {
  auto db = Db::open(copy, Db::Mode::read_write);
  if (!db) return db.error();
  auto q = (*db)->query("pragma quick_check(1)");
  if (!q) return q.error();
  const auto row = q->step();
  if (!row) return row.error();
  const auto said = std::string(q->bytes(0));
  if (*row && said == "ok") return {};
  return Error{Errc::corrupt, fmt::format("{}: damaged: {}", original.string(), said)};
}

class Backup {
 public:
  Backup(const BackupRequest& r, BackupFolder target, Timestamp now, const BackupProgress& progress)
      : r_(r), target_(std::move(target)), now_(now), progress_(progress) {
    for (const auto& name : days_in(r_.data_dir))
      if (!unchanged(name)) expected_ += Mark::of(r_.data_dir / name).bytes();
    expected_ += Mark::of(r_.data_dir / kMainFile).bytes();
  }

  Result<BackupReport> run(std::string data_dir) {
    drop_drafts();
    if (auto done = check_space(); !done) return done.error();
    report_.manifest = {GHM_VERSION, 0, now_, std::move(data_dir), {}};
    if (auto done = copy_all(); !done) {
      drop_drafts();
      return done.error();
    }
    keep_the_rest();
    if (auto done = publish_backup(r_.to, report_.manifest); !done) return done.error();
    return std::move(report_);
  }

 private:
  void drop_drafts() const {
    std::error_code ignored;
    std::vector<fs::path> drafts;
    for (const auto& entry : fs::directory_iterator(r_.to, ignored))
      if (const auto name = entry.path().filename().string(); name.find(kDraft) != name.npos) drafts.push_back(entry.path());
    for (const auto& path : drafts) fs::remove(path, ignored);
  }

  Result<void> check_space() const {
    std::error_code failed;
    const auto space = fs::space(r_.to, failed);
    const auto needed = static_cast<double>(expected_) * kSpaceMargin;
    if (failed || needed <= static_cast<double>(space.available)) return {};
    return Error{Errc::unavailable, fmt::format("{}: {} are needed and {} are free; free some space, or choose another folder",
                                                r_.to.string(), size_text(needed), size_text(static_cast<double>(space.available)))};
  }

  const BackupFile* before(std::string_view name) const { return target_.manifest ? target_.manifest->find(name) : nullptr; }

  /// A closed day whose copy is there.
  bool unchanged(const std::string& name) const {
    const auto* copy = before(name);
    if (copy == nullptr || !is_closed(*day_of_file(name), now_)) return false;
    const auto mark = Mark::of(r_.data_dir / name);
    return mark.text() == copy->source && mark.older_than(copy->copied - kRacy) && look_at(r_.to / name).bytes == copy->bytes;
  }

  bool intact(const std::string& name) const {
    const auto sum = sha256_of_file(r_.to / name);
    return sum && *sum == before(name)->sha256;
  }

  Result<void> copy_all() {
    if (auto done = copy(std::string(kMainFile)); !done) return done;
    for (const auto& name : days_in(r_.data_dir)) {  // looked for only now: a day that was new then is in ghm.db's journal
      if (unchanged(name) && (!r_.verify || intact(name))) {
        report_.kept.push_back(name);
        report_.manifest.files.push_back(*before(name));
      } else if (auto done = copy_day(name); !done) {
        return done;
      }
    }
    return {};
  }

  Result<void> copy_day(const std::string& name) {
    save_from_before_damage(name);
    const auto done = copy(name);
    std::error_code ignored;
    if (done || !fs::exists(r_.data_dir / name, ignored)) return {};  // gone: retention unlinked it meanwhile
    if (done.error().code != Errc::corrupt) return done;
    report_.damaged.push_back({name, done.error().what});
    fs::remove(draft(name), ignored);
    return {};
  }

  /// The server has set a damaged day aside and began a new file: the copy of the old one is worth more than before.
  void save_from_before_damage(const std::string& name) const {
    std::error_code ignored;  // a second link is a help, not a condition
    if (before(name) != nullptr && fs::exists(r_.data_dir / (name + ".damaged"), ignored))
      fs::create_hard_link(r_.to / name, r_.to / (name + ".before-damage"), ignored);
  }

  fs::path draft(const std::string& name) const { return r_.to / (name + std::string(kDraft)); }

  Result<void> copy(const std::string& name) {
    const auto from = r_.data_dir / name;
    const auto mark = Mark::of(from);  // before the snapshot: what is written from now on changes it
    if (auto done = snapshot(from, draft(name)); !done) return done;
    if (auto done = check_copy(draft(name), from); !done) return done;
    if (auto done = sync_path(draft(name)); !done) return done;
    auto sum = sha256_of_file(draft(name));
    if (!sum) return sum.error();
    const auto bytes = look_at(draft(name)).bytes;
    report_.manifest.files.push_back({name, bytes, std::move(*sum), now_, mark.text()});
    report_.copied.push_back(name);
    report_.bytes_copied += bytes;
    return {};
  }

  Result<void> snapshot(const fs::path& from, const fs::path& to) {
    auto db = Db::open(from, Db::Mode::read_write);
    if (!db) return db.error();
    if (from.filename() == kMainFile) {
      const auto version = (*db)->integer("pragma user_version");
      if (!version) return version.error();
      report_.manifest.schema = static_cast<int>(*version);
    }
    return (*db)->copy_into(to, [this](std::uint64_t bytes) {
      done_ += bytes;
      if (progress_) progress_(done_, std::max(done_, expected_));
    });
  }

  /// Copies of days that this run has none of: dropped by retention, or damaged now.
  void keep_the_rest() {
    if (!target_.manifest) return;
    for (const auto& f : target_.manifest->files) {
      if (report_.manifest.find(f.name) != nullptr) continue;
      report_.manifest.files.push_back(f);
      if (std::ranges::find(report_.damaged, f.name, &FileTrouble::name) == report_.damaged.end()) report_.only_in_backup.push_back(f.name);
    }
  }

  const BackupRequest& r_;
  const BackupFolder target_;
  const Timestamp now_;
  const BackupProgress& progress_;
  BackupReport report_;
  std::uint64_t expected_ = 0, done_ = 0;
};

Result<BackupFolder> open_target(const fs::path& to, const std::string& data_dir) {
  auto target = read_backup_folder(to);
  if (!target) return target;
  if (auto done = check_target(*target, data_dir); !done) return done.error();
  if (!target->pending) return target;
  if (auto done = publish_backup(to, *target->manifest); !done) return done.error();  // a run that was cut off ends now
  return read_backup_folder(to);
}

}  // namespace

Result<BackupReport> back_up(const BackupRequest& request, Timestamp now, const BackupProgress& progress) {
  if (auto done = check_source(request.data_dir); !done) return done.error();
  if (auto done = make_target(request.to, request.data_dir); !done) return done.error();
  std::error_code failed;
  const auto data_dir = fs::canonical(request.data_dir, failed).string();
  if (failed) return Error{Errc::unavailable, fmt::format("{}: {}", request.data_dir.string(), failed.message())};
  const auto lock = FolderLock::take(request.to);
  if (!lock && lock.error().code == Errc::conflict)
    return Error{Errc::conflict, fmt::format("{}: another backup is being written here; wait for it", request.to.string())};
  if (!lock) return lock.error();
  auto target = open_target(request.to, data_dir);
  if (!target) return target.error();
  return Backup(request, std::move(*target), now, progress).run(data_dir);
}

}  // namespace ghm::sqlite
