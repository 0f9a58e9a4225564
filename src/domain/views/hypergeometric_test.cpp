#include "domain/views/hypergeometric.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ghm::views {
namespace {

// By counting every way in whole numbers, in another order of sums than the code under test.
double by_counting(std::size_t k, std::size_t group, std::size_t marked, std::size_t population) {
  const auto choose = [](std::size_t n, std::size_t r) {
    if (r > n) return 0.0L;
    long double c = 1;
    for (std::size_t i = 1; i <= r; ++i) c = c * static_cast<long double>(n - r + i) / static_cast<long double>(i);
    return c;
  };
  long double ways = 0;
  for (std::size_t i = k; i <= std::min(group, marked); ++i)
    if (marked - i <= population - group) ways += choose(group, i) * choose(population - group, marked - i);
  return static_cast<double>(ways / choose(population, marked));
}

TEST(Hypergeometric, ReadsLikeTheDefinition) {
  const Hypergeometric chance(40);
  for (std::size_t population : {1, 7, 24, 40})
    for (std::size_t group = 0; group <= population; group += 3)
      for (std::size_t marked = 0; marked <= population; marked += 2)
        for (std::size_t k = 0; k <= std::min(group, marked); ++k)
          EXPECT_NEAR(chance.at_least(k, group, marked, population), by_counting(k, group, marked, population),
                      1e-9 * by_counting(k, group, marked, population) + 1e-15)
              << k << " of " << group << ", " << marked << " of " << population;
}

// R: phyper(8, 24, 488, 12, lower.tail = FALSE) with k - 1; the lady tasting tea: 1 / choose(8, 4).
TEST(Hypergeometric, KnowsTheTextbook) {
  const Hypergeometric chance(10'000);
  EXPECT_NEAR(chance.at_least(4, 4, 4, 8), 1.0 / 70, 1e-12);
  EXPECT_NEAR(chance.at_least(8, 8, 8, 10'000), by_counting(8, 8, 8, 10'000), 1e-9 * by_counting(8, 8, 8, 10'000));
  EXPECT_EQ(chance.at_least(0, 10, 10, 100), 1);
  EXPECT_EQ(chance.at_least(6, 5, 10, 100), 0) << "more than there are";
  EXPECT_EQ(chance.at_least(5, 10, 10, 10), 1) << "cannot be otherwise";
}

}  // namespace
}  // namespace ghm::views
