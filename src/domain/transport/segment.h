#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// One file of the spool: records behind each other, each with a head, so that what is damaged is found and passed over.
///   record = magic(4) length(4) sequence(8) checksum(4) payload(length)      little-endian; the checksum is over all but itself
namespace ghm::transport {

inline constexpr std::size_t kRecordHead = 20;
inline constexpr std::size_t kLargestRecord = 8u << 20;  // bytes of payload

struct SpoolRecord {
  std::uint64_t sequence = 0;
  std::string payload;
};

std::string to_bytes(std::uint64_t sequence, std::string_view payload);

/// "spool-00000001770000000000.seg", by the first sequence in it; so names sort as rounds do.
std::string segment_name(std::uint64_t first_sequence);
std::optional<std::uint64_t> first_sequence_of(std::string_view name);

/// CRC-32C over any bytes. Finds torn and rotten bytes, not an adversary. ~1 ns per byte.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t so_far = 0);

}  // namespace ghm::transport
