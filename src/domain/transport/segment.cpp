#include "domain/transport/segment.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>

#include "domain/transport/segment_reader.h"

namespace ghm::transport {
namespace {

constexpr std::uint32_t kMagic = 0x43524847;  // "GHRC"
constexpr std::size_t kChunk = 64u << 10;
constexpr std::string_view kBefore = "spool-", kAfter = ".seg";
constexpr std::size_t kNameDigits = 20;

constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = c & 1 ? c >> 1 ^ 0x82F63B78u : c >> 1;  // Castagnoli's polynomial, reflected
    table[i] = c;
  }
  return table;
}();

template <class T>
void put(std::string& out, T value) {
  char room[sizeof value];
  std::memcpy(room, &value, sizeof value);
  out.append(room, sizeof value);
}

template <class T>
T get(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::uint32_t checksum(std::string_view head, std::string_view payload) {
  return crc32c(payload, crc32c(head.substr(0, kRecordHead - sizeof(std::uint32_t))));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t so_far) {
  std::uint32_t c = ~so_far;
  for (const unsigned char b : bytes) c = kCrcTable[(c ^ b) & 0xff] ^ c >> 8;
  return ~c;
}

std::string to_bytes(std::uint64_t sequence, std::string_view payload) {
  std::string out;
  out.reserve(kRecordHead + payload.size());
  put(out, kMagic);
  put(out, static_cast<std::uint32_t>(payload.size()));
  put(out, sequence);
  put(out, checksum(out, payload));
  out.append(payload);
  return out;
}

std::string segment_name(std::uint64_t first) {
  return fmt::format("{}{:0{}}{}", kBefore, first, kNameDigits, kAfter);
}

std::optional<std::uint64_t> first_sequence_of(std::string_view name) {
  if (name.size() != kBefore.size() + kNameDigits + kAfter.size() || !name.starts_with(kBefore) || !name.ends_with(kAfter))
    return std::nullopt;
  std::uint64_t first = 0;
  const auto* end = name.data() + kBefore.size() + kNameDigits;
  const auto [stopped, bad] = std::from_chars(name.data() + kBefore.size(), end, first);
  return bad == std::errc() && stopped == end ? std::optional(first) : std::nullopt;
}

// ---- reading

SegmentReader::SegmentReader(const SpoolFolder& folder, std::string name) : folder_(folder), name_(std::move(name)) {}

bool SegmentReader::have(std::size_t n) {
  if (buffer_.size() - taken_ >= n) return true;
  buffer_.erase(0, taken_);
  taken_ = 0;
  while (buffer_.size() < n) {
    auto more = folder_.read(name_, at_ + buffer_.size(), std::max(kChunk, n - buffer_.size()));
    if (!more || more->empty()) return false;
    buffer_ += *more;
  }
  return true;
}

void SegmentReader::skip(std::size_t n) {
  taken_ += n;
  at_ += n;
}

std::optional<SpoolRecord> SegmentReader::next() {
  while (have(kRecordHead)) {
    const auto head = std::string_view(buffer_).substr(taken_, kRecordHead);
    const auto length = get<std::uint32_t>(head, 4);
    if (get<std::uint32_t>(head, 0) != kMagic || length > kLargestRecord || !have(kRecordHead + length)) {
      lose_byte();
      continue;
    }
    const auto whole = std::string_view(buffer_).substr(taken_, kRecordHead + length);
    const auto payload = whole.substr(kRecordHead);
    if (get<std::uint32_t>(whole, 16) != checksum(whole, payload)) {
      lose_byte();
      continue;
    }
    SpoolRecord out{get<std::uint64_t>(whole, 8), std::string(payload)};
    skip(whole.size());
    in_damage_ = false;
    return out;
  }
  pass_over_rest();
  return std::nullopt;
}

void SegmentReader::pass_over_rest() {
  const auto left = buffer_.size() - taken_;
  if (left == 0) return;
  note_damage(left);
  skip(left);
}

// The next record may start at any byte behind the damage: only its magic word is looked for, its checksum decides.
void SegmentReader::lose_byte() {
  const auto rest = std::string_view(buffer_).substr(taken_ + 1);
  const auto found = rest.find(static_cast<char>(kMagic & 0xff));
  const auto lost = 1 + (found == rest.npos ? rest.size() : found);
  note_damage(lost);
  skip(lost);
}

void SegmentReader::note_damage(std::size_t bytes) {
  if (!in_damage_) ++damages_;
  in_damage_ = true;
  damaged_bytes_ += bytes;
}

}  // namespace ghm::transport
