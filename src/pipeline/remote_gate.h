#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "pipeline/keeper.h"

namespace ghm::pipeline {

/// Senders that wait until what they sent is durable. Each hears exactly once: from the keeper, or, when that is stuck, from
/// whoever notices. What was kept after all is sent again and stored once. Any thread.
class RemoteGate {
 public:
  /// Requests under way at once; their readings stand in memory.
  static constexpr std::size_t kMostWaiting = 256;
  /// What to call when it is durable, or why not. nullopt: too many wait, or the server ends; then `answer` has heard so.
  std::optional<Told> enter(Told answer);
  void fail_all(const Error& why);
  /// fail_all(), and nobody enters any more.
  void close();

 private:
  void answer(std::uint64_t number, const Result<void>& outcome);
  std::mutex mutex_;  // guards what follows
  std::map<std::uint64_t, Told> waiting_;
  std::uint64_t next_ = 0;
  bool closed_ = false;
};

}  // namespace ghm::pipeline
