#pragma once
#include "apps/agent/agent.h"

namespace ghm::agent {

/// What is watched beside the exporter's page, as the configuration wants it.
Agent::Sources make_sources(const AgentConfig& config, const Log& log);

}  // namespace ghm::agent
