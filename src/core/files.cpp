#include "core/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace ghm {
namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& path, std::size_t limit) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) return Error{Errc::not_found, fmt::format("{}: no such file", path.string())};
  if (fs::is_directory(status)) return Error{Errc::invalid_input, fmt::format("{}: is a folder, expected a file", path.string())};
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{Errc::unavailable, fmt::format("{}: {}", path.string(), std::strerror(errno))};
  std::string bytes;
  char block[1 << 16];
  while (in.read(block, sizeof block) || in.gcount() > 0) {
    bytes.append(block, static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > limit) return Error{Errc::invalid_input, fmt::format("{}: larger than {} bytes", path.string(), limit)};
  }
  return bytes;
}

Result<void> write_file_atomically(const fs::path& path, std::string_view bytes, unsigned mode) {
  const fs::path draft = path.string() + ".tmp";
  const auto failed = [&] { return Error{Errc::unavailable, fmt::format("{}: {}", path.string(), std::strerror(errno))}; };
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (file < 0) return failed();
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto n = ::write(file, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno != EINTR) break;
    done += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  const bool written = done == bytes.size() && ::fchmod(file, mode) == 0 && ::fsync(file) == 0;
  ::close(file);
  if (!written || ::rename(draft.c_str(), path.c_str()) != 0) {
    const Error error = failed();
    ::unlink(draft.c_str());
    return error;
  }
  // The rename itself is durable only once the folder is.
  const int folder = ::open(path.has_parent_path() ? path.parent_path().c_str() : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
  return {};
}

}  // namespace ghm
