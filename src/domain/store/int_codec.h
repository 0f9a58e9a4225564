#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "domain/store/bytes.h"

/// Lists of integers in the smallest of four forms: constant, frame of reference, delta, changes only.
namespace ghm::store {

inline constexpr int kMostPackedBits = 56;  // so that a value and its offset within a byte fit one 64-bit load

/// Appends `values`, each |v| <= 2^53. O(n), two passes. The count is not written: the reader must know it.
void encode_ints(std::span<const std::int64_t> values, std::string& out);

/// Reads `n` integers from all of `bytes`. Total: any bytes give n integers or `corrupt`; allocates 8 n bytes, so the caller
/// bounds n. About 1 ns per value.
Result<void> decode_ints(std::string_view bytes, std::size_t n, std::vector<std::int64_t>& out);

}  // namespace ghm::store
