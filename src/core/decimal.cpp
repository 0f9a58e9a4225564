#include "core/decimal.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

namespace ghm {
namespace {

bool same_word(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(text[i])) != lower_case[i]) return false;
  return true;
}

// from_chars reads "inf" and "nan" too, and "nan(…)": only what starts like a number may reach it.
bool starts_like_decimal(std::string_view t) {
  return !t.empty() && (is_digit(t[0]) || (t.size() > 1 && t[0] == '.' && is_digit(t[1])));
}

bool is_hex_float(std::string_view t) {
  return t.size() > 3 && t[0] == '0' && (t[1] | 0x20) == 'x' && t.find_first_of("pP") != t.npos;
}

std::optional<double> magnitude(std::string_view t) {
  const bool hex = is_hex_float(t);
  const auto body = hex ? t.substr(2) : t;
  if (!hex && !starts_like_decimal(t)) return std::nullopt;
  if (hex && !(std::isxdigit(static_cast<unsigned char>(body[0])) || body[0] == '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] =
      std::from_chars(body.data(), body.data() + body.size(), value, hex ? std::chars_format::hex : std::chars_format::general);
  if (end != body.data() + body.size()) return std::nullopt;
  if (error == std::errc()) return value;
  if (error != std::errc::result_out_of_range) return std::nullopt;
  return std::strtod(std::string(t).c_str(), nullptr);  // knows whether it was too large or too small
}

}  // namespace

std::optional<double> parse_float(std::string_view token) {
  if (token.empty()) return std::nullopt;
  double plain = 0;
  const char* const end = token.data() + token.size();
  if (read_plain_decimal(token.data(), end, plain) == end) return plain;
  if (same_word(token, "nan")) return std::numeric_limits<double>::quiet_NaN();
  const bool negative = token.starts_with('-');
  if (negative || token.starts_with('+')) token.remove_prefix(1);
  if (same_word(token, "inf") || same_word(token, "infinity")) return negative ? -HUGE_VAL : HUGE_VAL;
  const auto value = magnitude(token);
  if (!value) return std::nullopt;
  return negative ? -*value : *value;
}

}  // namespace ghm
