#include "domain/windows/exact_sum.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <optional>

#include "domain/windows/decimal.h"

namespace ghm::windows {
namespace {

using Unsigned128 = unsigned __int128;

constexpr std::uint64_t kUnitsPerOne = 1'000'000'000;
constexpr std::int64_t kPowers[] = {1, 10, 100, 1000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
static_assert(std::size(kPowers) == kMostScale + 1 && ExactSum::kUnitScale == kMostScale);

// Below this, steps of 10^-9 are wider than the distance of neighbouring doubles: a guessed scale gives the same decimal
// as the smallest one. Above, two decimals may have one nearest double, and only the smallest scale is a fixed choice.
constexpr std::int64_t kOneDecimalEnd = std::int64_t{1} << 51;

constexpr int kLowestExponent = -1074;  // of the smallest double
constexpr int kMantissaBits = 53;

std::optional<Int128> to_units(double v, int& scale) {
  if (const auto guess = to_mantissa(v, scale); guess && std::abs(*guess) < kOneDecimalEnd)
    return Int128{*guess} * kPowers[kMostScale - scale];
  const auto smallest = find_scale(v);
  if (!smallest) return std::nullopt;
  scale = *smallest;
  return Int128{*to_mantissa(v, scale)} * kPowers[kMostScale - scale];
}

int bits_of(Unsigned128 v) {
  const auto high = static_cast<std::uint64_t>(v >> 64);
  return high != 0 ? 64 + std::bit_width(high) : std::bit_width(static_cast<std::uint64_t>(v));
}

// m * 2^exponent to the nearest double, of two the even one. `more`: what was cut off below m is not nothing.
double nearest(Unsigned128 m, bool more, int exponent) {
  const int drop = bits_of(m) - kMantissaBits;
  if (drop <= 0) return std::ldexp(static_cast<double>(static_cast<std::uint64_t>(m)), exponent);
  const auto half = Unsigned128{1} << (drop - 1);
  const auto low = m & (half * 2 - 1);
  auto top = static_cast<std::uint64_t>(m >> drop);
  if (low > half || (low == half && (more || top % 2 == 1))) ++top;
  return std::ldexp(static_cast<double>(top), exponent + drop);
}

// One division of whole numbers that are exact doubles is rounded once; larger ones are divided with 34 bits after the
// point, which is more than a double can hold of them, and the rest is told apart from nothing.
double units_value(Int128 units) {
  constexpr int kAfterPoint = 34;
  const bool negative = units < 0;
  const auto u = negative ? -static_cast<Unsigned128>(units) : static_cast<Unsigned128>(units);
  double v = 0;
  if (u < Unsigned128{1} << kMantissaBits) {
    v = static_cast<double>(static_cast<std::uint64_t>(u)) / static_cast<double>(kUnitsPerOne);
  } else {
    const auto whole = u / kUnitsPerOne;
    const auto rest = static_cast<std::uint64_t>(u % kUnitsPerOne);
    const auto shifted = rest << kAfterPoint;
    v = bits_of(whole) > 60 ? nearest(whole, rest != 0, 0)
                            : nearest(whole << kAfterPoint | shifted / kUnitsPerOne, shifted % kUnitsPerOne != 0, -kAfterPoint);
  }
  return negative ? -v : v;
}

void add_at(std::vector<std::uint64_t>& words, std::size_t at, std::uint64_t v) {
  for (; v != 0 && at < words.size(); ++at) {
    words[at] += v;
    v = words[at] < v ? 1 : 0;
  }
}

void negate(std::vector<std::uint64_t>& words) {
  for (auto& w : words) w = ~w;
  add_at(words, 0, 1);
}

void add_words(std::vector<std::uint64_t>& to, std::span<const std::uint64_t> from) {
  if (from.empty()) return;
  if (to.empty()) to.assign(ExactSum::kBinaryWords, 0);
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto sum = Unsigned128{to[i]} + from[i] + carry;
    to[i] = static_cast<std::uint64_t>(sum);
    carry = static_cast<std::uint64_t>(sum >> 64);
  }
}

double binary_value(std::span<const std::uint64_t> words) {
  std::vector<std::uint64_t> w(words.begin(), words.end());
  const bool negative = w.back() >> 63 != 0;
  if (negative) negate(w);
  auto top = w.size() - 1;
  while (top > 1 && w[top] == 0) --top;
  const bool more = std::any_of(w.begin(), w.begin() + static_cast<std::ptrdiff_t>(top - 1), [](auto word) { return word != 0; });
  const double v = nearest(Unsigned128{w[top]} << 64 | w[top - 1], more, kLowestExponent + 64 * static_cast<int>(top - 1));
  return negative ? -v : v;
}

}  // namespace

void ExactSum::add(double v) {
  int scale = 0;
  put(v, scale, false);
}

void ExactSum::subtract(double v) {
  int scale = 0;
  put(v, scale, true);
}

void ExactSum::put(double v, int& scale, bool minus) {
  assert(std::isfinite(v));
  if (v == 0) return;
  const auto units = to_units(v, scale);
  if (!units) return put_binary(v, minus);
  units_ += minus ? -*units : *units;
}

void ExactSum::put_binary(double v, bool minus) {
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(v), &exponent);  // v = fraction * 2^exponent
  auto m = static_cast<std::uint64_t>(std::ldexp(fraction, kMantissaBits));
  int at = exponent - kMantissaBits - kLowestExponent;
  if (at < 0) {  // a subnormal: its mantissa is shorter, by zeros
    m >>= -at;
    at = 0;
  }
  std::vector<std::uint64_t> words(kBinaryWords, 0);
  const auto word = static_cast<std::size_t>(at / 64);
  const auto wide = Unsigned128{m} << at % 64;
  words[word] = static_cast<std::uint64_t>(wide);
  words[word + 1] = static_cast<std::uint64_t>(wide >> 64);
  if ((v < 0) != minus) negate(words);
  add_words(binary_, words);
  drop_empty_binary();
}

void ExactSum::add(const ExactSum& other) {
  units_ += other.units_;
  add_words(binary_, other.binary_);
  drop_empty_binary();
}

void ExactSum::subtract(const ExactSum& other) {
  units_ -= other.units_;
  if (other.binary_.empty()) return;
  auto words = other.binary_;
  negate(words);
  add_words(binary_, words);
  drop_empty_binary();
}

// Equal sums are equal in their parts too.
void ExactSum::drop_empty_binary() {
  if (std::ranges::all_of(binary_, [](auto word) { return word == 0; })) binary_.clear();
}

double ExactSum::value() const {
  if (binary_.empty()) return units_value(units_);
  return units_ == 0 ? binary_value(binary_) : units_value(units_) + binary_value(binary_);
}

ExactSum ExactSum::of_parts(Int128 units, std::vector<std::uint64_t> binary) {
  assert(binary.empty() || binary.size() == kBinaryWords);
  ExactSum sum;
  sum.units_ = units;
  sum.binary_ = std::move(binary);
  sum.drop_empty_binary();
  return sum;
}

}  // namespace ghm::windows
