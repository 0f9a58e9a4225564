#pragma once
#include <span>

#include "core/result.h"
#include "domain/store/record_store.h"
#include "domain/store/telemetry_store.h"

namespace ghm::store {

/// A store that keeps rows and records together: what was received, and that it was received, are one fact.
class AtomicStore {
 public:
  virtual ~AtomicStore() = default;
  /// All of both or none, durable on return; otherwise like TelemetryStore::append and RecordStore::put.
  virtual Result<void> keep(std::span<const RowBatch> rows, std::span<const Record> records) = 0;
};

}  // namespace ghm::store
