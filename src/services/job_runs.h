#pragma once
#include <optional>
#include <string>
#include <vector>

#include "domain/fleet/intervals.h"
#include "domain/store/record_store.h"
#include "domain/views/causal.h"
#include "domain/views/fleet_snapshot.h"

/// Jobs and pods as the ledger's intervals tell them, through the records' index by subject.
namespace ghm::services {

/// Intervals of a job ("4711"), pod ("ns/pod") or container ("ns/pod/container") on all boards, at most `limit` ended ones.
Result<std::vector<fleet::Interval>> intervals_of_job(const store::RecordStore& records, const std::string& job, std::size_t limit,
                                                      Timestamp now);

/// As one job: its boards, its user, from the first beginning to the last end. `intervals` is not empty.
views::CausalJob job_of(const std::string& name, const std::vector<fleet::Interval>& intervals);

/// One run of a job; a name may run again. The run at `at`, else the last one before it; without `at` the newest. A board that fell
/// silent cannot let go of a job: it counts as ended there when the board was last seen, if it has ended everywhere else.
/// not_found: nobody has named such a job; the sentence has the newest that are known.
Result<views::CausalJob> job_run(const store::RecordStore& records, const views::FleetSnapshot& fleet, const std::string& job,
                                 std::optional<Timestamp> at, Timestamp now);

}  // namespace ghm::services
