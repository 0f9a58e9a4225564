#include "domain/fleet/wilson_interval.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace ghm::fleet {

std::optional<ShareInterval> wilson_interval(std::size_t with, std::size_t of) {
  assert(with <= of);
  if (of == 0) return std::nullopt;
  constexpr double z = 1.959963984540054;  // of the normal distribution, two-sided 95 %
  const auto n = static_cast<double>(of);
  const double p = static_cast<double>(with) / n, zz = z * z / n;
  const double middle = (p + zz / 2) / (1 + zz);
  const double half = z / (1 + zz) * std::sqrt(p * (1 - p) / n + zz / (4 * n));
  // At 0 and 1 the ends are exact; rounding must not push them past the share.
  return ShareInterval{p, with == 0 ? 0 : std::clamp(middle - half, 0.0, p), with == of ? 1 : std::clamp(middle + half, p, 1.0)};
}

}  // namespace ghm::fleet
