#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"
#include "domain/views/fleet_snapshot.h"

/// What the records tell of one board, for an evidence bundle: incidents, events, kernel lines, moves and repairs.
namespace ghm::services {

using Json = nlohmann::ordered_json;

/// Calls `visit` for the records of a kind in `range`, the newest first; false from it ends the walk. Returns false when there were more
/// than `most`.
Result<bool> each_recent(const store::RecordStore& records, std::string_view kind, TimeRange range, std::size_t most,
                         const std::function<bool(const store::Record&)>& visit);

/// The board's fault, and from where it is known.
struct RmaFault {
  Timestamp at{};
  std::string why;     // one sentence
  bool known = false;  // else nothing speaks of one, and `at` is the time of asking
};

struct RmaIncidents {
  Json items = Json::array();  // as GET incidents/{id}, the newest first
  RmaFault newest;             // of the incidents that touch the board itself, the newest of the most severe
  bool all = true;             // else there were too many records to look at
};
Result<RmaIncidents> rma_incidents(const store::RecordStore& records, const fleet::Board& board, Timestamp now);

/// The fault from what is told, else from incidents, else from the newest Xid, else none.
Result<RmaFault> rma_fault(const store::RecordStore& records, const fleet::Board& board, const RmaIncidents& incidents,
                           std::optional<Timestamp> told, Timestamp now);

struct RmaEvents {
  std::string csv;                  // time,about,kind,code,detail,fields: oldest first
  std::vector<std::string> kernel;  // "TIME  text", oldest first
  std::size_t count = 0;
  std::size_t kernel_gaps = 0;  // times that the kernel's log was overwritten before it was read
  bool all = true;
};
/// Of the board, and of `host` as such.
Result<RmaEvents> rma_events(const store::RecordStore& records, fleet::BoardId board, const std::string& host, TimeRange range);

struct RmaHistory {
  Json intervals = Json::array();  // slots, names, firmware, silence; the newest first
  Json repairs = Json::array();    // failures with their resolution, repair cases, maintenance; the newest first
  std::string host;                // where the board stood at `at`; empty: not known
};
Result<RmaHistory> rma_history(const store::RecordStore& records, const views::FleetSnapshot& fleet, const fleet::Board& board,
                               Timestamp at, Timestamp now);

}  // namespace ghm::services
