#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "domain/fleet/case_book.h"
#include "domain/fleet/case_statistics.h"
#include "domain/fleet/repeat_offenders.h"

/// Repair cases as clients see them. Shapes: openapi.yaml.
namespace ghm::views {

using Json = nlohmann::ordered_json;

/// Signs of a fault in a time; those within a minute are one.
struct CaseSigns {
  TimeRange range{};
  std::size_t signs = 0;
};
struct CasePast {
  CaseSigns before;
  std::optional<CaseSigns> after;  // absent: nothing was done yet
};

/// A row of GET cases. `gap`: it cannot be watched now, or nullptr.
Json case_item(const fleet::RepairCase& c, const fleet::CaseBook::Gap* gap, Timestamp now);
/// GET cases/{id}.
Json case_detail(const fleet::RepairCase& c, const fleet::CaseBook::Gap* gap, const CasePast& past, Timestamp now);
/// GET cases/stats: rows grouped by what `by` names.
Json case_stats(const fleet::CaseTallies& tallies, fleet::CaseTallies::By by, Timestamp as_of);
/// GET cases/offenders.
Json case_offenders(const std::vector<fleet::Offender>& offenders, fleet::OffenderBy by, int days, Timestamp as_of);
/// `what_helped` of GET incidents/{id}.
Json what_helped(const std::vector<fleet::CaseTallies::Row>& rows);
/// The steps of a case in `range`, as items of GET gpus/{id}/timeline, with their times.
std::vector<std::pair<Timestamp, Json>> case_timeline(const fleet::RepairCase& c, TimeRange range);
/// A case in one line: "helped, after 1 relapse: a test passed, and …".
std::string case_in_a_line(const fleet::RepairCase& c);

/// For a terminal, from the API's own JSON.
std::string cases_text(const Json& list, std::size_t width);
std::string case_text(const Json& detail, std::size_t width);
std::string case_stats_text(const Json& stats, std::size_t width);
std::string case_offenders_text(const Json& offenders, std::size_t width);

}  // namespace ghm::views
