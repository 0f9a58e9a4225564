#include "apps/agent/sources.h"

namespace ghm::agent {

Agent::Sources make_sources(const AgentConfig&, const Log&) {
  return {};
}

}  // namespace ghm::agent
