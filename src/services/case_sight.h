#pragma once
#include <string>

#include "domain/fleet/repair_case.h"
#include "domain/views/fleet_snapshot.h"

namespace ghm::services {

/// Why nothing can be learnt now about a repair: the thing is silent, out of service, under maintenance, or idle. Empty: it is seen at
/// work (20 % utilisation; of a host: one board). O(log boards); of a host or of a board without a serial O(boards).
std::string why_unseen(const fleet::RepairCase& c, const views::FleetSnapshot& fleet, Timestamp now);

}  // namespace ghm::services
