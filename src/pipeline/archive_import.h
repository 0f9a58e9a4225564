#pragma once
#include <functional>
#include <string>
#include <vector>

#include "adapters/archive/folder.h"
#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"
#include "domain/store/telemetry_store.h"
#include "pipeline/archive_records.h"

/// A fleet archive into a data folder. Assets become boards of the ledger, events and failures records, telemetry readings under
/// the source `archive/<name>`. At any point it may be killed: run again it goes on behind what is durable, and ends with what an
/// import in one go would have left. Run on a finished one it changes nothing.
namespace ghm::pipeline {

struct ImportReport {
  ImportProgress total;  // of all runs together
  std::vector<std::string> warnings;
  bool went_on = false;         // an earlier run had begun
  bool was_there = false;       // ... and finished: nothing was done
  std::uint64_t cells_now = 0;  // of this run
};

struct ImportPorts {
  store::TelemetryStore& telemetry;
  store::RecordStore& records;
  std::function<void(std::uint64_t bytes)> progress = [](std::uint64_t) {};  // of Folder::telemetry_bytes(), never less than before
  std::size_t values_at_once = 1 << 21;                                      // of one batch: 16 MiB of doubles
};

/// `ledger` as it was loaded from `records`. invalid_input: a table without its required columns, nothing is imported then.
/// corrupt, unavailable: a table cannot be read on, or a store not written; what came before is kept.
/// Memory: 80 MiB, some 300 bytes per board, and 100 per event while events are read.
Result<ImportReport> import_archive(const archive::Folder& from, fleet::Ledger& ledger, const ImportPorts& ports);

}  // namespace ghm::pipeline
