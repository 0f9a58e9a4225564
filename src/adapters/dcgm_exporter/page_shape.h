#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "adapters/dcgm_exporter/conversion.h"

namespace ghm::dcgm_exporter {

/// What the pages of a fleet have in common: the text around label strings and values, and what each value is. A page is
/// op after op: `literal` bytes of the text, then a label string of the host, then a value or nothing; then the tail.
struct PageShape {
  enum class Value : std::uint8_t {
    none,    // the line's value is part of the next literal: a text that was refused, or a label-type row
    take,    // the first reading of its column
    repeat,  // the same column again: must be the same value
    skip,    // an unknown family's: anything up to the end of the line
  };
  struct Op {
    std::uint32_t literal;  // length of this op's part of `text`
    std::uint16_t label;    // which of the host's label strings; 0 is the empty one
    Value value;
    std::uint8_t conversion;  // index into `conversions`, 0: none needed
    std::int32_t column;
    friend bool operator==(const Op&, const Op&) = default;
  };
  static constexpr std::size_t kMostLabels = 0xffff;

  std::string text;  // all literals, one after the other, and the tail
  std::vector<Op> ops;
  std::vector<Conversion> conversions;
  std::size_t columns = 0;
  std::uint32_t unknown_lines = 0, repeated_lines = 0;
  friend bool operator==(const PageShape&, const PageShape&) = default;
};

}  // namespace ghm::dcgm_exporter
