// Most values of a page do not change between two rounds, and those that do move by a little in their last digit. So a round
// says which columns changed, and per changed column the difference of its digits. A column whose value needs another form
// says so, and then all its digits; a raw one stays raw until the next key, so that numbers without a short decimal form are
// not searched for one at every round.
#include "domain/transport/values_coder.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "core/exact_decimal.h"
#include "domain/telemetry/page.h"

#include <telemetry_batch.pb.h>

namespace ghm::transport {
namespace {

std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

Error malformed(const char* what) {
  return Error{Errc::invalid_input, std::string("batch: the values of a round are malformed: ") + what};
}

// As a bitmap or as gaps, whichever is shorter; a gap below 128 takes one byte.
void write_changed(const std::vector<std::uint32_t>& changed, std::size_t columns, wire::Values& out) {
  const std::size_t bitmap_bytes = (columns + 7) / 8;
  if (changed.size() < bitmap_bytes) {
    out.mutable_gaps()->Reserve(static_cast<int>(changed.size()));
    std::uint32_t next = 0;
    for (const auto i : changed) {
      out.add_gaps(i - next);
      next = i + 1;
    }
    return;
  }
  std::string bits(bitmap_bytes, '\0');
  for (const auto i : changed) bits[i / 8] = static_cast<char>(bits[i / 8] | 1 << i % 8);
  out.set_bitmap(std::move(bits));
}

}  // namespace

ColumnStates::Form ColumnStates::form_for(std::size_t i, double value, bool key) const {
  if (telemetry::is_absent(value)) return kAbsent;
  const auto known = key ? kAbsent : forms_[i];
  if (known == kRaw) return kRaw;
  const bool decimal = known <= exact::kMostScale;
  if (decimal && exact::to_mantissa(value, known)) return known;
  const auto scale = exact::find_scale(value, decimal ? known : 0);
  return scale ? static_cast<Form>(*scale) : kRaw;
}

void ColumnStates::put(std::size_t i, double value, Form form, bool is_new, wire::Values& out) {
  values_[i] = value;
  forms_[i] = form;
  if (form == kAbsent) return;
  if (form == kRaw) return out.add_raw(std::bit_cast<std::uint64_t>(value));
  const auto digits = *exact::to_mantissa(value, form);
  out.add_numbers(is_new ? digits : digits - digits_[i]);
  digits_[i] = digits;
}

void ColumnStates::write(std::span<const double> values, bool key, wire::Values& out) {
  assert(values.size() <= kMostColumns && (key || values.size() == values_.size()));
  if (key) {
    values_.resize(values.size());
    digits_.assign(values.size(), 0);
    forms_.assign(values.size(), kAbsent);
    std::string forms;
    out.set_key(true);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto form = form_for(i, values[i], true);
      forms.push_back(static_cast<char>(form));
      put(i, values[i], form, true, out);
    }
    return out.set_forms(std::move(forms));
  }
  changed_.clear();
  for (std::uint32_t i = 0; i < values.size(); ++i)
    if (!exact::same_bits(values[i], values_[i])) changed_.push_back(i);
  write_changed(changed_, values.size(), out);
  std::string forms;
  std::uint32_t next = 0;
  for (std::uint32_t n = 0; n < changed_.size(); ++n) {
    const auto i = changed_[n];
    const auto form = form_for(i, values[i], false);
    const bool is_new = form != forms_[i];
    if (is_new) {
      out.add_new_forms(n - next);
      forms.push_back(static_cast<char>(form));
      next = n + 1;
    }
    put(i, values[i], form, is_new, out);
  }
  out.set_forms(std::move(forms));
}

bool ColumnStates::find_changed(const wire::Values& in) {
  changed_.clear();
  if (!in.bitmap().empty()) {
    if (in.gaps_size() != 0 || in.bitmap().size() != (values_.size() + 7) / 8) return false;
    for (std::size_t at = 0; at < in.bitmap().size(); ++at)
      for (auto b = static_cast<std::uint8_t>(in.bitmap()[at]); b != 0; b = static_cast<std::uint8_t>(b & (b - 1)))
        changed_.push_back(static_cast<std::uint32_t>(at * 8) + static_cast<std::uint32_t>(std::countr_zero(b)));
    return changed_.empty() || changed_.back() < values_.size();
  }
  std::uint64_t next = 0;
  for (const auto gap : in.gaps()) {
    if (next + gap >= values_.size()) return false;
    changed_.push_back(static_cast<std::uint32_t>(next + gap));
    next += gap + 1ull;
  }
  return true;
}

bool ColumnStates::take_new_forms(const wire::Values& in) {
  new_form_.assign(changed_.size(), in.key());
  if (!in.key()) {
    std::uint64_t next = 0;
    for (const auto gap : in.new_forms()) {
      if (next + gap >= changed_.size()) return false;
      new_form_[next + gap] = true;
      next += gap + 1ull;
    }
  }
  const auto expected = in.key() ? changed_.size() : static_cast<std::size_t>(in.new_forms_size());
  if (in.forms().size() != expected || (in.key() && in.new_forms_size() != 0)) return false;
  std::size_t taken = 0;
  for (std::size_t n = 0; n < changed_.size(); ++n) {
    if (!new_form_[n]) continue;
    const auto form = static_cast<Form>(in.forms()[taken++]);
    if (form > kAbsent) return false;
    forms_[changed_[n]] = form;
  }
  return true;
}

bool ColumnStates::take_numbers(const wire::Values& in) {
  int number = 0, raw = 0;
  for (std::size_t n = 0; n < changed_.size(); ++n) {
    const auto i = changed_[n];
    if (forms_[i] == kAbsent) {
      values_[i] = telemetry::absent();
    } else if (forms_[i] == kRaw) {
      if (raw == in.raw_size()) return false;
      values_[i] = std::bit_cast<double>(in.raw(raw++));
    } else {
      if (number == in.numbers_size()) return false;
      digits_[i] = wrapping_add(new_form_[n] ? 0 : digits_[i], in.numbers(number++));
      values_[i] = exact::from_mantissa(digits_[i], forms_[i]);
    }
  }
  return number == in.numbers_size() && raw == in.raw_size();
}

Result<void> ColumnStates::read(const wire::Values& in, std::size_t columns) {
  if (in.key()) {
    if (in.forms().size() != columns || columns > kMostColumns) return malformed("not one form per column");
    values_.assign(columns, telemetry::absent());
    digits_.assign(columns, 0);
    forms_.assign(columns, kAbsent);
    changed_.resize(columns);
    for (std::uint32_t i = 0; i < columns; ++i) changed_[i] = i;
  } else if (columns != values_.size()) {
    return malformed("differences from a round with other columns");
  } else if (!find_changed(in)) {
    return malformed("a changed column that is none");
  }
  if (!take_new_forms(in)) return malformed("forms");
  if (!take_numbers(in)) return malformed("not one number per changed column");
  return {};
}

}  // namespace ghm::transport
