#pragma once
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "adapters/kernel_log/kmsg_record.h"

namespace ghm::kernel_log {

/// The newest records of the kernel log, whatever they say: what stands around a fault explains it, and a reboot takes it.
/// Bounded: kMostLines records, kMostBytes of text, kLongestLine of one.
class KmsgTail {
 public:
  static constexpr std::size_t kMostLines = 200, kMostBytes = 64u << 10, kLongestLine = 1024;

  void add(const KmsgRecord& record);
  /// "SEQUENCE [SECONDS] <LEVEL> TEXT", the oldest first, printable ASCII; "by a process" behind the level where the kernel did not
  /// write it. `behind`: only those with a higher number. At most kMostBytes together, the newest of them.
  std::vector<std::string> lines(std::optional<std::uint64_t> behind = std::nullopt) const;
  std::optional<std::uint64_t> newest() const { return records_.empty() ? std::nullopt : std::optional(records_.back().seq); }

 private:
  std::deque<KmsgRecord> records_;
  std::size_t bytes_ = 0;
};

}  // namespace ghm::kernel_log
