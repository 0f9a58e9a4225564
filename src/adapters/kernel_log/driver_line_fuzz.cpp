// Any bytes as the kernel log: cut, parsed, read and turned into events. Refusing is fine, crashing or unbounded text is not.
#include <cstdlib>

#include "adapters/kernel_log/driver_log.h"
#include "adapters/kernel_log/kmsg_device.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  kernel_log::RecordCutter cutter;
  std::vector<std::string> records;
  cutter.add(bytes, records);
  kernel_log::DriverLog log("boot");
  std::vector<transport::AgentEvent> events;
  std::chrono::microseconds now{};
  for (const auto& text : records) {
    (void)kernel_log::read_driver_line(text);
    const auto record = kernel_log::parse_kmsg_record(text);
    if (!record) continue;
    now = std::max(now, record->at);
    log.add(*record, Timestamp{}, events);
    if (kernel_log::undo_escapes(kernel_log::printable(record->text, record->text.size() * 4)) != record->text) std::abort();
  }
  log.flush(std::chrono::microseconds::max() / 2, events);
  for (const auto& e : events)
    if (e.text.size() > transport::kLongestEventText || e.kind.empty()) std::abort();
  return 0;
}
