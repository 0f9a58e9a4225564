#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>

/// Exact decimals. What an exporter prints is a short decimal, so the double read from it is mantissa / 10^scale: one
/// division of two exactly represented numbers is rounded as the text was, so the pair gives the double back bit for bit.
/// Nothing is assumed: every conversion is checked, and what does not come back exactly (also -0.0, NaN, infinity) is kept raw.
namespace ghm::exact {

inline constexpr int kMostScale = 9;
inline constexpr double kPowersOfTen[kMostScale + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
inline constexpr double kMantissaEnd = 9007199254740992.0;  // 2^53: below it integers are exact doubles

inline bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

/// scale: 0..kMostScale.
inline double from_mantissa(std::int64_t mantissa, int scale) {
  return static_cast<double>(mantissa) / kPowersOfTen[scale];
}

/// The m with m / 10^scale == value, bit for bit; nullopt when there is none. |m| <= 2^53.
inline std::optional<std::int64_t> to_mantissa(double value, int scale) {
  const double scaled = value * kPowersOfTen[scale];
  if (!(std::fabs(scaled) < kMantissaEnd)) return std::nullopt;
  const auto mantissa = static_cast<std::int64_t>(scaled + std::copysign(0.5, scaled));
  if (!same_bits(from_mantissa(mantissa, scale), value)) return std::nullopt;
  return mantissa;
}

/// The smallest scale from `least` on at which `value` is exact.
inline std::optional<int> find_scale(double value, int least = 0) {
  for (int scale = least; scale <= kMostScale; ++scale)
    if (to_mantissa(value, scale)) return scale;
  return std::nullopt;
}

}  // namespace ghm::exact
