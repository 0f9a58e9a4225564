#include "adapters/spool_folder/posix_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ghm::spool_folder {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<PosixFolder>> PosixFolder::open(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::create_directories(path.parent_path().empty() ? "." : path.parent_path(), failed);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{Errc::unavailable, fmt::format("spool {}: {}; choose another folder, or make it", path.string(), std::strerror(errno))};
  Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Descriptor lock(folder.ok() ? ::openat(folder.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1);
  if (!folder.ok() || !lock.ok())
    return Error{Errc::unavailable,
                 fmt::format("spool {}: {}; it must be a folder that this user can write", path.string(), std::strerror(errno))};
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return Error{Errc::conflict,
                 fmt::format("spool {}: another ghm-agent uses it; stop that one, or give this one a spool of its own", path.string())};
  return std::unique_ptr<PosixFolder>(new PosixFolder(path, folder.release(), lock.release()));
}

PosixFolder::~PosixFolder() {
  ::close(folder_);
  ::close(lock_);
}

// The spool may make room when there is none; for anything else that would not help.
Error PosixFolder::trouble(const std::string& name, const char* doing) const {
  const int why = errno;
  const auto code = why == ENOENT ? Errc::not_found : why == ENOSPC || why == EDQUOT ? Errc::unavailable : Errc::corrupt;
  return {code, fmt::format("spool {}: {} failed: {}", (path_ / name).string(), doing, std::strerror(why))};
}

Result<std::vector<std::string>> PosixFolder::list() const {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(path_, failed)) names.push_back(entry.path().filename().string());
  if (failed) return Error{Errc::unavailable, fmt::format("spool {}: {}", path_.string(), failed.message())};
  std::ranges::sort(names);
  return names;
}

Result<std::uint64_t> PosixFolder::size(const std::string& name) const {
  struct stat s {};
  if (::fstatat(folder_, name.c_str(), &s, 0) != 0) return trouble(name, "looking");
  return static_cast<std::uint64_t>(s.st_size);
}

Result<std::string> PosixFolder::read(const std::string& name, std::uint64_t at, std::size_t n) const {
  const Descriptor file(::openat(folder_, name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return trouble(name, "opening");
  std::string out(n, '\0');
  ssize_t got = 0;
  do got = ::pread(file.get(), out.data(), n, static_cast<off_t>(at));
  while (got < 0 && errno == EINTR);
  if (got < 0) return trouble(name, "reading");
  out.resize(static_cast<std::size_t>(got));
  return out;
}

Result<void> PosixFolder::append(const std::string& name, std::string_view bytes) {
  constexpr int kAppend = O_WRONLY | O_APPEND | O_CLOEXEC;
  int opened = ::openat(folder_, name.c_str(), kAppend);
  const bool is_new = opened < 0 && errno == ENOENT;
  if (is_new) opened = ::openat(folder_, name.c_str(), kAppend | O_CREAT, 0600);
  const Descriptor file(opened);
  if (!file.ok()) return trouble(name, "opening");
  if (!write_all(file.get(), bytes)) return trouble(name, "writing");
  if (::fdatasync(file.get()) != 0) return trouble(name, "syncing");
  if (is_new && ::fsync(folder_) != 0) return trouble(name, "syncing the folder of");
  return {};
}

Result<void> PosixFolder::overwrite(const std::string& name, std::string_view bytes) {
  const Descriptor file(::openat(folder_, name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file.ok()) return trouble(name, "opening");
  if (::pwrite(file.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return trouble(name, "writing");
  return {};
}

Result<void> PosixFolder::remove(const std::string& name) {
  if (::unlinkat(folder_, name.c_str(), 0) != 0 && errno != ENOENT) return trouble(name, "removing");
  return {};
}

}  // namespace ghm::spool_folder
