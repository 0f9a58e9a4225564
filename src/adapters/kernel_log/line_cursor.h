#pragma once
#include <charconv>
#include <optional>
#include <string_view>

namespace ghm::kernel_log {

/// Reads a line from left to right; every step says whether it fitted and moves only if it did.
class LineCursor {
 public:
  explicit LineCursor(std::string_view text) : left_(text) {}

  std::string_view left() const { return left_; }
  bool at_end() const { return left_.empty(); }

  bool word(std::string_view expected) {
    if (!left_.starts_with(expected)) return false;
    left_.remove_prefix(expected.size());
    return true;
  }
  void blanks() {
    while (left_.starts_with(' ') || left_.starts_with('\t')) left_.remove_prefix(1);
  }
  /// Moves behind the first `expected`, wherever it stands.
  bool behind(std::string_view expected) {
    const auto at = left_.find(expected);
    if (at == left_.npos) return false;
    left_.remove_prefix(at + expected.size());
    return true;
  }
  template <class Number = unsigned>
  std::optional<Number> number(int base = 10) {
    Number n{};
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), n, base);
    if (error != std::errc()) return std::nullopt;
    left_.remove_prefix(static_cast<std::size_t>(end - left_.data()));
    return n;
  }
  /// "0x0409a0c2"
  std::optional<std::uint32_t> hex_word() {
    LineCursor ahead = *this;
    if (!ahead.word("0x")) return std::nullopt;
    const auto n = ahead.number<std::uint32_t>(16);
    if (n) *this = ahead;
    return n;
  }
  /// Everything before the first of `any_of`, or the rest.
  std::string_view until(std::string_view any_of) {
    const auto taken = left_.substr(0, left_.find_first_of(any_of));
    left_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view left_;
};

}  // namespace ghm::kernel_log
