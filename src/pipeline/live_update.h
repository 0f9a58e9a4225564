#pragma once
#include <cstdint>
#include <vector>

#include "domain/fleet/ledger.h"
#include "domain/views/fleet_snapshot.h"

namespace ghm::pipeline {

/// What the lists show of a board right now; absent() where the last page did not say.
struct LiveValues {
  double temperature, memory_temperature, power, utilisation, sm_clock;
};

struct LiveBoard {
  fleet::BoardId id{};
  Timestamp last_seen{};
  bool silent = false;
  LiveValues values{};
};

struct LiveHost {
  fleet::BoardId id{};
  Timestamp last_answer{};
  bool silent = false;
};

/// What the ingest thread tells the view once a second: whole records of what changed, a few numbers of all the rest.
struct LiveUpdate {
  Timestamp as_of{};
  std::vector<fleet::Board> boards;  // changed since the update before
  std::vector<fleet::Host> hosts;
  std::vector<LiveBoard> live;       // every board
  std::vector<LiveHost> live_hosts;  // every host
  std::vector<fleet::Conflict> conflicts;
  std::vector<fleet::Maintenance> maintenance;
  std::vector<views::AgentView> agents;
  std::vector<views::OpenAnomaly> anomalies;                                                // all that are open
  std::vector<std::pair<fleet::BoardId, std::shared_ptr<const telemetry::Workload>>> work;  // changed since the update before
  std::vector<views::RefusedCount> refused_by;
  std::uint64_t accepted = 0, refused = 0, scrapes_ok = 0, scrapes_failed = 0;
};

}  // namespace ghm::pipeline
