#pragma once
#include <span>
#include <string_view>

#include "domain/simulation/board.h"

namespace ghm::simulation {

/// One metric that the simulated operator's exporter prints: a row of its CSV and what the board says.
struct Family {
  enum class Shape : std::uint8_t { plain, xid_gauge, xid_count };
  int field = 0;
  std::string_view name, type, help;
  bool decimals = false;                    // DCGM's DOUBLE: six decimals; else INT64
  double (*value)(const Board&) = nullptr;  // NaN: blank, the exporter skips the sample
  bool profiling = false;                   // taken away when the driver hangs
  Shape shape = Shape::plain;
};

/// Likewise for each NVLink that is up; `link` counts from 0.
struct LinkFamily {
  int field = 0;
  std::string_view name, type, help;
  double (*value)(const Board&, int link) = nullptr;
};

/// In the order of field ids, as the exporter prints them.
std::span<const Family> families();
std::span<const LinkFamily> link_families();

}  // namespace ghm::simulation
