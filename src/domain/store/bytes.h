#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// The few words both codecs are written in: LEB128 integers, zigzag, raw doubles; little-endian, as every machine we run on.
namespace ghm::store {

static_assert(std::endian::native == std::endian::little);

inline constexpr std::size_t kMostVarintBytes = 10;

constexpr std::uint64_t zigzag(std::int64_t v) {
  return static_cast<std::uint64_t>(v) << 1 ^ static_cast<std::uint64_t>(v >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1 ^ (~(v & 1) + 1));
}

/// Writes to `p`, which has room for kMostVarintBytes, and returns the end.
inline char* write_varint(char* p, std::uint64_t v) {
  for (; v >= 0x80; v >>= 7) *p++ = static_cast<char>(v | 0x80);
  *p++ = static_cast<char>(v);
  return p;
}

inline void put_varint(std::string& out, std::uint64_t v) {
  char room[kMostVarintBytes];
  out.append(room, write_varint(room, v));
}

inline void put_signed(std::string& out, std::int64_t v) {
  put_varint(out, zigzag(v));
}
inline void put_byte(std::string& out, unsigned v) {
  out.push_back(static_cast<char>(v));
}

inline void put_double(std::string& out, double v) {
  char room[sizeof v];
  std::memcpy(room, &v, sizeof v);
  out.append(room, sizeof v);
}

/// Reads bytes that may be anything. Once something does not fit, ok() is false, every later answer is 0 and nothing
/// behind the end is ever touched: callers read a group and ask once.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : p_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  bool at_end() const { return p_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - p_); }

  std::uint8_t byte() { return p_ < end_ ? static_cast<std::uint8_t>(*p_++) : static_cast<std::uint8_t>(fail()); }

  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (int shift = 0; shift < 64 && p_ < end_; shift += 7) {
      const auto b = static_cast<std::uint8_t>(*p_++);
      v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) return v;
    }
    return fail();
  }
  std::int64_t signed_varint() { return unzigzag(varint()); }

  double raw_double() {
    double v = 0;
    const auto bytes = take(sizeof v);
    if (ok_) std::memcpy(&v, bytes.data(), sizeof v);
    return v;
  }

  std::string_view take(std::uint64_t n) {
    if (n > left()) {
      fail();
      return {};
    }
    const std::string_view bytes(p_, static_cast<std::size_t>(n));
    p_ += n;
    return bytes;
  }
  std::string_view rest() { return take(left()); }

 private:
  std::uint64_t fail() {
    ok_ = false;
    p_ = end_;
    return 0;
  }

  const char* p_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace ghm::store
