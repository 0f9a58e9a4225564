#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/transport/host_round.h"
#include "domain/transport/values_coder.h"

namespace ghm::wire {
class TelemetryBatch;
class Round;
class Layout;
}  // namespace ghm::wire

/// The batch that crosses a process boundary: one Protobuf message (telemetry_batch.proto) in one zstd frame.
namespace ghm::transport {

inline constexpr std::uint32_t kBatchVersion = 1;
inline constexpr std::size_t kAgentIdBytes = 16;

// What is read at most; anything beyond is refused before memory is taken for it.
inline constexpr std::size_t kLargestBatch = 8u << 20;  // bytes, unpacked
inline constexpr std::size_t kMostRounds = 1024;        // of one batch
inline constexpr std::size_t kMostCells = 4u << 20;     // values, over all rounds (32 MB)
inline constexpr std::size_t kMostObjects = 200'000;    // nested messages and texts

struct BatchHeader {
  std::string agent;           // kAgentIdBytes bytes
  std::string host;            // its name
  std::string agent_version;   // empty unless the batch stands alone
  telemetry::LabelMap labels;  // where the host stands; likewise
  Timestamp sent_at{};         // the host's clock
  std::chrono::milliseconds sent_since_boot{};
  std::string boot_id;  // of the boot in which it is sent
};

struct Batch {
  BatchHeader header;
  bool stands_alone = false;
  std::vector<HostRound> rounds;  // by rising sequence; rounds of one layout share it
};

/// Writes batches as differences from what it wrote before. One owner.
class BatchEncoder {
 public:
  BatchEncoder();
  ~BatchEncoder();
  BatchEncoder(BatchEncoder&&) noexcept;

  /// `rounds`: at least one, rising sequences, together at most the limits above. Texts that are no UTF-8 are escaped.
  /// About 10 ns per value.
  std::string encode(const BatchHeader& header, std::span<const HostRound> rounds);
  /// The next batch stands alone: the other end may not have what was written last.
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A batch that is unpacked and well-formed, but still in differences. Needs no state, so any thread may make one.
class PackedBatch {
 public:
  /// invalid_input, in one sentence: no zstd frame, too large, damaged, not this message. unavailable: of a newer version
  /// (it is fine, but somebody must update this end first).
  static Result<PackedBatch> open(std::string_view bytes);
  ~PackedBatch();
  PackedBatch(PackedBatch&&) noexcept;
  PackedBatch& operator=(PackedBatch&&) noexcept;

  const BatchHeader& header() const { return header_; }
  /// The round that it differs from; 0: it stands alone.
  std::uint64_t base() const;
  const wire::TelemetryBatch& message() const { return *message_; }

 private:
  PackedBatch();
  std::unique_ptr<wire::TelemetryBatch> message_;
  BatchHeader header_;
};

/// Reads what one encoder wrote. One owner.
class BatchDecoder {
 public:
  BatchDecoder();
  ~BatchDecoder();
  BatchDecoder(BatchDecoder&&) noexcept;
  BatchDecoder& operator=(BatchDecoder&&) noexcept;

  /// conflict: it differs from a round that this decoder did not read last; send it standing alone. invalid_input:
  /// malformed. After an error only a batch that stands alone can be read.
  Result<Batch> decode(const PackedBatch& packed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ghm::transport
