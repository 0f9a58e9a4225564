#pragma once
#include <cmath>

namespace ghm::telemetry {

/// canonical = printed * multiply / divide. Exporters print six decimals, and 0.57 * 100 is not 57 in binary; so such a
/// value is taken as the whole number of millionths that it is, which makes the conversion one rounding of the decimal.
struct Conversion {
  double multiply = 1, divide = 1;
  friend bool operator==(const Conversion&, const Conversion&) = default;
  bool changes_nothing() const { return multiply == 1 && divide == 1; }
  double operator()(double printed) const {
    constexpr double kMillion = 1e6, kExact = 9007199254740992.0;
    const double millionths = std::nearbyint(printed * kMillion);
    if (multiply > 1 && std::abs(millionths) < kExact && millionths / kMillion == printed)
      return millionths / (kMillion / multiply) / divide;
    return printed * multiply / divide;
  }
};

}  // namespace ghm::telemetry
