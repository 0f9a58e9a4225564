#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

/// Exact reading of the numbers on a page. An exporter prints `%d` and `%f`, so nearly every value is a short decimal
/// whose digits fit a double's 53 bits; then digits / 10^k is one correctly rounded division, the same double that
/// strtod gives. Source: W. D. Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990. The rest is left to
/// the library.
namespace ghm {

inline constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                          1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};

inline bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

/// Digits from `p` on into `n`; returns where they end. The caller checks that they were at most 19, which fit 64 bits.
inline const char* read_digits(const char* p, const char* end, std::uint64_t& n) {
  n = 0;
  for (; p != end && is_digit(*p); ++p) n = n * 10 + static_cast<unsigned char>(*p - '0');
  return p;
}

/// Reads `-12.5` at `p`; returns where it ends, or nullptr when the text is no plain decimal of at most 19 digits or
/// would not be exact this way (then parse_float knows more). Does not look at what follows the number.
inline const char* read_plain_decimal(const char* p, const char* end, double& out) {
  constexpr std::uint64_t kExact = 1ull << 53;
  const bool negative = p != end && *p == '-';
  if (negative) ++p;
  std::uint64_t whole, fraction;
  const char* q = read_digits(p, end, whole);
  const auto digits = q - p;
  if (digits == 0 || digits > 19) return nullptr;
  double value = static_cast<double>(whole);
  if (q != end && *q == '.') {
    const char* f = q + 1;
    q = read_digits(f, end, fraction);
    const auto places = q - f;
    if (places == 0 || places > 19) return nullptr;
    if (fraction != 0) {
      if (digits + places > 19) return nullptr;
      const auto scale = static_cast<std::uint64_t>(kPowersOfTen[places]);
      const std::uint64_t mantissa = whole * scale + fraction;
      if (mantissa > kExact) return nullptr;
      value = static_cast<double>(mantissa) / kPowersOfTen[places];
    }
  }
  out = negative ? -value : value;
  return q;
}

/// The whole of `token` as a number in the full grammar of the text format (Go's ParseFloat: NaN, +Inf, 4.2e+01,
/// 0x1p-2), or nullopt. The same double as strtod for every decimal; too large becomes infinity.
std::optional<double> parse_float(std::string_view token);

}  // namespace ghm
