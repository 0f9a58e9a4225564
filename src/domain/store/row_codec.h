#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

/// One source's row against its row before: the form in which the unsealed head lies on disk.
namespace ghm::store {

inline constexpr std::size_t kMostRowColumns = 1 << 16;

/// What both ends remember of the row before: per column its value and, for exact decimals, mantissa and scale.
/// 17 bytes per column. Encoder and decoder keep equal states by construction.
class RowState {
 public:
  std::span<const double> values() const { return values_; }
  std::size_t size() const { return values_.size(); }
  /// Forgets what was; the values stand as if nothing was known of their form. The next row must be a key row.
  void reset(std::span<const double> values);

 private:
  friend class RowWriter;
  friend class RowParser;
  std::vector<double> values_;
  std::vector<std::int64_t> mantissa_;
  std::vector<std::uint8_t> scale_;     // 0..kMostScale, or raw
  std::vector<std::uint32_t> changed_;  // scratch: columns of this row that differ
};

/// Appends a row that stands alone (about 3 bytes per value) and makes `state` this row. Any doubles, absent() too.
void encode_key_row(std::span<const double> values, RowState& state, std::string& out);

/// Appends only what changed since `state`'s row; `values` has state.size() columns. About 1 bit per unchanged value and
/// 1-2 bytes per changed one; 2-10 ns per value, no allocation once `out` and `state` have grown.
void encode_next_row(std::span<const double> values, RowState& state, std::string& out);

/// Reads one row of `columns` values, all of `bytes`, into `state`; bit for bit what was encoded. Total: any bytes give a
/// row or `corrupt`, after which `state` holds rubbish of the right kind until the next key row.
Result<void> decode_row(std::string_view bytes, std::size_t columns, RowState& state);

}  // namespace ghm::store
