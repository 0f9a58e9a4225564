#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"

namespace ghm::wire {
class Values;
}

namespace ghm::transport {

inline constexpr std::size_t kMostColumns = 1 << 16;

/// What both ends remember of the round before: per column its value and its form (a decimal of so many places, raw, absent).
/// 17 bytes per column. Writer and reader keep equal states by construction.
class ColumnStates {
 public:
  std::span<const double> values() const { return values_; }
  std::size_t size() const { return values_.size(); }

  /// Writes all columns (`key`), or those that differ from the state's; the state becomes `values`. Any doubles, absent() too,
  /// come back bit for bit. When it is no key, `values` has size() entries. A few ns per column.
  void write(std::span<const double> values, bool key, wire::Values& out);

  /// The other way round. Total: any message gives `columns` values or `invalid_input`; after that the state is only good
  /// for a key.
  Result<void> read(const wire::Values& in, std::size_t columns);

 private:
  using Form = std::uint8_t;  // 0..9 decimal places, or
  static constexpr Form kRaw = 10, kAbsent = 11;

  Form form_for(std::size_t column, double value, bool key) const;
  void put(std::size_t column, double value, Form form, bool is_new, wire::Values& out);
  bool find_changed(const wire::Values& in);
  bool take_new_forms(const wire::Values& in);
  bool take_numbers(const wire::Values& in);

  std::vector<double> values_;
  std::vector<std::int64_t> digits_;
  std::vector<Form> forms_;
  std::vector<std::uint32_t> changed_;  // scratch: columns of this round that differ
  std::vector<bool> new_form_;          // scratch: of these
};

}  // namespace ghm::transport
