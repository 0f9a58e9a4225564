#pragma once
#include <compare>

namespace ghm {

/// A number with its unit in the type: same-unit arithmetic only, Watts - Celsius does not compile.
template <class Unit>
struct Quantity {
  double value{};
  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return {a.value + b.value}; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return {a.value - b.value}; }
  friend constexpr Quantity operator*(Quantity a, double k) { return {a.value * k}; }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value / b.value; }
};
using Celsius = Quantity<struct CelsiusUnit>;
using Watts = Quantity<struct WattsUnit>;
using Megahertz = Quantity<struct MegahertzUnit>;

}  // namespace ghm
