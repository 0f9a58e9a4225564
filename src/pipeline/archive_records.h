#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/archive/refusals.h"
#include "adapters/archive/rows.h"
#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"

/// An archive's events and failures as records, and how far an import has come.
namespace ghm::pipeline {

/// What an archive calls a board: its UUID, else its serial, else where it stands.
std::string archive_uuid(const fleet::Board& board);

/// Kind "event", as the ledger's own are kept, with the archive's `code` beside. The key follows from the row alone, so that the
/// same row is the same record however often it is imported. `board`: whom it is about, or nullptr.
store::Record to_record(const archive::EventRow& row, const fleet::Board* board);
/// The row that an event record is in an archive. A kind that the format does not have becomes a `note` whose code is "own:" and that kind;
/// to_record() turns it back.
Result<archive::EventRow> parse_event(const store::Record& record, const fleet::Ledger& ledger);

/// Kind "failure": the columns of failures.csv under their names, and the board's number.
store::Record to_record(const archive::FailureRow& row, const fleet::Board& board);
Result<archive::FailureRow> parse_failure(const store::Record& record);

/// Kind "import": how far one archive has come. Written after the rows that it counts are durable.
struct ImportProgress {
  std::string identity, name;
  bool done = false;
  std::uint64_t boards = 0, stays = 0, events = 0, failures = 0, rows = 0, cells = 0;
  archive::Refusals refusals;  // up to `place`
  std::string file;            // the telemetry table that is being read; empty before the first
  std::uint64_t offset = 0, line = 1;
  std::optional<Timestamp> first, last;  // of the rows kept
};
store::Record to_record(const ImportProgress& progress);
Result<ImportProgress> parse_import(const store::Record& record);

}  // namespace ghm::pipeline
