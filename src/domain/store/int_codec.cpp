// Four forms, the smallest wins. Sensors differ: a limit never moves (constant), a temperature is noise around a level
// (frame of reference: value - min in as many bits as the range needs), a counter climbs (delta: steps, themselves in a
// frame of reference), a state jumps now and then (changes only). All forms pack at a fixed width, so a list decodes at
// about a nanosecond per value. Frame of reference: Goldstein, Ramakrishnan & Shaft, "Compressing Relations and Indexes", ICDE 1998.
#include "domain/store/int_codec.h"

#include <algorithm>
#include <cassert>

#include "domain/store/bit_pack.h"

namespace ghm::store {
namespace {

enum Form : std::uint8_t { kConstant = 0, kFrame = 1, kDelta = 2, kChanges = 3 };

Error corrupt(const char* what) {
  return Error{Errc::corrupt, std::string("integers: ") + what};
}

// Arithmetic on bytes that may be anything must not overflow a signed number.
std::int64_t add(std::int64_t a, std::uint64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + b);
}

struct Shape {
  std::int64_t min, max, step_min = 0, step_max = 0;
  std::uint64_t changes = 0, widest_gap = 0, widest_change = 0;
};

Shape measure(std::span<const std::int64_t> v) {
  Shape s{v[0], v[0]};
  if (v.size() > 1) s.step_min = s.step_max = v[1] - v[0];
  std::size_t last_change = 0;
  for (std::size_t i = 1; i < v.size(); ++i) {
    const auto step = v[i] - v[i - 1];
    s.min = std::min(s.min, v[i]);
    s.max = std::max(s.max, v[i]);
    s.step_min = std::min(s.step_min, step);
    s.step_max = std::max(s.step_max, step);
    if (step == 0) continue;
    ++s.changes;
    s.widest_gap = std::max<std::uint64_t>(s.widest_gap, i - last_change - 1);
    s.widest_change = std::max(s.widest_change, zigzag(step));
    last_change = i;
  }
  return s;
}

int width_between(std::int64_t low, std::int64_t high) {
  return bit_width_of(static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low));
}

void put_frame(std::span<const std::int64_t> v, const Shape& s, std::string& out) {
  const int width = width_between(s.min, s.max);
  put_byte(out, kFrame);
  put_signed(out, s.min);
  put_byte(out, static_cast<unsigned>(width));
  put_packed(out, v.size(), width, [&, p = v.begin()]() mutable { return *p++ - s.min; });
}

void put_delta(std::span<const std::int64_t> v, const Shape& s, std::string& out) {
  const int width = width_between(s.step_min, s.step_max);
  put_byte(out, kDelta);
  put_signed(out, v[0]);
  put_signed(out, s.step_min);
  put_byte(out, static_cast<unsigned>(width));
  put_packed(out, v.size() - 1, width, [&, i = std::size_t{0}]() mutable { return ++i, v[i] - v[i - 1] - s.step_min; });
}

void put_changes(std::span<const std::int64_t> v, const Shape& s, std::string& out) {
  const int gap_width = bit_width_of(s.widest_gap), change_width = bit_width_of(s.widest_change);
  put_byte(out, kChanges);
  put_signed(out, v[0]);
  put_varint(out, s.changes);
  put_byte(out, static_cast<unsigned>(gap_width));
  put_byte(out, static_cast<unsigned>(change_width));
  std::vector<std::size_t> at{0};
  for (std::size_t i = 1; i < v.size(); ++i)
    if (v[i] != v[i - 1]) at.push_back(i);
  put_packed(out, s.changes, gap_width, [&, c = std::size_t{0}]() mutable { return ++c, at[c] - at[c - 1] - 1; });
  put_packed(out, s.changes, change_width, [&, c = std::size_t{0}]() mutable { return ++c, zigzag(v[at[c]] - v[at[c] - 1]); });
}

