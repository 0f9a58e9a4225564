#include "adapters/kernel_log/kmsg_reader.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace ghm::kernel_log {

KmsgReader::KmsgReader(std::unique_ptr<KmsgDevice> device, std::optional<std::uint64_t> last_seq)
    : device_(std::move(device)), last_seq_(last_seq) {}

void KmsgReader::take(const std::string& text, std::vector<LogItem>& out) {
  auto record = parse_kmsg_record(text);
  if (!record) {
    ++counts_.malformed;
    counts_.last_malformed = record.error().what;
    return;
  }
  tail_.add(*record);
  if (last_seq_ && record->seq <= *last_seq_) return;
  ++counts_.records;
  // Without a number from before nothing is known to be missing: the log begins where it begins.
  if (last_seq_ && record->seq > *last_seq_ + 1)
    out.emplace_back(std::in_place_type<LogGap>, LogGap{record->seq - *last_seq_ - 1, record->seq, record->at});
  last_seq_ = record->seq;
  out.emplace_back(std::in_place_type<KmsgRecord>, std::move(*record));
}

Result<bool> KmsgReader::drain(std::size_t most, std::vector<LogItem>& out) {
  using What = DeviceRead::What;
  std::array<char, RecordCutter::kLongest> block;  // the device refuses to give a record in pieces
  for (std::size_t reads = 0; reads < most; ++reads) {
    const auto got = device_->read(block);
    if (got.what == What::drained) return false;
    if (got.what == What::failed)
      return Error{Errc::unavailable, fmt::format("the kernel log cannot be read: {}", std::strerror(got.error))};
    counts_.overwritten += got.what == What::overwritten;
    counts_.too_big += got.what == What::too_big;
    if (got.what != What::bytes) continue;
    cut_.clear();
    cutter_.add({block.data(), got.size}, cut_);
    for (const auto& record : cut_) take(record, out);
  }
  return true;
}

}  // namespace ghm::kernel_log
