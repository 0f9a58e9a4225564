#pragma once
#include <optional>
#include <string>
#include <vector>

#include "domain/store/record_store.h"
#include "domain/views/json_views.h"

/// Incidents as clients see them, from their records (kind "incident").
namespace ghm::views {

/// A row of GET incidents; nullopt for a record that cannot be read, or of an incident that was merged into another.
std::optional<Json> incident_item(const store::Record& record);
/// GET incidents/{id}: the row, and causes with their evidence, signs, parts and the whole history.
Result<Json> incident_detail(const store::Record& record);
/// The same of a body that is parsed already; the body is one that incident_detail() would read.
Json incident_detail_of(const Json& body);

/// GET gpus/{id}/timeline: events of the board and of its host, the steps of incidents that touch them, and of repairs (`repairs`,
/// case_timeline()), the newest first.
Json gpu_timeline(const FleetSnapshot& fleet, std::size_t board, const std::vector<store::Record>& events,
                  const std::vector<store::Record>& incidents, TimeRange range, std::size_t limit,
                  std::vector<std::pair<Timestamp, Json>> repairs = {});

/// For a terminal.
std::string incidents_text(const Json& list, std::size_t width);
std::string incident_text(const Json& detail, std::size_t width);

}  // namespace ghm::views
