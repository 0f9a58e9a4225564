#pragma once
#include <optional>
#include <span>
#include <vector>

#include "domain/store/telemetry_store.h"
#include "domain/views/json_views.h"

namespace ghm::services {

/// Which boards a board is compared with: in service, of its model, reporting; its host's first, then its rack's, then other hosts
/// of the fleet, always the same ones. Indices into the snapshot, at most `most`.
struct PeerChoice {
  std::vector<std::size_t> boards;
  std::size_t host = 0, rack = 0, fleet = 0;  // how many of each, in this order
};
PeerChoice choose_peers(const views::FleetSnapshot& fleet, std::size_t board, std::size_t most);

/// The p10, median and p90 of the peers for each of `series` (of the board itself), on the buckets of the same range and width. Of
/// gauges only buckets in which a peer was at least half busy count, where its activity is known; counters are compared by
/// their increases. nullopt for what has no order (bit masks, labels). At most 64 peers; fewer, but eight, where the range is long:
/// some 1.5 million stored buckets are read at most.
Result<std::vector<std::optional<views::PeerBand>>> peer_bands(const store::TelemetryStore& telemetry, const views::FleetSnapshot& fleet,
                                                               std::size_t board, std::span<const store::SeriesKey> series, TimeRange range,
                                                               std::chrono::milliseconds width);

}  // namespace ghm::services