Result<std::string_view> packed(ByteReader& in, std::uint64_t n, int width) {
  if (width > kMostPackedBits) return corrupt("too wide");
  if (n > in.left() * 8 && width > 0) return corrupt("shorter than its count");
  const auto bytes = in.take(packed_bytes(n, width));
  if (!in.ok()) return corrupt("shorter than its count");
  return bytes;
}

Result<void> read_frame(ByteReader& in, std::size_t n, std::vector<std::int64_t>& out) {
  const auto min = in.signed_varint();
  const int width = in.byte();
  const auto bytes = packed(in, n, width);
  if (!bytes) return bytes.error();
  const BitReader bits(*bytes, width);
  out.resize(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = add(min, bits[i]);
  return {};
}

Result<void> read_delta(ByteReader& in, std::size_t n, std::vector<std::int64_t>& out) {
  const auto first = in.signed_varint();
  const auto step = static_cast<std::uint64_t>(in.signed_varint());
  const int width = in.byte();
  const auto bytes = packed(in, n - 1, width);
  if (!bytes) return bytes.error();
  const BitReader bits(*bytes, width);
  out.resize(n);
  out[0] = first;
  for (std::size_t i = 1; i < n; ++i) out[i] = add(out[i - 1], step + bits[i - 1]);
  return {};
}

Result<void> read_changes(ByteReader& in, std::size_t n, std::vector<std::int64_t>& out) {
  const auto first = in.signed_varint();
  const auto count = in.varint();
  const int gap_width = in.byte(), change_width = in.byte();
  if (count >= n) return corrupt("more changes than values");
  const auto gap_bytes = packed(in, count, gap_width);
  if (!gap_bytes) return gap_bytes.error();
  const auto change_bytes = packed(in, count, change_width);
  if (!change_bytes) return change_bytes.error();
  const BitReader gaps(*gap_bytes, gap_width), changes(*change_bytes, change_width);
  out.resize(n);
  auto value = first;
  std::uint64_t at = 0;
  for (std::uint64_t c = 0; c < count; ++c) {
    const auto gap = gaps[c];
    if (gap >= n - 1 - at) return corrupt("a change behind the end");
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), gap + 1, value);
    at += gap + 1;
    value = add(value, static_cast<std::uint64_t>(unzigzag(changes[c])));
  }
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(at), out.end(), value);
  return {};
}

Result<void> read_form(ByteReader& in, std::size_t n, std::vector<std::int64_t>& out) {
  switch (in.byte()) {
    case kConstant: out.assign(n, in.signed_varint()); return {};
    case kFrame: return read_frame(in, n, out);
    case kDelta: return read_delta(in, n, out);
    case kChanges: return read_changes(in, n, out);
    default: return corrupt("unknown form");
  }
}

}  // namespace

void encode_ints(std::span<const std::int64_t> v, std::string& out) {
  if (v.empty()) return;
  const Shape s = measure(v);
  if (s.changes == 0) {
    put_byte(out, kConstant);
    return put_signed(out, s.min);
  }
  const auto frame = packed_bytes(v.size(), width_between(s.min, s.max));
  const auto delta = packed_bytes(v.size() - 1, width_between(s.step_min, s.step_max));
  const auto changes = packed_bytes(s.changes, bit_width_of(s.widest_gap)) + packed_bytes(s.changes, bit_width_of(s.widest_change));
  const auto least = std::min({frame, delta, changes});
  if (least == frame) return put_frame(v, s, out);
  if (least == changes) return put_changes(v, s, out);
  put_delta(v, s, out);
}

Result<void> decode_ints(std::string_view bytes, std::size_t n, std::vector<std::int64_t>& out) {
  out.clear();
  ByteReader in(bytes);
  if (n > 0)
    if (auto done = read_form(in, n, out); !done) return done;
  if (!in.ok() || !in.at_end()) return corrupt("malformed");
  return {};
}

}  // namespace ghm::store
