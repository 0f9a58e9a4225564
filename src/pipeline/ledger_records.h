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

Result<fleet::Board> parse_board(const store::Record& record);
Result<fleet::Host> parse_host(const store::Record& record);

struct KeptLedger {
  std::vector<fleet::Board> boards;
  std::vector<fleet::Host> hosts;
};
/// All boards and hosts of a store. A record that cannot be read is `corrupt`: a board's life must not be forgotten in silence.
Result<KeptLedger> load_ledger(const store::RecordStore& records);

}  // namespace ghm::pipeline
