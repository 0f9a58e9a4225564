#pragma once
#include <optional>
#include <span>
#include <vector>

#include "domain/fleet/ledger.h"
#include "domain/health/health.h"
#include "domain/store/telemetry_store.h"

namespace ghm::services {

/// What records, not readings, know of a board. Nothing is known by default, and scores say so: without `source_silent` and
/// `events` reliability has no score, without `jobs` they are not listed, without `previous_scores` there is no trend.
struct BoardStory {
  std::optional<std::vector<health::Event>> events;            // of the last 31 days; drains of any age that last
  std::optional<std::vector<health::Job>> jobs;                // ends within the last 30 days
  std::optional<std::vector<health::Interval>> source_silent;  // when nothing of the board's source arrived, of any board
  std::vector<health::Interval> maintenance;
  std::optional<health::Input::BandwidthTest> bandwidth_test;
  std::vector<health::Peer> peers;  // same model; 24 h of SM clock and activity, or what these came to
  health::Series previous_scores;   // overall scores of the last 31 days
};

/// How scores are worked out here.
struct HowScored {
  std::chrono::milliseconds interval{10s};  // of readings: what coverage is measured against
  const health::Profile* profile = &health::default_profile();
  const faults::FaultCatalogue* codes = &faults::FaultCatalogue::built_in();  // what Xids mean to a score
};

/// The boards' inputs from the store, in their order: every metric that a score needs, over the window that it needs, and their
/// `stories` (one each, or none at all). One read per window: boards of one host lie together in the store, and are cheapest asked
/// together; metrics that only stand in for a silent one are read where it is silent.
Result<std::vector<health::Input>> health_inputs(const store::TelemetryStore& telemetry, std::span<const fleet::Board* const> boards,
                                                 const HowScored& how, Timestamp now, std::vector<BoardStory> stories = {});

/// The same without any reading; metrics that the part has are listed.
health::Input input_without_readings(const fleet::Board& board, const HowScored& how, Timestamp now, BoardStory story);

/// NVLinks of the board's model; 0: none, or an unknown model.
int links_of(const fleet::Board& board);

health::Series to_series(const std::vector<store::Point>& points);

}  // namespace ghm::services
