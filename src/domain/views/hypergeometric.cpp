#include "domain/views/hypergeometric.h"

#include <algorithm>
#include <cmath>

namespace ghm::views {

Hypergeometric::Hypergeometric(std::size_t most) : log_factorial_(most + 1) {
  for (std::size_t n = 1; n <= most; ++n) log_factorial_[n] = log_factorial_[n - 1] + std::log(static_cast<double>(n));
}

double Hypergeometric::at_least(std::size_t k, std::size_t group, std::size_t marked, std::size_t population) const {
  const auto most = std::min(group, marked);
  // Fewer than that cannot be in the group: there are not enough boards outside of it.
  const auto least = marked + group > population ? marked + group - population : 0;
  if (k <= least) return 1;
  if (k > most) return 0;
  double term = std::exp(log_choose(group, k) + log_choose(population - group, marked - k) - log_choose(population, marked));
  double sum = 0;
  for (std::size_t i = k; i <= most && term > 0; ++i) {
    sum += term;
    const auto up = static_cast<double>(group - i) * static_cast<double>(marked - i);
    const auto down = static_cast<double>(i + 1) * static_cast<double>(population + i + 1 - group - marked);
    term *= up / down;
  }
  return std::min(sum, 1.0);
}

}  // namespace ghm::views
