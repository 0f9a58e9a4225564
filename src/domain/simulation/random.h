#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>

namespace ghm::simulation {

/// SplitMix64's finaliser: neighbouring numbers come out unrelated. Source: Steele et al., OOPSLA 2014.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ x >> 27) * 0x94D049BB133111EBull;
  return x ^ x >> 31;
}

/// One number from many: the same words give the same number, in any run and on any machine.
template <class... Words>
constexpr std::uint64_t hash_of(Words... words) {
  std::uint64_t h = 0;
  ((h = mix(h ^ static_cast<std::uint64_t>(words))), ...);
  return h;
}

/// 0 <= x < 1 from the upper 53 bits.
constexpr double unit(std::uint64_t h) {
  return static_cast<double>(h >> 11) * 0x1p-53;
}

/// A stream of random numbers of its own; the same seed gives the same stream.
class Random {
 public:
  explicit Random(std::uint64_t seed = 0) : state_(seed) {}
  std::uint64_t next() { return mix(state_ += 0xD1B54A32D192ED03ull); }
  double uniform() { return unit(next()); }
  double uniform(double lo, double hi) { return lo + (hi - lo) * uniform(); }
  /// Mean 0, standard deviation 1, never beyond ±2.45: sensor noise has no far tails. Cheaper than a normal.
  double noise() { return 2.449489742783178 * (uniform() + uniform() - 1); }
  double normal() { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::numbers::pi * uniform()); }
  double exponential(double mean) { return -mean * std::log(1 - uniform()); }
  double lognormal(double median, double sigma) { return median * std::exp(sigma * normal()); }
  /// Gamma of shape 1/2 and mean 1: the square of a normal. Few devices carry most events.
  double gamma_half() {
    const double z = normal();
    return z * z;
  }

 private:
  std::uint64_t state_;
};

}  // namespace ghm::simulation
