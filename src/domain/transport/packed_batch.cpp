// The way in for bytes that anybody may have made. Two kinds of bombs are refused before memory is taken: a frame that claims
// to unpack to more than a batch may have, and a message of millions of two-byte objects, each of which would become a
// hundred bytes here. So the wire is walked once to count.
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <zstd.h>

#include <optional>

#include "core/handle.h"
#include "domain/transport/batch_codec.h"

#include <telemetry_batch.pb.h>

namespace ghm::transport {
namespace {

using google::protobuf::io::CodedInputStream;

// The library prints a line for every text that is no UTF-8: whoever sends such must not fill the log.
const bool kQuiet = (google::protobuf::SetLogHandler(nullptr), true);

Error malformed(std::string_view what) {
  return {Errc::invalid_input, fmt::format("batch: {}", what)};
}

using Unpacker = Handle<ZSTD_DCtx, ZSTD_freeDCtx>;

Result<std::string> unpack(std::string_view bytes) {
  const auto claimed = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (claimed == ZSTD_CONTENTSIZE_ERROR) return malformed("not a zstd frame: expected what ghm-agent sends");
  if (claimed == ZSTD_CONTENTSIZE_UNKNOWN) return malformed("its zstd frame does not say how long it is");
  if (claimed > kLargestBatch)
    return malformed(fmt::format("unpacks to {} bytes, at most {} are read: send fewer rounds at once", claimed, kLargestBatch));
  thread_local const Unpacker unpacker(ZSTD_createDCtx());
  std::string out(claimed, '\0');
  const auto n = ZSTD_decompressDCtx(unpacker.get(), out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(n) || n != claimed) return malformed("its zstd frame is damaged");
  return out;
}

/// Which fields of a message are messages themselves, so that what is in them counts too.
struct Kind {
  struct Inner {
    std::uint32_t field;
    const Kind* kind;
  };
  std::span<const Inner> inner;
};
constexpr Kind kLeaf{};
constexpr Kind::Inner kInLabels[] = {{2, &kLeaf}};
constexpr Kind kLabels{kInLabels};
constexpr Kind::Inner kInLayout[] = {{1, &kLeaf}, {6, &kLabels}, {7, &kLeaf}};
constexpr Kind kLayout{kInLayout};
constexpr Kind::Inner kInEvent[] = {{3, &kLeaf}, {6, &kLeaf}};
constexpr Kind kEvent{kInEvent};
constexpr Kind::Inner kInJob[] = {{1, &kLeaf}, {4, &kLeaf}};
constexpr Kind kJob{kInJob};
constexpr Kind::Inner kInJobs[] = {{1, &kJob}};
constexpr Kind kJobs{kInJobs};
constexpr Kind::Inner kInFacts[] = {{1, &kLeaf}};
constexpr Kind kFacts{kInFacts};
constexpr Kind::Inner kInSnapshot[] = {{4, &kLeaf}};
constexpr Kind kSnapshot{kInSnapshot};
constexpr Kind::Inner kInRound[] = {{6, &kLayout}, {7, &kLeaf},   {8, &kLeaf},  {12, &kEvent},
                                    {13, &kJobs},  {14, &kFacts}, {15, &kLeaf}, {17, &kSnapshot}};
constexpr Kind kRound{kInRound};
constexpr Kind::Inner kInBatch[] = {{5, &kLeaf}, {9, &kRound}};
constexpr Kind kBatch{kInBatch};

const Kind* inner_of(const Kind& kind, std::uint32_t field) {
  for (const auto& i : kind.inner)
    if (i.field == field) return i.kind;
  return nullptr;
}

/// Adds the length-delimited fields of `message` and of the messages in it to `count`; false when it is malformed.
bool count_objects(std::string_view message, const Kind& kind, std::size_t& count) {
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(message.data()), static_cast<int>(message.size()));
  while (static_cast<std::size_t>(in.CurrentPosition()) < message.size()) {
    const auto tag = in.ReadTag();
    if (tag >> 3 == 0) return false;
    std::uint64_t number = 0;
    std::uint32_t word = 0;
    switch (tag & 7) {
      case 0:
        if (!in.ReadVarint64(&number)) return false;
        break;
      case 1:
        if (!in.ReadLittleEndian64(&number)) return false;
        break;
      case 2: {
        if (!in.ReadVarint32(&word)) return false;
        const auto at = static_cast<std::size_t>(in.CurrentPosition());
        if (word > message.size() - at) return false;
        if (++count > kMostObjects) return true;  // enough is known
        if (const auto* inner = inner_of(kind, tag >> 3); inner && !count_objects(message.substr(at, word), *inner, count)) return false;
        if (!in.Skip(static_cast<int>(word))) return false;
        break;
      }
      case 5:
        if (!in.ReadLittleEndian32(&word)) return false;
        break;
      default: return false;  // groups are no part of this message
    }
  }
  return true;
}

BatchHeader header_of(const wire::TelemetryBatch& m) {
  BatchHeader h{
      m.agent(),       m.host(), m.agent_version(), {}, from_unix_ms(m.sent_at_ms()), std::chrono::milliseconds(m.sent_since_boot_ms()),
      m.sent_boot_id()};
  h.labels.insert(m.labels().begin(), m.labels().end());
  return h;
}

std::string why_unusable(const wire::TelemetryBatch& m) {
  if (m.agent().size() != kAgentIdBytes) return fmt::format("an agent id of {} bytes, expected {}", m.agent().size(), kAgentIdBytes);
  if (m.host().empty() || m.host().size() > 255) return "a host name of 1 to 255 bytes is expected";
  if (m.rounds_size() == 0) return "no round in it";
  if (static_cast<std::size_t>(m.rounds_size()) > kMostRounds)
    return fmt::format("{} rounds, at most {} are read", m.rounds_size(), kMostRounds);
  constexpr std::int64_t kYear2500 = 16'725'225'600'000, kYear1970 = 0;  // arithmetic on times stays far from its ends
  if (m.sent_at_ms() < kYear1970 || m.sent_at_ms() > kYear2500) return "a sending time that is none";
  return {};
}

}  // namespace

PackedBatch::PackedBatch() : message_(std::make_unique<wire::TelemetryBatch>()) {}
PackedBatch::~PackedBatch() = default;
PackedBatch::PackedBatch(PackedBatch&&) noexcept = default;
PackedBatch& PackedBatch::operator=(PackedBatch&&) noexcept = default;

std::uint64_t PackedBatch::base() const {
  return message_->base();
}

Result<PackedBatch> PackedBatch::open(std::string_view bytes) {
  const auto plain = unpack(bytes);
  if (!plain) return plain.error();
  std::size_t objects = 0;
  if (!count_objects(*plain, kBatch, objects)) return malformed("not a TelemetryBatch: the protobuf message is damaged");
  if (objects > kMostObjects) return malformed(fmt::format("more than {} objects in it: send fewer rounds at once", kMostObjects));
  PackedBatch out;
  auto& m = *out.message_;
  if (!m.ParseFromArray(plain->data(), static_cast<int>(plain->size())))
    return malformed("not a TelemetryBatch: the protobuf message is damaged");
  if (m.version() > kBatchVersion)
    return Error{Errc::unavailable,
                 fmt::format("batch: it is of version {}, and up to {} is read here: update the server before its agents", m.version(),
                             kBatchVersion)};
  if (m.version() == 0) return malformed("it does not say its version: expected what ghm-agent sends");
  if (const auto why = why_unusable(m); !why.empty()) return malformed(why);
  out.header_ = header_of(m);
  return out;
}

}  // namespace ghm::transport
