#include "domain/store/column_codec.h"

#include <algorithm>
#include <bit>

#include "domain/store/bytes.h"
#include "domain/store/decimal.h"
#include "domain/store/int_codec.h"
#include "domain/telemetry/page.h"

namespace ghm::store {
namespace {

// The head byte: the scale (0..kMostScale) or one of these in the low bits, and whether some instants have no value.
constexpr unsigned kRawAll = 14, kRawChanges = 15, kKindBits = 0x0f, kSomeAbsent = 0x10;

Error corrupt(const char* what) {
  return Error{Errc::corrupt, std::string("column: ") + what};
}

// All values at the smallest scale that is exact for every one of them; false when there is none. A scale found too
// small starts the conversion again at the larger one, at most kMostScale times.
bool to_decimals(std::span<const double> values, int& scale, std::vector<std::int64_t>& out) {
  out.resize(values.size());
  scale = 0;
  for (std::size_t i = 0; i < values.size();) {
    const auto mantissa = to_mantissa(values[i], scale);
    if (mantissa) {
      out[i++] = *mantissa;
      continue;
    }
    const auto larger = find_scale(values[i], scale + 1);
    if (!larger) return false;
    scale = *larger;
    i = 0;
  }
  return true;
}

std::size_t count_changes(std::span<const double> values) {
  std::size_t changes = 0;
  for (std::size_t i = 1; i < values.size(); ++i) changes += !same_bits(values[i], values[i - 1]);
  return changes;
}

void put_raw_changes(std::span<const double> values, std::string& out) {
  put_double(out, values[0]);
  std::size_t last = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (same_bits(values[i], values[i - 1])) continue;
    put_varint(out, i - last - 1);
    put_double(out, values[i]);
    last = i;
  }
}

void put_raw(std::span<const double> values, std::string& out) {
  for (const auto v : values) put_double(out, v);
}

void put_presence(std::span<const double> values, std::string& out) {
  const auto start = out.size();
  out.resize(start + (values.size() + 7) / 8);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!telemetry::is_absent(values[i])) out[start + i / 8] = static_cast<char>(out[start + i / 8] | 1 << i % 8);
}

// `all` and `present` differ only when something is absent.
void put_column(std::span<const double> all, std::span<const double> present, std::string& out) {
  int scale = 0;
  std::vector<std::int64_t> mantissas;
  const bool decimal = to_decimals(present, scale, mantissas);
  const bool few = count_changes(present) < present.size() / 2;
  const bool some_absent = present.size() < all.size();
  put_byte(out, (decimal ? static_cast<unsigned>(scale) : few ? kRawChanges : kRawAll) | (some_absent ? kSomeAbsent : 0));
  if (some_absent) put_presence(all, out);
  if (decimal) return encode_ints(mantissas, out);
  few ? put_raw_changes(present, out) : put_raw(present, out);
}

Result<void> read_raw(ByteReader& in, std::size_t n, std::vector<double>& out) {
  if (in.left() / sizeof(double) < n) return corrupt("shorter than its count");
  out.resize(n);
  for (auto& v : out) v = in.raw_double();
  return {};
}

Result<void> read_raw_changes(ByteReader& in, std::size_t n, std::vector<double>& out) {
  double value = n > 0 ? in.raw_double() : 0;
  out.assign(n, value);
  std::size_t at = 0;
  while (in.ok() && !in.at_end()) {
    const auto gap = in.varint();
    if (n < 2 || gap >= n - 1 - at) return corrupt("a change behind the end");
    at += gap + 1;
    value = in.raw_double();
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(at), out.end(), value);
  }
  return {};
}

Result<void> read_decimals(ByteReader& in, int scale, std::size_t n, std::vector<double>& out, std::vector<std::int64_t>& scratch) {
  if (auto done = decode_ints(in.rest(), n, scratch); !done) return done;
  out.resize(n);
  const double divisor = kPowersOfTen[scale];
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<double>(scratch[i]) / divisor;
  return {};
}

Result<void> read_values(ByteReader& in, unsigned kind, std::size_t n, std::vector<double>& out, std::vector<std::int64_t>& scratch) {
  if (kind == kRawAll) return read_raw(in, n, out);
  if (kind == kRawChanges) return read_raw_changes(in, n, out);
  if (kind <= kMostScale) return read_decimals(in, static_cast<int>(kind), n, out, scratch);
  return corrupt("unknown kind");
}

bool present(std::string_view presence, std::size_t i) {
  return (static_cast<std::uint8_t>(presence[i / 8]) >> i % 8 & 1) != 0;
}

std::size_t count_present(std::string_view presence, std::size_t n) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) count += present(presence, i);
  return count;
}

// The dense values spread to their places, from the back so that nothing is overwritten before it moved.
void spread(std::string_view presence, std::size_t n, std::vector<double>& values) {
  auto from = values.size();
  values.resize(n);
  for (std::size_t i = n; i-- > 0;) values[i] = present(presence, i) ? values[--from] : telemetry::absent();
}

}  // namespace

void encode_column(std::span<const double> values, std::string& out) {
  if (std::ranges::none_of(values, telemetry::is_absent)) return put_column(values, values, out);
  std::vector<double> present;
  std::ranges::copy_if(values, std::back_inserter(present), [](double v) { return !telemetry::is_absent(v); });
  put_column(values, present, out);
}

Result<void> decode_column(std::string_view bytes, std::size_t n, std::vector<double>& out, std::vector<std::int64_t>& scratch) {
  ByteReader in(bytes);
  const unsigned head = in.byte();
  const bool some_absent = (head & kSomeAbsent) != 0;
  if ((head & ~(kKindBits | kSomeAbsent)) != 0) return corrupt("unknown kind");
  const auto presence = some_absent ? in.take((n + 7) / 8) : std::string_view();
  if (!in.ok()) return corrupt("malformed");
  const auto dense = some_absent ? count_present(presence, n) : n;
  if (auto done = read_values(in, head & kKindBits, dense, out, scratch); !done) return done;
  if (!in.ok() || !in.at_end()) return corrupt("malformed");
  if (some_absent) spread(presence, n, out);
  return {};
}

}  // namespace ghm::store
