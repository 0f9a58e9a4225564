#include "adapters/kernel_log/kmsg_tail.h"

#include <fmt/format.h>

#include <algorithm>

namespace ghm::kernel_log {
namespace {

std::string line_of(const KmsgRecord& r) {
  const auto us = r.at.count();
  const std::string_view text = r.text;
  return fmt::format("{} [{}.{:06}] <{}>{} {}{}", r.seq, us / 1'000'000, us % 1'000'000, r.level, r.facility == 0 ? "" : " by a process",
                     printable(text.substr(0, KmsgTail::kLongestLine), 4 * KmsgTail::kLongestLine),
                     text.size() > KmsgTail::kLongestLine ? " [cut]" : "");
}

}  // namespace

void KmsgTail::add(const KmsgRecord& record) {
  records_.push_back(record);
  auto& text = records_.back().text;
  // One byte more than is shown, so that the line can say that it is cut.
  if (text.size() > kLongestLine) text.resize(kLongestLine + 1), text.shrink_to_fit();
  bytes_ += text.size();
  while (records_.size() > kMostLines || bytes_ > kMostBytes) {
    bytes_ -= records_.front().text.size();
    records_.pop_front();
  }
}

std::vector<std::string> KmsgTail::lines(std::optional<std::uint64_t> behind) const {
  std::vector<std::string> out;
  std::size_t size = 0;
  for (auto r = records_.rbegin(); r != records_.rend(); ++r) {
    if (behind && r->seq <= *behind) break;
    auto line = line_of(*r);
    size += line.size() + 1;
    if (size > kMostBytes) break;
    out.push_back(std::move(line));
  }
  std::ranges::reverse(out);
  return out;
}

}  // namespace ghm::kernel_log
