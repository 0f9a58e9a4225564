#pragma once
#include "domain/store/record_store.h"
#include "domain/store/telemetry_store.h"
#include "domain/views/fleet_snapshot.h"
#include "domain/views/gpu_health_view.h"
#include "services/scoring_inputs.h"

namespace ghm::services {

/// The board's score at `at`, by today's rules (of `how` all but the interval, which is the host's) from what was read up to then: the same
/// inputs and the same code as a score of now. What the store no longer has lowers the coverage, as if it had never been read; with no
/// reading left there is no report. Peers and jobs are not known of the past. `board`: index into the snapshot. One board's month: some 10
/// ms. invalid_input: a time before the board was first seen, or after now.
Result<views::PastScore> past_score(const store::TelemetryStore& telemetry, const store::RecordStore& records,
                                    const views::FleetSnapshot& fleet, std::size_t board, Timestamp at, HowScored how = {});

}  // namespace ghm::services
