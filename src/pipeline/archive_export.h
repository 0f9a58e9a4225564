#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"
#include "domain/store/telemetry_store.h"

/// A fleet's history as an archive that import_archive() reads back to the same readings, stays, events and failures.
namespace ghm::pipeline {

struct ExportOptions {
  std::filesystem::path folder;
  std::optional<Timestamp> from, to;  // from <= t < to, of telemetry, events and failures; stays are told as a whole
  bool zstd = false;
};

struct ExportPorts {
  const store::TelemetryStore& telemetry;
  const store::RecordStore& records;
  std::vector<Timestamp> days;  // starts of the UTC days that may have readings
  std::function<void(std::size_t done, std::size_t of)> progress = [](std::size_t, std::size_t) {};  // hours of readings
};

struct ExportReport {
  std::uint64_t boards = 0, stays = 0, events = 0, failures = 0, rows = 0, cells = 0;  // rows, cells: of this run
  std::size_t days_written = 0, days_there = 0;
  bool was_there = false;  // the folder holds this export already, whole: nothing was done
  std::vector<std::string> warnings;
};

/// Makes the folder. A table stands under its name once it is whole; manifest.json comes last. Killed at any point it goes on,
/// day by day, when run again with the same options. conflict: the folder holds something else. Memory: some 300 MiB for 10,000
/// boards.
Result<ExportReport> export_archive(const ExportOptions& options, const fleet::Ledger& ledger, const ExportPorts& ports);

}  // namespace ghm::pipeline
