#pragma once
#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// A machine whose power fails: an SQLite VFS that remembers what was synced. At the cut every file goes back to its last
/// synced bytes plus any subset of the 4 kB (or 512 byte) pieces written since, and every name in the folder to what it was
/// at the folder's last sync or is now. Folders are synced when SQLite's own VFS does: with the first sync of a journal or
/// log by each connection, and with deletions that ask for it.
namespace ghm::sqlite {

class Machine {
 public:
  explicit Machine(std::filesystem::path folder) : folder_(std::move(folder)), below_(sqlite3_vfs_find(nullptr)) {
    vfs_ = *below_;
    vfs_.zName = "machine";
    vfs_.pAppData = this;
    vfs_.pNext = nullptr;
    vfs_.szOsFile = static_cast<int>(sizeof(OpenFile)) + below_->szOsFile;
    vfs_.xOpen = [](sqlite3_vfs* v, const char* name, sqlite3_file* f, int flags, int* out) { return of(v).open(name, f, flags, out); };
    vfs_.xDelete = [](sqlite3_vfs* v, const char* name, int sync) { return of(v).remove(name, sync != 0); };
    sqlite3_vfs_register(&vfs_, 1);
    boot();
  }
  ~Machine() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(below_, 1);
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// The power fails with the n-th change to a file or the folder from now.
  void cut_after(std::uint64_t n) { left_ = n; }
  bool dead() const { return dead_; }
  std::uint64_t cuts_within_a_sync() const { return cuts_within_a_sync_; }

