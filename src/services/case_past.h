#pragma once
#include <vector>

#include "domain/fleet/repair_case.h"
#include "domain/fleet/repeat_offenders.h"
#include "domain/store/record_store.h"
#include "domain/views/case_view.h"
#include "domain/views/fleet_snapshot.h"

/// What the records of incidents tell about a repair, and about whoever fails again and again.
namespace ghm::services {

/// Signs of the case's fault on the repaired thing in the 90 days before the action, and since. Reads the incidents of it
/// that changed since then.
Result<views::CasePast> case_past(const store::RecordStore& records, const fleet::RepairCase& c, const views::FleetSnapshot& fleet,
                                  Timestamp now);

/// Cases of this board, of another one whose place it took, or of its host as such, that changed since `from`; the newest change first.
Result<std::vector<fleet::RepairCase>> cases_of(const store::RecordStore& records, const fleet::Board& board, Timestamp from,
                                                Timestamp now);

/// Incidents, reopenings, repairs and relapses of `range`, each at the slot where its board stood then. Merged incidents are told by the
/// one that took them in. At most 50,000 incidents and cases are looked at.
Result<std::vector<fleet::Trouble>> troubles(const store::RecordStore& records, const views::FleetSnapshot& fleet, TimeRange range);

}  // namespace ghm::services
