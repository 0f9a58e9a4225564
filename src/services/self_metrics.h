#pragma once
#include <array>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "domain/store/telemetry_store.h"
#include "domain/views/fleet_snapshot.h"
#include "pipeline/agent_ingest.h"
#include "pipeline/ingest.h"
#include "pipeline/remote_ingest.h"
#include "services/scoring.h"

namespace ghm::services {

/// How the API's requests went, by route and status. Any thread.
class RequestCounts {
 public:
  void add(int status, std::string_view route, double seconds);
  struct Row {
    std::uint64_t count = 0;
    double seconds = 0;
  };
  std::map<std::pair<std::string, int>, Row> rows() const;

 private:
  mutable std::mutex mutex_;  // guards rows_
  std::map<std::pair<std::string, int>, Row, std::less<>> rows_;
};

/// What the program knows about itself at one instant.
struct SelfState {
  pipeline::IngestStats ingest;
  pipeline::RemoteStats remote;
  pipeline::AgentStats agents;
  store::StoreStats store;
  ScoringStats scoring;
  std::uint64_t missed_scrapes = 0;
  std::size_t targets = 0;
  bool keeping = true;  // false while the store cannot be written
};

/// The text of /metrics: the program's own health, in Prometheus' exposition format. Names start with ghm_ or process_.
std::string self_metrics(const SelfState& self, const views::FleetSnapshot& fleet, const RequestCounts& requests);

}  // namespace ghm::services
