#include "apps/agent/snapshot_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ghm::agent {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kHead = "ghm-snapshots 1 ";
constexpr std::size_t kLongestName = 200;

std::string_view take_until(std::string_view& text, char end) {
  const auto at = text.find(end);
  const auto word = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return word;
}

/// A name as one line of the file can hold it.
std::string one_line(std::string text) {
  text.resize(std::min(text.size(), kLongestName));
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' '; }, '?');
  return text;
}

}  // namespace

SnapshotLimits::Verdict SnapshotLimits::ask(const std::string& name, std::string_view family, milliseconds since_boot) {
  std::erase_if(taken_, [&](const Taken& t) { return since_boot - t.at >= kOncePer; });
  const auto who = one_line(name);
  const auto known = [&](const Taken& t) { return t.family == family && t.who == who; };
  if (std::ranges::any_of(taken_, known)) return Verdict::known;
  if (taken_.size() >= kMostPer) return Verdict::too_many;
  taken_.push_back({since_boot, std::string(family), who});
  return Verdict::take;
}

std::string SnapshotLimits::to_text(const std::string& boot_id) const {
  auto out = fmt::format("{}{}\n", kHead, boot_id);
  for (const auto& t : taken_) out += fmt::format("{} {} {}\n", t.at.count(), t.family, t.who);
  return out;
}

SnapshotLimits SnapshotLimits::from_text(std::string_view text, std::string_view boot_id) {
  SnapshotLimits out;
  if (!text.starts_with(kHead)) return out;
  text.remove_prefix(kHead.size());
  if (boot_id.empty() || take_until(text, '\n') != boot_id) return out;
  while (!text.empty() && out.taken_.size() < kMostPer) {
    auto line = take_until(text, '\n');
    const auto number = take_until(line, ' '), family = take_until(line, ' ');
    std::int64_t at = 0;
    const auto [end, bad] = std::from_chars(number.data(), number.data() + number.size(), at);
    if (bad != std::errc() || end != number.data() + number.size() || at < 0 || family.empty() || line.empty()) continue;
    out.taken_.push_back({milliseconds(at), std::string(family.substr(0, kLongestName)), one_line(std::string(line))});
  }
  return out;
}

}  // namespace ghm::agent
