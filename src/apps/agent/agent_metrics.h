#pragma once
#include <string>

#include "apps/agent/sender.h"
#include "apps/agent/snapshot_taker.h"
#include "domain/transport/spool.h"

namespace ghm::agent {

/// What the agent knows about itself at one instant.
struct AgentState {
  std::uint64_t scrapes_ok = 0, scrapes_failed = 0, rounds = 0, events = 0;
  transport::SpoolStats spool;
  SenderStats sender;
  bool all_delivered = false;
  SnapshotTaker::Stats snapshots = {};
  std::map<std::string, std::uint64_t> of_sources = {};  // AgentSource::counts_of_own()
};

/// The text of /metrics: names start with ghm_agent_ or process_.
std::string agent_metrics(const AgentState& state);

/// The document of /healthz. The agent is well as long as it can say so: a server that is away is the spool's business, and no
/// reason to start the agent anew.
std::string agent_health(const AgentState& state);

}  // namespace ghm::agent
