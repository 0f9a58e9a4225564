#include "core/decimal.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

namespace ghm {
namespace {

TEST(ParseFloat, ReadsTheGrammarOfTheTextFormat) {
  constexpr double kInf = HUGE_VAL;
  struct Case {
    const char* text;
    std::optional<double> want;
  };
  const Case cases[] = {
      {"0", 0},
      {"41", 41},
      {"-3", -3},
      {"+3", 3},
      {"0.482113", 0.482113},
      {"-0.5", -0.5},
      {".5", 0.5},
      {"5.", 5},
      {"1e3", 1000},
      {"4.2e+01", 42},
      {"1E-3", 0.001},
      {"0x1p-2", 0.25},
      {"9223372036854775794", 9223372036854775808.0},
      {"18446744073709551615", 18446744073709551616.0},
      {"140737488355328.000000", 140737488355328.0},
      {"123456789012.345678", 123456789012.345678},
      {"0.000000", 0},
      {"1e999", kInf},
      {"-1e999", -kInf},
      {"1e-999", 0},
      {"+Inf", kInf},
      {"-inf", -kInf},
      {"Infinity", kInf},
      {"", {}},
      {"-", {}},
      {".", {}},
      {"1.2.3", {}},
      {"1e", {}},
      {"--1", {}},
      {"+-1", {}},
      {"0x", {}},
      {"0x1", {}},
      {"1_000", {}},
      {"12abc", {}},
      {"N/A", {}},
      {"nan(1)", {}},
      {"-NaN", {}},
      {" 1", {}},
      {"1 ", {}},
      {"1,5", {}},
      {"infi", {}},
      {"٣", {}},
  };
  for (const auto& c : cases) EXPECT_EQ(parse_float(c.text), c.want) << c.text;
  EXPECT_TRUE(std::isnan(parse_float("NaN").value()));
  EXPECT_TRUE(std::signbit(parse_float("-0").value()));
}

void expect_as_strtod(const std::string& text) {
  const auto got = parse_float(text);
  ASSERT_TRUE(got) << text;
  EXPECT_EQ(std::bit_cast<std::uint64_t>(*got), std::bit_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr))) << text;
}

TEST(ParseFloat, IsStrtodBitForBit) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 40'000; ++i) {
    const double any = std::bit_cast<double>(random());
    const double scaled = static_cast<double>(random() >> (random() % 60)) / std::pow(10, static_cast<double>(random() % 9));
    if (std::isfinite(any)) expect_as_strtod(fmt::format("{}", any));
    expect_as_strtod(fmt::format("{:f}", scaled));
    expect_as_strtod(fmt::format("{}", random() >> (random() % 64)));
    expect_as_strtod(fmt::format("{}.{}", random() % 1'000'000, random() >> (random() % 60)));  // both sides of the fast path's limit
  }
}

}  // namespace
}  // namespace ghm
