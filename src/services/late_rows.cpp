#include "services/late_rows.h"

#include <algorithm>

namespace ghm::services {

void LateRows::reading(telemetry::BoardId board, Timestamp until) {
  std::lock_guard lock(mutex_);
  until_[board] = until;
  newest_ = std::max(newest_.load(), to_unix_ms(until));
}

void LateRows::kept(std::span<const store::RowBatch> rows) {
  for (const auto& row : rows) {
    if (to_unix_ms(row.at) > newest_) continue;
    std::lock_guard lock(mutex_);
    for (const auto& key : *row.columns)
      if (const auto known = until_.find(key.board); known != until_.end() && row.at <= known->second) late_.insert(key.board);
  }
}

bool LateRows::take(telemetry::BoardId board) {
  std::lock_guard lock(mutex_);
  return late_.erase(board) > 0;
}

}  // namespace ghm::services
