#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"

/// What agents wrote down at faults (records of kind "evidence", pipeline/snapshot_records.h), put together again.
namespace ghm::services {

struct SnapshotsFound {
  std::vector<nlohmann::ordered_json> documents;  // views::snapshot_document(), the nearest to the fault first; at most 8
  bool all = true;
};
/// Of a board, and of `host` as such.
Result<SnapshotsFound> board_snapshots(const store::RecordStore& records, const fleet::Board& board, const std::string& host,
                                       TimeRange range, Timestamp fault);

/// [{"at","gpu","host","id"}] of an incident's record (kind "incident"): what was written down of its parts, the oldest first. Reads the
/// evidence of at most 16 boards and hosts.
Result<nlohmann::ordered_json> incident_snapshots(const store::RecordStore& records, const store::Record& incident);

/// Who watched a host.
struct HostAgents {
  bool heard = false;
  bool takes_snapshots = false;
  std::optional<Timestamp> since;  // when the first of them was heard first; nullopt: not known
  std::string version;
};
Result<HostAgents> host_agents(const store::RecordStore& records, const std::string& host);

/// One sentence. `skipped`: what the agent itself said about snapshots that it left out.
std::string why_no_snapshot(const HostAgents& agents, Timestamp fault, const std::vector<std::string>& skipped);

}  // namespace ghm::services
