#include "adapters/host_facts/sysfs_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace ghm::host_facts {
namespace {

using std::string_view;

string_view trimmed(string_view text) {
  constexpr string_view kBlank = " \t\r\n\v\f";
  const auto from = text.find_first_not_of(kBlank);
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

template <class Number>
std::optional<Number> number(string_view text) {
  Number n{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

string_view take_line(string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line;
}

bool is_version(string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789.") == word.npos && word.find('.') != word.npos;
}

int open_small(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

}  // namespace

std::optional<std::string> read_small(const std::filesystem::path& path, std::size_t most) {
  const int file = open_small(path);
  if (file < 0) return std::nullopt;
  std::string text(most, '\0');
  const auto size = ::read(file, text.data(), most);
  ::close(file);
  if (size < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> KeptFile::read(std::size_t most) {
  if (file_ < 0) file_ = open_small(path_);
  if (file_ < 0) return std::nullopt;
  std::string text(most, '\0');
  const auto size = ::pread(file_, text.data(), most, 0);
  if (size < 0) {
    close();
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(size));
  return text;
}

void KeptFile::close() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
}

std::optional<unsigned> pcie_generation(string_view speed) {
  constexpr std::array<string_view, 6> kRates = {"2.5", "5.0", "8.0", "16.0", "32.0", "64.0"};
  const auto rate = trimmed(speed.substr(0, speed.find(" GT/s")));
  for (std::size_t i = 0; i < kRates.size(); ++i)
    if (rate == kRates[i] || (kRates[i].ends_with(".0") && rate == kRates[i].substr(0, kRates[i].size() - 2)))
      return static_cast<unsigned>(i + 1);
  return std::nullopt;
}

std::optional<unsigned> pcie_lanes(string_view width) {
  constexpr std::array<unsigned, 7> kWidths = {1, 2, 4, 8, 12, 16, 32};
  const auto lanes = number<unsigned>(trimmed(width));
  return lanes && std::ranges::find(kWidths, *lanes) != kWidths.end() ? lanes : std::nullopt;
}

AerCounts read_aer(string_view text) {
  AerCounts out;
  while (!text.empty()) {
    const auto line = trimmed(take_line(text));
    const auto blank = line.rfind(' ');
    if (blank == line.npos) continue;
    const auto count = number<std::uint64_t>(line.substr(blank + 1));
    if (!count || *count == 0) continue;
    if (line.starts_with("TOTAL_")) out.total = *count;
    else out.by_name[std::string(trimmed(line.substr(0, blank)))] = *count;
  }
  return out;
}

std::string information_value(string_view text, string_view key) {
  while (!text.empty()) {
    const auto line = take_line(text);
    if (line.starts_with(key) && line.substr(key.size()).starts_with(':')) return std::string(trimmed(line.substr(key.size() + 1)));
  }
  return {};
}

std::string driver_version(string_view text) {
  auto line = take_line(text);
  const auto at = line.find("Kernel Module");
  if (at == line.npos) return {};
  line.remove_prefix(at);
  while (!line.empty()) {
    const auto word = line.substr(0, line.find(' '));
    if (is_version(word)) return std::string(word);
    line.remove_prefix(std::min(line.size(), word.size() + 1));
  }
  return {};
}

std::optional<std::int64_t> boot_seconds(string_view stat) {
  while (!stat.empty())
    if (const auto line = take_line(stat); line.starts_with("btime ")) return number<std::int64_t>(trimmed(line.substr(6)));
  return std::nullopt;
}

std::string dmi_value(string_view text) {
  constexpr std::array<string_view, 11> kFillers = {
      "to be filled by o.e.m.", "default string", "none",          "not specified", "n/a", "unknown",
      "system serial number",   "0123456789",     "not available", "invalid",       "oem"};
  const auto value = trimmed(text);
  std::string lower(value);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool same_character = lower.find_first_not_of(lower.empty() ? '0' : lower[0]) == std::string::npos;  // "0", "00000000", "........"
  if (same_character || std::ranges::find(kFillers, lower) != kFillers.end()) return {};
  return std::string(value);
}

}  // namespace ghm::host_facts
