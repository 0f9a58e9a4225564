#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "domain/fleet/ledger.h"
#include "domain/views/fleet_snapshot.h"

/// What a client sees of the ledger: lives of boards, inventory, maintenance, and how far the fleet can be believed.
/// Shapes: openapi.yaml.
namespace ghm::views {

using Json = nlohmann::ordered_json;

/// GET gpus/{id}/ledger; newest first. `intervals` of this board.
Json gpu_ledger(const FleetSnapshot& fleet, std::size_t board, const std::vector<fleet::Interval>& intervals);
/// GET gpus/{id}/jobs: pods and batch jobs, newest first, at most `limit`.
Json gpu_jobs(const FleetSnapshot& fleet, std::size_t board, std::vector<fleet::Interval> intervals, std::size_t limit);

/// GET assets: every board, in the order of names, with what the inventory says of it.
struct AssetQuery {
  std::size_t limit = 200;
  std::string after;   // cursor: the name of the last board of the page before
  std::string search;  // part of a serial, UUID, host, rack, model or batch; case-insensitive
};
Json assets(const FleetSnapshot& fleet, const AssetQuery& query);

/// GET maintenance: windows, active ones first, then the newest.
Json maintenance(const FleetSnapshot& fleet, std::optional<bool> active);
Json maintenance_item(const fleet::Maintenance& m, Timestamp now);

/// GET fleet/coverage: how far the fleet can be believed, by board, dimension and model; what is silent, what is claimed twice.
Json fleet_coverage(const FleetSnapshot& fleet);

/// For the terminal, from the API's own JSON.
std::string maintenance_text(const Json& list, std::size_t width);

}  // namespace ghm::views
