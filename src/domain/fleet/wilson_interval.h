#pragma once
#include <cstddef>
#include <optional>

namespace ghm::fleet {

/// A share that was counted, and how far the true one may lie: the 95 % score interval, 0 <= low <= share <= high <= 1.
struct ShareInterval {
  double share = 0, low = 0, high = 0;
};

/// Of `of` trials `with` had it; nullopt for no trials. Holds for few trials and for shares near 0 and 1, where the usual normal
/// interval does not; it takes trials for independent. with <= of. O(1).
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), 209-212.
std::optional<ShareInterval> wilson_interval(std::size_t with, std::size_t of);

}  // namespace ghm::fleet
