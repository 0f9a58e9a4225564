#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

/// One column of a chunk: which instants have a value, then the values as exact decimals of one scale or as raw doubles.
namespace ghm::store {

/// Appends the column; absent() where there is no value.
void encode_column(std::span<const double> values, std::string& out);

/// Reads `n` values from all of `bytes`. Total: n values or `corrupt`. `scratch` saves allocations between columns.
Result<void> decode_column(std::string_view bytes, std::size_t n, std::vector<double>& out, std::vector<std::int64_t>& scratch);

}  // namespace ghm::store
