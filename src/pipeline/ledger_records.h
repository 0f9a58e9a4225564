#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"

/// The ledger as records: how boards, hosts and what happened to them are kept for life. Bodies are JSON, so that a
/// later version (or a person with sqlite3) reads them without this code.
namespace ghm::pipeline {

store::Record to_record(const fleet::Board& board);
store::Record to_record(const fleet::Host& host);
/// Kind "event"; `sequence` keeps events of one millisecond apart and in order. `board`: the board it is about, or nullptr.
store::Record to_record(const fleet::FleetEvent& event, const fleet::Board* board, std::uint64_t sequence);

/// Kind "interval", key "<board>/<kind>/<from>/<hash>": one that has ended. The same interval has the same key.
store::Record to_record(const fleet::Interval& ended);
/// Kind "open", key "<board>": all that hold now.
store::Record to_record(fleet::BoardId board, const std::vector<fleet::Interval>& open, Timestamp now);
/// Kind "maintenance".
store::Record to_record(const fleet::Maintenance& maintenance);
/// Kind "asset", key "<board>/<deployed at>/<hash of the place>": what an inventory says of one stay of a board. The board's own
/// record carries the newest; all of them are kept for whoever asks for a whole life.
store::Record to_record(fleet::BoardId board, const fleet::Asset& asset);
Result<fleet::Asset> parse_asset(const store::Record& record);
/// A board's stays, the earliest first.
Result<std::vector<fleet::Asset>> board_assets(const store::RecordStore& records, fleet::BoardId board);
/// All of a ledger's changes, events last; `sequence` is counted on.
std::vector<store::Record> to_records(const fleet::Ledger::Changes& changes, const fleet::Ledger& ledger, Timestamp now,
                                      std::uint64_t& sequence);

Result<fleet::Board> parse_board(const store::Record& record);
Result<fleet::Host> parse_host(const store::Record& record);

/// The intervals of one record: one that has ended, or all open ones.
Result<std::vector<fleet::Interval>> parse_intervals(const store::Record& record);
Result<fleet::Maintenance> parse_maintenance(const store::Record& record);

/// A store's whole ledger. A record that cannot be read is `corrupt`: a board's life must not be forgotten in silence.
Result<fleet::Ledger::Kept> load_ledger(const store::RecordStore& records);

/// What the store knows of a board's past and present: ended and open intervals, by time. `kind` empty: all kinds.
Result<std::vector<fleet::Interval>> board_intervals(const store::RecordStore& records, fleet::BoardId board, std::string_view kind = {});

}  // namespace ghm::pipeline
