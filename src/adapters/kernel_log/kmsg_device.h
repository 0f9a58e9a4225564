#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/kernel_log/kmsg_record.h"
#include "core/result.h"

namespace ghm::kernel_log {

/// What one read of the kernel log gave, in the device's own words.
struct DeviceRead {
  enum class What : std::uint8_t {
    bytes,        // one record from the device; any piece of the stream from a pipe or file
    drained,      // EAGAIN or end of file: nothing new
    overwritten,  // EPIPE: records were lost before they were read; the cursor has moved on
    too_big,      // EINVAL: a record larger than the buffer; the cursor has moved on
    failed,
  };
  What what = What::drained;
  std::size_t size = 0;
  int error = 0;  // of failed: errno
};

/// /dev/kmsg, or what stands for it in a test.
class KmsgDevice {
 public:
  virtual ~KmsgDevice() = default;
  /// Never blocks.
  virtual DeviceRead read(std::span<char> into) = 0;
  /// Its file, where poll(2) tells when there is more; -1: it must be read to know.
  virtual int ready_file() const { return -1; }
};

/// Opens the device, a pipe or a file, at its oldest record. unauthorized says which right is missing.
Result<std::unique_ptr<KmsgDevice>> open_kmsg(const std::filesystem::path& path);

/// Bytes cut into records: a line, with the lines after it that begin with a blank. The device gives whole records; a pipe
/// or file gives what has come. A line over kLongest bytes is kept up to there, and the rest of it dropped.
class RecordCutter {
 public:
  static constexpr std::size_t kLongest = 16 << 10;
  void add(std::string_view bytes, std::vector<std::string>& out);
  std::uint64_t cut_lines() const { return cut_; }

 private:
  void end_line(std::vector<std::string>& out);

  std::string line_;
  bool dropping_ = false;
  std::uint64_t cut_ = 0;
};

}  // namespace ghm::kernel_log
