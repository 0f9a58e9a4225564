#pragma once
#include "domain/windows/decimal.h"

/// The codecs' words for exact decimals.
namespace ghm::store {

using windows::find_scale, windows::from_mantissa, windows::kMantissaEnd, windows::kMostScale, windows::kPowersOfTen, windows::same_bits,
    windows::to_mantissa;

}  // namespace ghm::store
