#pragma once
#include <optional>
#include <string>

#include "domain/health/health.h"
#include "domain/views/json_views.h"

namespace ghm::views {

/// A score of the past, worked out from what the store still has.
struct PastScore {
  Timestamp at{};
  std::optional<health::Report> report;  // nullopt: nothing is left to work it out from
  std::optional<double> kept;            // the score that was kept then
  std::size_t readings = 0;              // that the score was worked out from
  std::string note;                      // why there is none
};

/// gpu_health() of another report than the newest; `report` may be nullptr. O(boards).
Json gpu_health_of(const FleetSnapshot& fleet, std::size_t board, const health::Report* report);
/// GET gpus/{id}/health?at=…: the same, and `at`, `kept_score`, `readings`. Peers' medians are those of now.
Json gpu_health_at(const FleetSnapshot& fleet, std::size_t board, const PastScore& past);

}  // namespace ghm::views
