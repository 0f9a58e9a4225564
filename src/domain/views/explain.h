#pragma once
#include <vector>

#include "domain/views/json_views.h"

namespace ghm::views {

/// What do these boards have in common, and is it more than chance? For each value of each attribute (region, datacenter, rack, host,
/// model, driver, vbios, batch, job, age) that one of them has: how many of them have it, against the rest of the fleet in service; the
/// lift (share of the chosen / share of the rest), and the p of Fisher's exact test (hypergeometric.h) times the number of values tried.
/// The least likely first, at most 50. `chosen`: indices into FleetSnapshot::boards, each once, at least one. O(boards · attributes).
Json explain(const FleetSnapshot& fleet, const std::vector<std::size_t>& chosen);

/// How long a board has been at work: "under 90 days" … "over 4 years"; empty where no inventory tells.
std::string_view age_band(const fleet::Board& board, Timestamp now);

}  // namespace ghm::views
