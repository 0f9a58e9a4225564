#pragma once
#include <atomic>
#include <mutex>
#include <set>
#include <span>
#include <unordered_map>

#include "domain/store/telemetry_store.h"

namespace ghm::services {

/// Notices rows that are kept behind the round that should have seen them. Live rows cost one comparison each. Any thread.
class LateRows {
 public:
  /// The board's readings up to `until` are about to be read: what is kept from now on, up to then, is late.
  void reading(telemetry::BoardId board, Timestamp until);
  /// These rows are durable.
  void kept(std::span<const store::RowBatch> rows);
  /// Whether anything of the board was late since it was last asked; that is then forgotten.
  bool take(telemetry::BoardId board);

 private:
  std::atomic<std::int64_t> newest_{0};  // of all boards, ms
  std::mutex mutex_;                     // guards what follows
  std::unordered_map<telemetry::BoardId, Timestamp> until_;
  std::set<telemetry::BoardId> late_;
};

}  // namespace ghm::services
