#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/log.h"
#include "core/time.h"
#include "domain/health/health.h"
#include "domain/store/telemetry_store.h"
#include "pipeline/live_view.h"
#include "services/score_history.h"

namespace ghm::services {

struct ScoringSettings {
  std::chrono::milliseconds every{15min};
  std::chrono::milliseconds interval{10s};     // of the scrapes: what coverage is measured against
  std::chrono::milliseconds urgent_pause{5s};  // a board whose values flap is scored at most this often
};

/// What records, not readings, know of a board. Nothing is known by default, and scores say so: without `source_silent` and
/// `events` reliability has no score, without `jobs` they are not listed, without `previous_scores` there is no trend.
struct BoardStory {
  std::optional<std::vector<health::Event>> events;            // of the last 31 days; drains of any age that last
  std::optional<std::vector<health::Job>> jobs;                // ends within the last 30 days
  std::optional<std::vector<health::Interval>> source_silent;  // when nothing of the board's source arrived, of any board
  std::vector<health::Interval> maintenance;
  std::optional<health::Input::BandwidthTest> bandwidth_test;
  std::vector<health::Peer> peers;  // same model; 24 h of SM clock and activity
  health::Series previous_scores;   // overall scores of the last 31 days
};
/// Takes a row of scores to be kept; false when that is not possible now.
using KeepScores = std::function<bool(store::RowBatch row)>;
/// Stories of boards of one host, in their order; asked once per host and round, on the scoring thread.
using StoryTeller = std::function<std::vector<BoardStory>(std::span<const fleet::Board* const> boards, Timestamp now)>;

/// Gives every board its score: soon after it is first seen, then every 15 minutes, and at once when a value that scores
/// depend on has changed. Reads from the store alone, so that a restart scores as if nothing had happened.
class Scoring {
 public:
  Scoring(const store::TelemetryStore& telemetry, pipeline::LiveView& live, ScoringSettings settings, Log log, StoryTeller stories = {},
          KeepScores keep = {});

  /// Until stopped; looks for work once a second.
  void run(Clock& clock, std::stop_token stop);
  /// Scores what is due at `now`; the number of boards scored.
  std::size_t tick(Timestamp now, std::stop_token stop = {});

  std::uint64_t scored() const { return scored_; }

 private:
  struct Turn {
    Timestamp next{}, last{};
  };
  std::vector<const fleet::Board*> due(const views::FleetSnapshot& fleet, Timestamp now);
  using Reports = std::vector<std::pair<fleet::BoardId, std::shared_ptr<const health::Report>>>;
  void score(std::span<const fleet::Board* const> boards, Timestamp now, Reports& reports);

  const store::TelemetryStore& telemetry_;
  pipeline::LiveView& live_;
  ScoringSettings settings_;
  Log log_;
  StoryTeller stories_;
  KeepScores keep_;
  ScoreRows rows_;
  std::map<fleet::BoardId, Turn> turns_;
  std::atomic<std::uint64_t> scored_ = 0;
};

/// The boards' inputs from the store, in their order: every metric that a score needs, over the window that it needs, and their
/// `stories` (one each, or none at all). One read per window: boards of one host lie together in the store, and are cheapest asked
/// together; metrics that only stand in for a silent one are read where it is silent.
Result<std::vector<health::Input>> health_inputs(const store::TelemetryStore& telemetry, std::span<const fleet::Board* const> boards,
                                                 std::chrono::milliseconds interval, Timestamp now, std::vector<BoardStory> stories = {});

}  // namespace ghm::services
