#include "adapters/kernel_log/kmsg_record.h"

#include <fmt/format.h>

#include <charconv>

namespace ghm::kernel_log {
namespace {

constexpr std::int64_t kMostMicroseconds = 100'000'000'000'000'000;  // 3,000 years: more is damage

template <class Number>
bool take_number(std::string_view& text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_comma(std::string_view& text) {
  if (!text.starts_with(',')) return false;
  text.remove_prefix(1);
  return true;
}

// Kernels since 6.x print '-' for whole records and 'c' for fragments; '+' was printed until 4.x. Unknown flags mean whole.
Fragment fragment_of(std::string_view flags) {
  if (flags.starts_with('c')) return Fragment::start;
  if (flags.starts_with('+')) return Fragment::continuation;
  return Fragment::whole;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string undo_escapes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped =
        text[i] == '\\' && i + 3 < text.size() && text[i + 1] == 'x' && hex_digit(text[i + 2]) >= 0 && hex_digit(text[i + 3]) >= 0;
    out += escaped ? static_cast<char>(hex_digit(text[i + 2]) * 16 + hex_digit(text[i + 3])) : text[i];
    if (escaped) i += 3;
  }
  return out;
}

std::string printable(std::string_view bytes, std::size_t most) {
  constexpr std::size_t kEscaped = 4;
  std::string out;
  std::size_t i = 0;
  for (; i < bytes.size() && out.size() < most; ++i) {
    const char c = bytes[i];
    const bool plain = c >= ' ' && c <= '~' && c != '\\';
    if (!plain && out.size() + kEscaped > most) break;
    if (plain) out += c;
    else out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  if (i < bytes.size()) out += fmt::format(" [and {} bytes more]", bytes.size() - i);
  return out;
}

Result<KmsgRecord> parse_kmsg_record(std::string_view record) {
  KmsgRecord out;
  const auto head_end = record.find(';');
  std::string_view head = record.substr(0, head_end == record.npos ? 0 : head_end);
  unsigned priority = 0;
  std::int64_t microseconds = 0;
  const bool fits = take_number(head, priority) && take_comma(head) && take_number(head, out.seq) && take_comma(head) &&
                    take_number(head, microseconds) && take_comma(head) && microseconds >= 0 && microseconds < kMostMicroseconds;
  if (!fits)
    return Error{Errc::invalid_input,
                 fmt::format("kernel log record '{}': expected 'priority,sequence,microseconds,flags;text'", printable(record, 80))};
  out.level = priority & 7;
  out.facility = priority >> 3;
  out.at = std::chrono::microseconds(microseconds);
  out.fragment = fragment_of(head);
  const auto text = record.substr(head_end + 1);
  out.text = undo_escapes(text.substr(0, text.find('\n')));
  return out;
}

}  // namespace ghm::kernel_log
