#pragma once
#include <span>

#include "services/scoring_inputs.h"

namespace ghm::services {

/// Gives each input the SM clocks of the boards of its model on its host: 24 h of each. Only where it matters: inputs whose
/// readings have a power limit. One read for all of them. `inputs` are those of `boards`, which are some of `host`.
Result<void> add_host_peers(const store::TelemetryStore& telemetry, std::span<const fleet::Board* const> host,
                            std::span<const fleet::Board* const> boards, Timestamp now, std::span<health::Input> inputs);

}  // namespace ghm::services
