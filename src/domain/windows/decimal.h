#pragma once
#include "core/exact_decimal.h"

/// The windows' words for exact decimals.
namespace ghm::windows {

using exact::find_scale, exact::from_mantissa, exact::kMantissaEnd, exact::kMostScale, exact::kPowersOfTen, exact::same_bits,
    exact::to_mantissa;

}  // namespace ghm::windows
