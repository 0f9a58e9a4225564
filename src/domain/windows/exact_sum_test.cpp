// The exact sum against whole-number arithmetic and the C library's correctly rounded reading of decimals.
#include "domain/windows/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <random>
#include <string>

#include "domain/windows/decimal.h"

namespace ghm::windows {
namespace {

/// units * 10^-9 as text, read by strtod, which rounds once.
double read_back(Int128 units) {
  const bool negative = units < 0;
  if (negative) units = -units;
  std::string digits;
  for (; units > 0 || digits.size() <= 9; units /= 10) digits += static_cast<char>('0' + static_cast<int>(units % 10));
  digits.insert(9, ".");
  std::ranges::reverse(digits);
  return std::strtod(((negative ? "-" : "") + digits).c_str(), nullptr);
}

struct Decimal {
  std::int64_t mantissa;
  int scale;
  double value() const { return std::strtod((std::to_string(mantissa) + "e-" + std::to_string(scale)).c_str(), nullptr); }
  Int128 units() const {
    Int128 u = mantissa;
    for (int s = scale; s < 9; ++s) u *= 10;
    return u;
  }
};

Decimal random_decimal(std::mt19937_64& random) {
  const int bits = static_cast<int>(random() % 48) + 1;
  const auto mantissa = static_cast<std::int64_t>(random() % (std::uint64_t{1} << bits));
  return {random() % 2 == 0 ? mantissa : -mantissa, static_cast<int>(random() % 7)};
}

TEST(ExactSum, OfDecimalsIsTheDecimalSumRoundedOnce) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    ExactSum sum;
    Int128 units = 0;
    int scale = static_cast<int>(random() % 10);
    for (auto n = random() % 50; n > 0; --n) {
      const auto d = random_decimal(random);
      if (random() % 4 == 0) {
        sum.subtract(d.value(), scale);
        units -= d.units();
      } else {
        sum.add(d.value(), scale);
        units += d.units();
      }
      ASSERT_EQ(sum.units(), units);
    }
    ASSERT_EQ(sum.value(), read_back(units));
  }
}

TEST(ExactSum, OfVeryManyAndVeryLargeDecimalsIsRoundedOnce) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 20'000; ++round) {
    const int bits = static_cast<int>(random() % 126) + 1;
    auto units = static_cast<Int128>((static_cast<unsigned __int128>(random()) << 64 | random()) >> (128 - bits));
    if (random() % 3 == 0) units = (units >> bits / 2) << bits / 2;  // near halves, where rounding is decided
    if (random() % 2 == 0) units = -units;
    ASSERT_EQ(ExactSum::of_parts(units, {}).value(), read_back(units));
  }
}

TEST(ExactSum, TenTimesATenthIsOne) {
  ExactSum sum;
  for (int i = 0; i < 10; ++i) sum.add(0.1);
  EXPECT_EQ(sum.value(), 1.0);
}

// Multiples of 2^-40 with odd numerators have 40 decimals: no short decimal, and their sum fits 128 bits.
TEST(ExactSum, OfOtherDoublesIsTheBinarySumRoundedOnce) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 500; ++round) {
    ExactSum sum;
    Int128 whole = 0;
    for (auto n = random() % 40; n > 0; --n) {
      const auto m = static_cast<std::int64_t>(random() % (std::uint64_t{1} << 52) | 1);
      const auto v = std::ldexp(static_cast<double>(m), -40);
      if (find_scale(v)) continue;  // one in thousands is nearest to a short decimal by chance
      const bool minus = random() % 2 == 0;
      minus ? sum.subtract(v) : sum.add(v);
      whole += minus ? -m : m;
      ASSERT_EQ(sum.units(), 0);
    }
    ASSERT_EQ(sum.value(), std::ldexp(static_cast<double>(whole), -40));
  }
}

TEST(ExactSum, TheEndsOfTheDoublesAddAndCancel) {
  const double least = 5e-324, most = 1.7976931348623157e308;
  ExactSum sum;
  for (const double v : {most, least, 1e300, -most, -1e300}) sum.add(v);
  EXPECT_EQ(sum.value(), least);
  sum.subtract(least);
  EXPECT_TRUE(sum.is_zero());
  EXPECT_EQ(sum, ExactSum());
  sum.add(most);
  sum.add(most);
  EXPECT_EQ(sum.value(), INFINITY);
  sum.subtract(most);
  EXPECT_EQ(sum.value(), most);
}

TEST(ExactSum, DoesNotDependOnOrderOrGroups) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> terms;
    for (int i = 0; i < 30; ++i)
      terms.push_back(i % 3 == 0 ? 1.0 / static_cast<double>(random() % 1000 + 3) : random_decimal(random).value());
    ExactSum one;
    for (const auto v : terms) one.add(v);
    std::ranges::shuffle(terms, random);
    ExactSum a, b;
    for (std::size_t i = 0; i < terms.size(); ++i) (i % 2 == 0 ? a : b).add(terms[i]);
    a.add(b);
    ASSERT_EQ(a, one);
    ASSERT_EQ(a.value(), one.value());
    a.subtract(b);
    b.add(a);
    ASSERT_EQ(b, one);
  }
}

}  // namespace
}  // namespace ghm::windows
