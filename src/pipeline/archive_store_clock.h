#pragma once
#include <algorithm>

#include "domain/store/telemetry_store.h"

namespace ghm::pipeline {

/// The time that a store's maintenance is told while old data come in: their own, so that finished hours are sealed on the way
/// and the unsealed head stays small. Tables that begin again at an earlier time (one per GPU, say) make no progress in data
/// time; then each batch counts for a minute, so that their hours come to rest too.
class ArchiveStoreClock {
 public:
  explicit ArchiveStoreClock(store::TelemetryStore& store) : store_(store) {}

  /// After an append: the newest instant of all rows so far.
  Result<void> rows_until(Timestamp newest) {
    constexpr auto kLateBatch = std::chrono::seconds(61);
    now_ = newest > newest_ ? std::max(now_, newest) : now_ + kLateBatch;
    newest_ = std::max(newest_, newest);
    return seal();
  }

  /// No more rows will come after `newest`: everything is sealed, as far as the store wants to.
  Result<void> finish(Timestamp newest) {
    now_ = std::max(now_, newest) + std::chrono::hours(2);
    for (int look = 0; look < 3; ++look) {
      if (auto done = seal(); !done) return done;
      now_ += std::chrono::minutes(15);
    }
    return {};
  }

 private:
  Result<void> seal() {
    for (;;) {
      const auto more = store_.maintain(now_);
      if (!more) return more.error();
      if (!*more) return {};
    }
  }

  store::TelemetryStore& store_;
  Timestamp now_{}, newest_{};
};

}  // namespace ghm::pipeline
