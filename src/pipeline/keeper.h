#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/mailbox.h"
#include "core/time.h"
#include "domain/fleet/ledger.h"
#include "domain/store/atomic_store.h"
#include "domain/store/record_store.h"
#include "domain/store/telemetry_store.h"
#include "pipeline/believed_time.h"

namespace ghm::pipeline {

/// Hears whether something is durable. Called once, from the keeper's thread; must not block.
using Told = std::function<void(const Result<void>&)>;

/// One thing to keep: rows of a page and the records it caused.
struct ToKeep {
  std::vector<store::RowBatch> rows;
  std::vector<store::Record> records;
  std::vector<Told> told = {};                // who waits for it
  std::vector<store::Record> with_rows = {};  // kept or given up together with the rows: that a batch was taken
  std::vector<fleet::BoardId> urgent = {};    // boards whose scores depend on what is kept here
};

struct KeeperSettings {
  std::chrono::milliseconds gather{100};  // rows of this long share one durable transaction
  /// Hears of rows that are durable, and of boards whose scores depend on what is: score these at once. On the keeper's thread.
  std::function<void(std::span<const store::RowBatch> rows, std::span<const fleet::BoardId> urgent)> kept = {};
};

/// The one thread that writes. It gathers what arrives in a tenth of a second into one transaction, tries again for as
/// long as the store says `unavailable` (a full disk), and gives the store its background time.
class Keeper {
 public:
  Keeper(store::TelemetryStore& telemetry, store::RecordStore& records, KeeperSettings settings, Log log);
  /// Over a store that keeps both in one transaction.
  template <class Store>
  Keeper(Store& store, KeeperSettings settings, Log log) : Keeper(store, store, settings, std::move(log)) {
    both_ = &store;
  }

  /// Runs until `in` is closed and drained. corrupt ends it at once: writing on would make things worse.
  Result<void> run(Mailbox<ToKeep>& in, Clock& clock, std::stop_token stop);

  /// Why nothing can be kept at present; empty when all is well. Any thread.
  std::string trouble() const;

 private:
  Result<void> keep(ToKeep& all, Clock& clock, std::stop_token stop);
  Result<void> write(ToKeep& all);
  Result<void> write_in_turn(ToKeep& all);
  Result<void> maintain(Timestamp now);
  void set_trouble(const std::string& what);

  store::TelemetryStore& telemetry_;
  store::RecordStore& records_;
  store::AtomicStore* both_ = nullptr;
  KeeperSettings settings_;
  Log log_;
  Timestamp next_maintenance_{};
  BelievedTime believed_;
  mutable std::mutex mutex_;  // guards trouble_
  std::string trouble_;
};

}  // namespace ghm::pipeline
