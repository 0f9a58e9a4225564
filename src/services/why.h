#pragma once
#include <optional>
#include <string>

#include "domain/store/record_store.h"
#include "domain/store/telemetry_store.h"
#include "domain/views/causal.h"
#include "domain/views/fleet_snapshot.h"

namespace ghm::services {

/// What GET why asks; exactly one of the three names, as it is to be shown.
struct WhyQuestion {
  std::optional<std::size_t> board;  // index into the snapshot
  std::string host, job;
  std::optional<Timestamp> at;
  int days = 7;
};

/// The facts for views::causal_answer(), read through the index by subject: what a board, a host or a job's boards told, and never the
/// fleet's rest. Measured in docs/benchmarks.md. not_found: a host or job that nobody has heard of, with some that are known.
Result<views::CausalFacts> why_facts(const store::RecordStore& records, const store::TelemetryStore& telemetry,
                                     const views::FleetSnapshot& fleet, const WhyQuestion& question, Timestamp now);

}  // namespace ghm::services
