#pragma once
#include "domain/views/groupings.h"
#include "domain/views/json_views.h"
#include "domain/views/signs.h"

namespace ghm::views {

/// GET fleet/health?by=rack: the groups of one kind, the lowest index first, at most 200; each with who moved it and since when.
Json fleet_groups(const FleetSnapshot& fleet, const Grouping& kind, const FallOf& falls);

/// GET fleet/health?by=rack&id=R031: what a site, rack or host page needs. Its index against the rest of the fleet's boards of the same
/// models, how it fell within 24 h and through whom, the clusters that it has a part in, and its members in layout order, at most 1,000.
/// not_found: no board in service is there. At most 256 questions to `falls`.
Result<Json> group_health(const FleetSnapshot& fleet, const Grouping& kind, std::string_view id, const FallOf& falls);

}  // namespace ghm::views
