#pragma once
#include <snappy.h>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/remote_write/write_request.h"

/// Writes requests the way the specification says, byte by byte and without the library that reads them.
namespace ghm::remote_write::test {

inline std::string varint(std::uint64_t n) {
  std::string out;
  for (; n >= 0x80; n >>= 7) out += static_cast<char>(n | 0x80);
  return out + static_cast<char>(n);
}

inline std::string bytes_field(std::uint32_t number, std::string_view bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}

inline std::string encode(const Sample& s) {
  std::string out = varint(1 << 3 | 1);
  const auto bits = std::bit_cast<std::uint64_t>(s.value);
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(bits >> shift);
  return out + varint(2 << 3 | 0) + varint(static_cast<std::uint64_t>(to_unix_ms(s.at)));
}

inline std::string encode(const Series& s) {
  std::string out;
  for (const auto& l : s.labels) out += bytes_field(1, bytes_field(1, l.name) + bytes_field(2, l.value));
  for (const auto& sample : s.samples) out += bytes_field(2, encode(sample));
  return out;
}

/// The protobuf message.
inline std::string encode(const WriteRequest& r) {
  std::string out;
  for (const auto& s : r.series) out += bytes_field(1, encode(s));
  for (const auto& h : r.help) out += bytes_field(3, varint(1 << 3) + varint(2) + bytes_field(2, h.family) + bytes_field(4, h.text));
  return out;
}

inline std::string pack(std::string_view bytes) {
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return out;
}

/// What Prometheus would send.
inline std::string body_of(const WriteRequest& r) {
  return pack(encode(r));
}

}  // namespace ghm::remote_write::test
