#pragma once
#include <optional>
#include <variant>

#include "adapters/kernel_log/kmsg_device.h"
#include "adapters/kernel_log/kmsg_tail.h"

namespace ghm::kernel_log {

/// Records that were overwritten before anybody read them; an Xid may have been among them.
struct LogGap {
  std::uint64_t missing = 0;
  std::uint64_t before_seq = 0;    // the first record after the gap
  std::chrono::microseconds at{};  // its monotonic time
};
using LogItem = std::variant<KmsgRecord, LogGap>;

/// The log in order of its sequence numbers. Numbers already seen (by this reader, or by the one before it in the same
/// boot) are passed over; a jump is a gap, also one that happened while nobody read.
class KmsgReader {
 public:
  /// last_seq: the newest record of this boot that was dealt with before.
  KmsgReader(std::unique_ptr<KmsgDevice> device, std::optional<std::uint64_t> last_seq);

  /// What is there, at most about `most` records; true when there may be more. unavailable: open the device again.
  Result<bool> drain(std::size_t most, std::vector<LogItem>& out);

  std::optional<std::uint64_t> last_seq() const { return last_seq_; }
  int ready_file() const { return device_->ready_file(); }
  struct Counts {
    std::uint64_t records = 0, malformed = 0, too_big = 0, overwritten = 0;
    std::string last_malformed;  // the complaint
  };
  const Counts& counts() const { return counts_; }
  /// The newest of all that the device gave, those already seen too.
  const KmsgTail& tail() const { return tail_; }
  std::uint64_t cut_lines() const { return cutter_.cut_lines(); }

 private:
  void take(const std::string& record, std::vector<LogItem>& out);

  std::unique_ptr<KmsgDevice> device_;
  std::optional<std::uint64_t> last_seq_;
  RecordCutter cutter_;
  std::vector<std::string> cut_;
  KmsgTail tail_;
  Counts counts_;
};

}  // namespace ghm::kernel_log
