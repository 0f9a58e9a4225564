#pragma once
#include <cstddef>
#include <vector>

namespace ghm::views {

/// How likely it is that so many of a group are marked by chance alone: the upper tail of the hypergeometric distribution, which
/// is Fisher's exact test, one-sided. No approximation: small groups are what it is for.
/// Source: R. A. Fisher, "The Logic of Inductive Inference", J. Roy. Stat. Soc. 98 (1935).
class Hypergeometric {
 public:
  /// For populations of up to `most`. O(most) time and memory.
  explicit Hypergeometric(std::size_t most);

  /// P(X >= k) where X is how many of `group` boards are marked when `marked` of `population` are, at random.
  /// k, group, marked <= population <= most. 1 for k = 0. O(min(group, marked) - k), relative error under 1e-9.
  double at_least(std::size_t k, std::size_t group, std::size_t marked, std::size_t population) const;

 private:
  double log_choose(std::size_t n, std::size_t k) const { return log_factorial_[n] - log_factorial_[k] - log_factorial_[n - k]; }
  std::vector<double> log_factorial_;
};

}  // namespace ghm::views
