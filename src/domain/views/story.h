#pragma once
#include "domain/views/clusters.h"
#include "domain/views/json_views.h"

namespace ghm::views {

/// GET fleet/story: the headline, clusters that pass the test of clusters.h, which groups moved the index within a day and who moved
/// them, what is odd and what is silent. Sentences are templates: place x cause x since x effect. O(boards), and at most 256 + 512
/// questions to `falls`.
Json fleet_story(const FleetSnapshot& fleet, const FallOf& falls);

/// The story's clusters that `concerns` picks.
Json story_clusters(const FleetSnapshot& fleet, const FallOf& falls, const std::function<bool(const Cluster&)>& concerns);

/// "Rack R031 runs hot since 06:10 UTC (9 of 24 GPUs) and has already cut clocks on 4 GPUs."
std::string cluster_text(const Cluster& cluster, const FleetSnapshot& fleet, std::optional<Timestamp> since);
/// "06:10 UTC" within the last 24 h, else "2026-02-09".
std::string since_text(Timestamp since, Timestamp now);

/// The groups whose index fell by a point or more within 24 h, each with the board that moved it most; no board leads two groups.
Json moved_groups(const FleetSnapshot& fleet, const FallOf& falls);

}  // namespace ghm::views
