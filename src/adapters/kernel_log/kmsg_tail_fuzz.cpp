// Any bytes from the kernel log's device: what is kept of them is bounded and safe to show.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "adapters/kernel_log/kmsg_device.h"
#include "adapters/kernel_log/kmsg_tail.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm::kernel_log;
  RecordCutter cutter;
  KmsgTail tail;
  std::vector<std::string> records;
  cutter.add({reinterpret_cast<const char*>(data), size}, records);
  for (const auto& r : records)
    if (const auto record = parse_kmsg_record(r)) tail.add(*record);
  std::size_t bytes = 0;
  const auto lines = tail.lines();
  for (const auto& l : lines) {
    bytes += l.size() + 1;
    for (const char c : l)
      if (c < ' ' || c > '~') std::abort();
  }
  if (lines.size() > KmsgTail::kMostLines || bytes > KmsgTail::kMostBytes) std::abort();
  return 0;
}
