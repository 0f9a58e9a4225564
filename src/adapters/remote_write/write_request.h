#pragma once
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

/// What a Prometheus server sends with remote_write, as plain values. Source: "Prometheus Remote-Write 1.0 specification".
namespace ghm::remote_write {

struct Label {
  std::string name, value;  // "__name__" is the metric's own
};

struct Sample {
  double value = 0;
  Timestamp at{};  // any 64-bit number: the sender's
};

struct Series {
  std::vector<Label> labels;  // sorted by name, says the specification; not checked
  std::vector<Sample> samples;
};

/// What an exporter says of a metric in prose; comes in requests of its own, without the labels of who said it.
struct Help {
  std::string family, text;
};

struct WriteRequest {
  std::vector<Series> series;
  std::vector<Help> help;
};

/// Prometheus writes this NaN when a series has ended: it is no value. Source: prometheus/model/value.
inline constexpr std::uint64_t kStaleBits = 0x7ff0'0000'0000'0002ull;
inline bool is_stale_marker(double value) {
  return std::bit_cast<std::uint64_t>(value) == kStaleBits;
}

inline constexpr std::size_t kLargestBody = 64u << 20;  // bytes, uncompressed
inline constexpr std::size_t kMostObjects = 2'000'000;  // series, labels and samples of one request: a sender's usual one has 50,000

/// Header lines of a request; empty when absent.
struct Headers {
  std::string_view content_type, content_encoding, version;  // version: X-Prometheus-Remote-Write-Version
};

/// Empty, or one sentence why a body under these headers cannot be read (HTTP 415, on which Prometheus falls back to
/// version 1.0): it must be snappy's block format of a prometheus.WriteRequest.
std::string why_unsupported(const Headers& headers);

/// A snappy block of a protobuf prometheus.WriteRequest. Total: any bytes give a request or one sentence (invalid_input).
/// What a body claims to unpack to, and how many objects it holds, is checked before memory is taken. O(bytes).
Result<WriteRequest> decode(std::string_view body);

}  // namespace ghm::remote_write