  /// Whoever had files open has closed them. The disk holds what a disk may hold after that; the power is back.
  void reboot(std::mt19937_64& random) {
    std::set<std::string> names;
    for (const auto* entries : {&live_, &durable_})
      for (const auto& [name, inode] : *entries) names.insert(name);
    const int mood = static_cast<int>(random() % 4);  // nothing of what was not synced, all of it, some pages, some sectors
    for (const auto& name : names) {
      const auto& entries = random() % 2 == 0 ? live_ : durable_;
      const auto found = entries.find(name);
      std::filesystem::remove(name);
      if (found != entries.end()) std::ofstream(name, std::ios::binary) << image(*found->second, mood, random);
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      if (entry.path().string().ends_with("-shm")) std::filesystem::remove(entry.path());
    boot();
  }

 private:
  struct Change {
    std::size_t at = 0;  // of a write; the new size of a truncation
    std::string bytes;
    bool truncates = false;
  };
  struct Inode {
    std::string durable;
    std::vector<Change> pending;
  };
  using Entries = std::map<std::string, std::shared_ptr<Inode>>;
  struct OpenFile {
    sqlite3_file base;
    Machine* machine;
    Inode* inode;  // alive as long as the machine; none for SQLite's own scratch files
    bool syncs_folder;
    sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static Machine& of(sqlite3_vfs* v) { return *static_cast<Machine*>(v->pAppData); }
  static OpenFile& of(sqlite3_file* f) { return *reinterpret_cast<OpenFile*>(f); }

  void boot() {
    live_.clear();
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      std::ifstream in(entry.path(), std::ios::binary);
      auto inode = make();
      inode->durable.assign(std::istreambuf_iterator<char>(in), {});
      live_[entry.path().string()] = std::move(inode);
    }
    durable_ = live_;
    dead_ = false;
    left_ = ~0ull;
  }
  std::shared_ptr<Inode> make() {
    inodes_.push_back(std::make_shared<Inode>());
    return inodes_.back();
  }

  /// False: the power has failed, with this change or before.
  bool powered() {
    if (!dead_ && --left_ == 0) dead_ = true;
    return !dead_;
  }

  static void apply(std::string& bytes, const Change& c) {
    if (c.truncates) return bytes.resize(c.at);
    if (bytes.size() < c.at + c.bytes.size()) bytes.resize(c.at + c.bytes.size());
    std::memcpy(bytes.data() + c.at, c.bytes.data(), c.bytes.size());
  }
  static std::string image(const Inode& inode, int mood, std::mt19937_64& random) {
    auto bytes = inode.durable;
    const std::size_t piece = mood == 3 ? 512 : 4096;
    for (const auto& c : inode.pending) {
      if (mood == 0) break;
      if (mood == 1 || c.truncates) {
        if (mood == 1 || random() % 2 == 0) apply(bytes, c);
        continue;
      }
      for (std::size_t from = 0; from < c.bytes.size();) {  // pieces end where the disk's do
        const auto to = std::min(c.bytes.size(), ((c.at + from) / piece + 1) * piece - c.at);
        if (random() % 2 == 0) apply(bytes, {c.at + from, c.bytes.substr(from, to - from), false});
        from = to;
      }
    }
    return bytes;
  }

  int open(const char* name, sqlite3_file* f, int flags, int* out) {
    auto& file = of(f);
    file = {{nullptr}, this, nullptr, false};
    const std::string path = name != nullptr ? name : "";
    const bool is_new = !path.empty() && !live_.contains(path);
    if (is_new && (flags & SQLITE_OPEN_CREATE) != 0 && !powered()) return SQLITE_CANTOPEN;
    const int code = below_->xOpen(below_, name, file.below(), flags, out);
    if (code != SQLITE_OK) return code;
    f->pMethods = &methods();
    if (path.empty()) return code;
    auto& inode = live_[path];
    if (is_new) inode = make();
    file.syncs_folder =
        (flags & SQLITE_OPEN_CREATE) != 0 && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0;
    file.inode = inode.get();
    return code;
  }

  int remove(const char* name, bool sync) {
    if (!live_.contains(name)) return below_->xDelete(below_, name, 0);
    if (!powered()) return SQLITE_IOERR_DELETE;
    const int code = below_->xDelete(below_, name, 0);
    live_.erase(name);
    if (sync) durable_ = live_;
    return code;
  }

  static int write(sqlite3_file* f, const void* bytes, int n, sqlite3_int64 at) {
    auto& file = of(f);
    if (file.machine->dead_) return SQLITE_IOERR_WRITE;
    if (file.inode != nullptr)
      file.inode->pending.push_back({static_cast<std::size_t>(at), {static_cast<const char*>(bytes), static_cast<std::size_t>(n)}, false});
    const int code = file.below()->pMethods->xWrite(file.below(), bytes, n, at);
    return file.inode == nullptr || file.machine->powered() ? code : SQLITE_IOERR_WRITE;
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    auto& file = of(f);
    if (file.machine->dead_) return SQLITE_IOERR_TRUNCATE;
    if (file.inode != nullptr) file.inode->pending.push_back({static_cast<std::size_t>(size), {}, true});
    const int code = file.below()->pMethods->xTruncate(file.below(), size);
    return file.inode == nullptr || file.machine->powered() ? code : SQLITE_IOERR_TRUNCATE;
  }
  static int sync(sqlite3_file* f, int) {
    auto& file = of(f);
    auto& machine = *file.machine;
    if (file.inode == nullptr) return SQLITE_OK;
    const bool was_dead = machine.dead_;
    if (!machine.powered()) {
      machine.cuts_within_a_sync_ += was_dead ? 0 : 1;
      return SQLITE_IOERR_FSYNC;
    }
    for (const auto& c : file.inode->pending) apply(file.inode->durable, c);
    file.inode->pending.clear();
    if (std::exchange(file.syncs_folder, false)) machine.durable_ = machine.live_;
    return SQLITE_OK;
  }

  // Everything that changes nothing goes straight through.
  static const sqlite3_io_methods& methods() {
    static const sqlite3_io_methods all = [] {
      sqlite3_io_methods m{};
      m.iVersion = 2;
      m.xClose = [](sqlite3_file* f) { return of(f).below()->pMethods->xClose(of(f).below()); };
      m.xRead = [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) { return of(f).below()->pMethods->xRead(of(f).below(), to, n, at); };
      m.xWrite = write;
      m.xTruncate = truncate;
      m.xSync = sync;
      m.xFileSize = [](sqlite3_file* f, sqlite3_int64* n) { return of(f).below()->pMethods->xFileSize(of(f).below(), n); };
      m.xLock = [](sqlite3_file* f, int level) { return of(f).below()->pMethods->xLock(of(f).below(), level); };
      m.xUnlock = [](sqlite3_file* f, int level) { return of(f).below()->pMethods->xUnlock(of(f).below(), level); };
      m.xCheckReservedLock = [](sqlite3_file* f, int* out) { return of(f).below()->pMethods->xCheckReservedLock(of(f).below(), out); };
      m.xFileControl = [](sqlite3_file* f, int op, void* arg) { return of(f).below()->pMethods->xFileControl(of(f).below(), op, arg); };
      m.xSectorSize = [](sqlite3_file* f) { return of(f).below()->pMethods->xSectorSize(of(f).below()); };
      m.xDeviceCharacteristics = [](sqlite3_file* f) { return of(f).below()->pMethods->xDeviceCharacteristics(of(f).below()); };
      m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
        return of(f).below()->pMethods->xShmMap(of(f).below(), page, size, extend, out);
      };
      m.xShmLock = [](sqlite3_file* f, int at, int n, int flags) { return of(f).below()->pMethods->xShmLock(of(f).below(), at, n, flags); };
      m.xShmBarrier = [](sqlite3_file* f) { of(f).below()->pMethods->xShmBarrier(of(f).below()); };
      m.xShmUnmap = [](sqlite3_file* f, int del) { return of(f).below()->pMethods->xShmUnmap(of(f).below(), del); };
      return m;
    }();
    return all;
  }

  const std::filesystem::path folder_;
  sqlite3_vfs* const below_;
  sqlite3_vfs vfs_{};
  std::vector<std::shared_ptr<Inode>> inodes_;  // all there ever were: an open file outlives its name
  Entries live_, durable_;
  bool dead_ = false;
  std::uint64_t left_ = ~0ull, cuts_within_a_sync_ = 0;
};

}  // namespace ghm::sqlite
