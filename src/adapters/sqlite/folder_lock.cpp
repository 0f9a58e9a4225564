#include "adapters/sqlite/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/files.h"

namespace ghm::sqlite {
namespace {

std::string holder(const std::filesystem::path& file) {
  auto pid = read_file(file, 64);
  if (!pid || pid->empty()) return "another process";
  return "process " + pid->substr(0, pid->find('\n'));
}

bool write_pid(int file) {
  const auto text = fmt::format("{}\n", ::getpid());
  return ::ftruncate(file, 0) == 0 && ::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
  const auto path = folder / "ghm.lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0)
    return Error{Errc::unavailable, fmt::format("{}: {}; look at the folder's owner and permissions", path.string(), std::strerror(errno))};
  FolderLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0)
    return Error{Errc::conflict,
                 fmt::format("{}: the data folder is in use by {}; stop it, or choose another data_dir", folder.string(), holder(path))};
  if (!write_pid(file)) return Error{Errc::unavailable, fmt::format("{}: {}", path.string(), std::strerror(errno))};
  return lock;
}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

}  // namespace ghm::sqlite
