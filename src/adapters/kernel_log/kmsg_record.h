#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace ghm::kernel_log {

/// Where a record stands between its neighbours: whole, or a piece of a line that the kernel printed in fragments.
enum class Fragment : char { whole = '-', start = 'c', continuation = '+' };

/// One record of /dev/kmsg: "prio,seq,microseconds,flags[,...];text\n", then " KEY=value" lines, which are not kept.
struct KmsgRecord {
  unsigned level = 0;              // 0 emergency .. 7 debug
  unsigned facility = 0;           // 0: the kernel itself; anything else was written by a process
  std::uint64_t seq = 0;           // counts from 0 at boot
  std::chrono::microseconds at{};  // monotonic clock, which starts at boot and stops in suspend
  Fragment fragment = Fragment::whole;
  std::string text;  // escapes undone, so it may hold any byte
};

/// Reads one record. invalid_input for anything that lacks the head or its numbers.
/// Source of the format: kernel documentation, ABI/testing/dev-kmsg. O(size).
Result<KmsgRecord> parse_kmsg_record(std::string_view record);

/// "\x0a" back to the byte it stands for; a backslash that begins no such form stays as it is.
std::string undo_escapes(std::string_view text);

/// The other way: printable ASCII as it is, every other byte and the backslash as \xNN, so that evidence is safe to show. At
/// most `most` bytes, and then a short note of how many bytes of the input are missing.
std::string printable(std::string_view bytes, std::size_t most);

}  // namespace ghm::kernel_log
