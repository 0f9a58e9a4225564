// The way in for bytes that anybody may have made. Two kinds of bombs are refused before memory is taken: a snappy block
// that claims to unpack to more than it can, and a message of millions of two-byte objects, each of which would become a
// hundred bytes here. So the wire is walked once to count, and then read one series at a time.
#include "adapters/remote_write/write_request.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <snappy.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include <remote_write.pb.h>

namespace ghm::remote_write {
namespace {

using google::protobuf::io::CodedInputStream;

// Fields of prometheus.WriteRequest and, of those counted, of TimeSeries.
constexpr std::uint32_t kTimeSeries = 1, kMetadata = 3;
constexpr std::uint32_t kWireVarint = 0, kWireFixed64 = 1, kWireBytes = 2, kWireFixed32 = 5;

// A copy element of three bytes yields 64. Source: snappy's format_description.txt.
constexpr std::size_t kMostPerByte = 22;

Error malformed(std::string_view what) {
  return {Errc::invalid_input, fmt::format("remote_write body: {}", what)};
}

Result<std::string> unpack(std::string_view body) {
  std::size_t length = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &length))
    return malformed("not a snappy block: expected snappy's block format (not its framing format) of a prometheus.WriteRequest");
  if (length > kLargestBody)
    return malformed(
        fmt::format("unpacks to {} bytes, at most {} are read: lower queue_config.max_samples_per_send", length, kLargestBody));
  if (length / kMostPerByte > body.size())
    return malformed(fmt::format("{} bytes cannot unpack to the {} that they claim", body.size(), length));
  std::string out(length, '\0');
  if (!snappy::RawUncompress(body.data(), body.size(), out.data())) return malformed("the snappy block is damaged");
  return out;
}

/// Calls `f(field, bytes)` for each length-delimited field of a message and passes over the others; false when it is malformed.
template <class F>
bool for_each_field(std::string_view message, F&& f) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(message.data());
  CodedInputStream in(bytes, static_cast<int>(message.size()));
  while (static_cast<std::size_t>(in.CurrentPosition()) < message.size()) {
    const auto tag = in.ReadTag();
    std::uint64_t number = 0;
    std::uint32_t word = 0;
    if (tag >> 3 == 0) return false;
    switch (tag & 7) {
      case kWireVarint:
        if (!in.ReadVarint64(&number)) return false;
        break;
      case kWireFixed64:
        if (!in.ReadLittleEndian64(&number)) return false;
        break;
      case kWireFixed32:
        if (!in.ReadLittleEndian32(&word)) return false;
        break;
      case kWireBytes: {
        if (!in.ReadVarint32(&word)) return false;
        const auto at = static_cast<std::size_t>(in.CurrentPosition());
        if (word > message.size() - at || !in.Skip(static_cast<int>(word))) return false;
        if (!f(tag >> 3, message.substr(at, word))) return false;
        break;
      }
      default: return false;  // groups are no part of this message
    }
  }
  return true;
}

/// Series, labels, samples and metadata of a message; nullopt when it is malformed.
std::optional<std::size_t> count_objects(std::string_view message) {
  std::size_t count = 0;
  const bool whole = for_each_field(message, [&](std::uint32_t field, std::string_view bytes) {
    ++count;
    if (field != kTimeSeries) return true;
    return for_each_field(bytes, [&](std::uint32_t, std::string_view) {
      ++count;
      return true;
    });
  });
  return whole ? std::optional(count) : std::nullopt;
}

Series to_series(prometheus::TimeSeries& wire) {
  Series out;
  out.labels.reserve(static_cast<std::size_t>(wire.labels_size()));
  out.samples.reserve(static_cast<std::size_t>(wire.samples_size()));
  for (auto& l : *wire.mutable_labels()) out.labels.push_back({std::move(*l.mutable_name()), std::move(*l.mutable_value())});
  for (const auto& s : wire.samples()) out.samples.push_back({s.value(), from_unix_ms(s.timestamp())});
  return out;
}

bool read(std::string_view message, WriteRequest& out) {
  prometheus::TimeSeries series;
  prometheus::MetricMetadata metadata;
  return for_each_field(message, [&](std::uint32_t field, std::string_view bytes) {
    const auto size = static_cast<int>(bytes.size());
    if (field == kTimeSeries) {
      if (!series.ParseFromArray(bytes.data(), size)) return false;
      if (series.samples_size() > 0) out.series.push_back(to_series(series));
    } else if (field == kMetadata) {
      if (!metadata.ParseFromArray(bytes.data(), size)) return false;
      out.help.push_back({std::move(*metadata.mutable_metric_family_name()), std::move(*metadata.mutable_help())});
    }
    return true;
  });
}

std::string lower_without_blanks(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' && c != '\t') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

std::string why_unsupported(const Headers& headers) {
  const auto type = lower_without_blanks(headers.content_type);
  const auto parameters = type.find(';') == type.npos ? std::string_view() : std::string_view(type).substr(type.find(';') + 1);
  if (type.substr(0, type.find(';')) != "application/x-protobuf")
    return fmt::format("Content-Type '{}': expected application/x-protobuf, a Prometheus remote_write request", headers.content_type);
  if (parameters.starts_with("proto=") && parameters != "proto=prometheus.writerequest")
    return fmt::format("Content-Type '{}': only remote_write 1.0 is read here: expected proto=prometheus.WriteRequest",
                       headers.content_type);
  if (lower_without_blanks(headers.content_encoding) != "snappy")
    return fmt::format("Content-Encoding '{}': expected snappy", headers.content_encoding);
  if (!headers.version.empty() && !headers.version.starts_with("0.1.") && !headers.version.starts_with("1."))
    return fmt::format("X-Prometheus-Remote-Write-Version '{}': expected 0.1.0", headers.version);
  return {};
}

Result<WriteRequest> decode(std::string_view body) {
  const auto message = unpack(body);
  if (!message) return message.error();
  const auto objects = count_objects(*message);
  if (!objects) return malformed("not a prometheus.WriteRequest: the protobuf message is damaged");
  if (*objects > kMostObjects)
    return malformed(
        fmt::format("{} series, labels and samples, at most {} are read: lower queue_config.max_samples_per_send", *objects, kMostObjects));
  WriteRequest out;
  if (!read(*message, out)) return malformed("not a prometheus.WriteRequest: a series is damaged");
  return out;
}

}  // namespace ghm::remote_write
