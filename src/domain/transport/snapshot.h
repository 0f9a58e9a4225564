#pragma once
#include <string>
#include <vector>

#include "core/time.h"
#include "domain/telemetry/page.h"
#include "domain/transport/gpu_name.h"

/// What is written down of a GPU at the first sign of a fatal fault, while its host still runs: a reboot takes the rest.
namespace ghm::transport {

/// What one source can say at such a moment.
struct Testimony {
  telemetry::LabelMap facts;             // name → text
  std::vector<std::string> lines;        // as they stand in a log, the oldest first
  std::vector<std::uint32_t> processes;  // that compute on the GPU
  std::string missing;                   // what could not be read, and why: one sentence; empty: nothing
  bool is_empty() const { return facts.empty() && lines.empty() && processes.empty() && missing.empty(); }
  friend bool operator==(const Testimony&, const Testimony&) = default;
};

inline constexpr std::size_t kLargestSnapshot = 192u << 10;  // bytes of a body
inline constexpr std::size_t kMostSnapshots = 64;            // parts in one round
inline constexpr std::size_t kLongestSnapshotWord = 64;      // of an id or a part

/// One part of what was written down. It travels in a round, so it is on disk with the sign and with the server once.
struct Snapshot {
  std::string id;  // of the moment: the same for all its parts
  Timestamp at{};  // of the moment, by the host's clock
  /// "context": what all GPUs of the moment share, kernel lines first; "sign": one GPU (or the host, when `gpu` names none);
  /// "later": what was read of it a moment after.
  std::string part;
  GpuName gpu;
  std::string body;  // one JSON document in ASCII; docs/agent.md has its members
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

}  // namespace ghm::transport
