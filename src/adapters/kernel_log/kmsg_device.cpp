#include "adapters/kernel_log/kmsg_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ghm::kernel_log {
namespace {

class OpenDevice final : public KmsgDevice {
 public:
  OpenDevice(int file, mode_t mode) : file_(file), is_device_(S_ISCHR(mode)), tells_(is_device_ || S_ISFIFO(mode)) {}
  OpenDevice(const OpenDevice&) = delete;
  OpenDevice& operator=(const OpenDevice&) = delete;
  ~OpenDevice() override { ::close(file_); }

  DeviceRead read(std::span<char> into) override {
    for (;;) {
      const auto n = ::read(file_, into.data(), into.size());
      if (n > 0) return {DeviceRead::What::bytes, static_cast<std::size_t>(n), 0};
      if (n == 0) return {};
      if (errno != EINTR) return trouble(errno);
    }
  }

  int ready_file() const override { return tells_ ? file_ : -1; }

 private:
  DeviceRead trouble(int error) const {
    if (error == EAGAIN || error == EWOULDBLOCK) return {};
    if (error == EPIPE) return {DeviceRead::What::overwritten, 0, error};
    if (error == EINVAL && is_device_) return {DeviceRead::What::too_big, 0, error};
    return {DeviceRead::What::failed, 0, error};
  }

  int file_;
  bool is_device_, tells_;
};

Error cannot_open(const std::filesystem::path& path, int error) {
  if (error == EPERM || error == EACCES)
    return {Errc::unauthorized,
            fmt::format("{}: {}: give the agent CAP_SYSLOG, or set kernel.dmesg_restrict to 0", path.string(), std::strerror(error))};
  return {Errc::unavailable, fmt::format("{}: {}", path.string(), std::strerror(error))};
}

}  // namespace

Result<std::unique_ptr<KmsgDevice>> open_kmsg(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return cannot_open(path, errno);
  struct stat status {};
  if (::fstat(file, &status) != 0 || S_ISDIR(status.st_mode)) {
    ::close(file);
    return Error{Errc::invalid_input, fmt::format("{}: expected a device, a pipe or a file", path.string())};
  }
  return std::make_unique<OpenDevice>(file, status.st_mode);
}

void RecordCutter::end_line(std::vector<std::string>& out) {
  const bool belongs_to_the_one_before = line_.starts_with(' ');  // " KEY=value": not kept
  if (!line_.empty() && !belongs_to_the_one_before) out.push_back(std::move(line_));
  line_.clear();
  dropping_ = false;
}

void RecordCutter::add(std::string_view bytes, std::vector<std::string>& out) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end);
    const auto room = kLongest - std::min(kLongest, line_.size());
    line_ += piece.substr(0, room);
    if (piece.size() > room && !dropping_) dropping_ = true, ++cut_;
    if (end == bytes.npos) break;
    end_line(out);
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace ghm::kernel_log
