#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/fleet/ledger.h"
#include "domain/health/health.h"

namespace ghm::views {

/// One board as a person sees it: ledger, score and the few readings that lists show.
struct BoardView {
  fleet::Board board;
  bool silent = false;
  std::shared_ptr<const health::Report> health;  // nullptr: not scored yet
  std::optional<double> temperature, memory_temperature, power, utilisation,
      sm_clock;                                     // newest, canonical units; nullopt when older than 3 intervals
  std::shared_ptr<const telemetry::Workload> work;  // what its page says that runs on it; nullptr: nothing
};

/// An anomaly that lasts, of a board or of a host.
struct OpenAnomaly {
  fleet::BoardId board{};  // none: of the host
  std::string host;
  telemetry::MetricId metric{};
  std::string_view detector, severity;  // of constant texts
  Timestamp since{};
  std::string sentence;  // without a name: "GPU temperature: …"
};

struct HostView {
  fleet::Host host;
  bool silent = false;
  std::vector<std::size_t> boards;  // indices into FleetSnapshot::boards, by slot
};

/// Refused values: how many, by reason, source and metric.
struct RefusedCount {
  std::string source, metric, reason;
  std::uint64_t count = 0;
};

/// An agent that has been heard since the server started.
struct AgentView {
  std::string host, id, version;         // id: 32 hex digits, of its spool's life
  Timestamp heard{};                     // its last batch
  Timestamp newest{};                    // its newest round
  std::chrono::milliseconds behind{};    // its clock; 0 while it is within 30 s, ahead is negative
  std::uint64_t rounds = 0, events = 0;  // taken
};

/// Serial and UUID (as printed) -> index into FleetSnapshot::boards.
using NameIndex = std::map<std::string, std::size_t, std::less<>>;

/// The fleet at one instant. Immutable: the ingest thread publishes a new one about once a second, every request of
/// the API reads the one that is current, so an answer is consistent in itself and takes no lock.
struct FleetSnapshot {
  Timestamp as_of{};
  std::uint64_t generation = 0;
  std::vector<BoardView> boards;                                             // in layout order: region, datacenter, rack, host, slot
  std::vector<HostView> hosts;                                               // same order
  std::shared_ptr<const NameIndex> by_name = std::make_shared<NameIndex>();  // shared while nobody comes, goes or moves; never null
  std::uint64_t accepted = 0, refused = 0;                                   // values since start
  std::vector<RefusedCount> refused_by;                                      // largest first, at most 1,000
  std::uint64_t scrapes_ok = 0, scrapes_failed = 0;
  std::vector<AgentView> agents;           // by host
  std::vector<fleet::Conflict> conflicts;  // claims that cannot both be true, now
  fleet::MaintenanceBook maintenance;      // all windows, ended ones too
  std::vector<OpenAnomaly> anomalies;      // that are open
};

}  // namespace ghm::views
