#pragma once
#include <functional>
#include <span>
#include <vector>

#include "domain/health/rules.h"
#include "pipeline/archived_fleet.h"

/// An archive's boards scored as a server would have scored them, at set times, from what the archive held up to then.
namespace ghm::pipeline {

struct ScoringPlan {
  std::vector<const health::Profile*> profiles;
  std::chrono::milliseconds every{24h};                        // the first time is one such step behind the archive's start
  std::size_t most_bytes = std::size_t{1} << 30;               // of readings in memory; a larger fleet is read in several passes
  std::function<void(double share)> progress = [](double) {};  // of the work, 0 to 1, rising
};

/// One board at one time.
struct ScoredMoment {
  std::size_t board = 0;                    // of ArchivedFleet::boards
  double t = 0;                             // Unix seconds
  std::span<const health::Report> reports;  // by the plan's profiles, in their order
};

struct ScoredCounts {
  std::size_t moments = 0, out_of_service = 0;  // out of service: known to be broken, so nothing is asked of the score
  std::size_t passes = 0;
  archive::Refusals refusals;  // of the first pass
};

/// Reads the telemetry in order of time and calls `take` for every board in service at every step. A board's story is what its
/// archive tells: events, the times when nothing of its host arrived, peers of the same model on the host; neither jobs nor
/// bandwidth tests. It counts as deployed when the archive begins, as for a server that was started then.
/// invalid_input: no telemetry, or tables that are not in order of time.
Result<ScoredCounts> score_archive(const archive::Folder& folder, const ArchivedFleet& fleet, const ScoringPlan& plan,
                                   const std::function<void(const ScoredMoment&)>& take);

}  // namespace ghm::pipeline
