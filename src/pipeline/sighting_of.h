#pragma once
#include <vector>

#include "domain/fleet/ledger.h"
#include "domain/telemetry/page.h"
#include "domain/telemetry/target.h"

namespace ghm::pipeline {

/// Whom a source speaks for, as the ledger sees it. The host's name: the target's label `host`, else the first Hostname of
/// `gpus` (may be null) that is not "localhost", else the host of the target's address. Place: region, datacenter, rack.
fleet::Sighting sighting_of(const telemetry::Target& target, const std::vector<telemetry::GpuIdentity>* gpus, bool simulated,
                            std::chrono::milliseconds interval, Timestamp at);

/// "gpu-host-1" of "gpu-host-1:9400", "::1" of "[::1]:9400".
std::string host_of_address(std::string_view address);

}  // namespace ghm::pipeline
