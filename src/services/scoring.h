#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/log.h"
#include "core/time.h"
#include "domain/health/rules.h"
#include "domain/store/telemetry_store.h"
#include "pipeline/live_view.h"
#include "services/rounds.h"
#include "services/score_history.h"

namespace ghm::services {

struct ScoringSettings {
  std::chrono::milliseconds every{15min};      // other than a quarter of an hour: every round reads all readings anew
  std::chrono::milliseconds interval{10s};     // of the scrapes: what coverage is measured against
  std::chrono::milliseconds urgent_pause{5s};  // a board whose values flap is scored at most this often
  const health::Profile* profile = &health::default_profile();
  const faults::FaultCatalogue* codes = &faults::FaultCatalogue::built_in();
  std::filesystem::path sums_folder = {};  // for the sums that rounds carry on; empty: none are kept, likewise
  HowScored how() const { return {interval, profile, codes}; }
  /// Rounds go on with sums, where there is a folder for them.
  bool carries_sums() const { return every == 15min && profile->sums_suffice; }
};

/// How scoring fares, since start.
struct ScoringStats {
  std::uint64_t rounds = 0;                    // scores of boards by the clock
  std::uint64_t urgent = 0;                    // of new boards, and at once
  std::uint64_t from_readings = 0;             // of both, those that read a month of readings
  std::uint64_t failures = 0;                  // hosts whose readings could not be read
  double seconds = 0, last_round_seconds = 0;  // spent scoring; by the last look for work that found any
  Timestamp last_success{};                    // the epoch: not yet
};

/// Takes a row of scores to be kept; false when that is not possible now.
using KeepScores = std::function<bool(store::RowBatch row)>;
/// Stories of boards of one host, in their order; asked once per host and round, on the scoring thread.
using StoryTeller = std::function<std::vector<BoardStory>(std::span<const fleet::Board* const> boards, Timestamp now)>;

/// Gives every board its score: soon after it is first seen, then every 15 minutes, and at once when a value that scores depend on
/// has changed. What it knows it has from the store, so that a restart scores as if nothing had happened. The boards of a host are
/// scored together, at quarters of an hour that are the host's own, a moment later, so that what was read by then is kept.
class Scoring {
 public:
  Scoring(const store::TelemetryStore& telemetry, pipeline::LiveView& live, ScoringSettings settings, Log log, StoryTeller stories = {},
          KeepScores keep = {});

  /// Until stopped; looks for work once a second.
  void run(Clock& clock, std::stop_token stop);
  /// Scores what is due at `now`; the number of scores.
  std::size_t tick(Timestamp now, std::stop_token stop = {});
  /// Rows are durable: those that came late make their boards begin anew. Any thread.
  void rows_kept(std::span<const store::RowBatch> rows);
  /// Something that scores depend on has changed, and is durable. Any thread.
  void score_soon(std::span<const fleet::BoardId> boards);

  /// Any thread.
  ScoringStats stats() const;

 private:
  struct Turn {
    Timestamp first{};  // the first score, not before
    Timestamp last{};   // the time of the newest score
    Timestamp round{};  // the time of the last round
    bool urgent = false;
  };
  using Boards = std::vector<const fleet::Board*>;
  struct Due {
    Boards by_round, at_once;
  };
  using Reports = std::vector<Scored>;
  void take_urgent();
  Due due(std::span<const fleet::Board* const> host, Timestamp round, Timestamp now);
  Timestamp round_of(const std::string& host, Timestamp now) const;
  void score_host(std::span<const fleet::Board* const> host, Timestamp now, Reports& reports);
  void score_round(std::span<const fleet::Board* const> host, Boards boards, Timestamp round, Reports& reports);
  void score_from_readings(std::span<const fleet::Board* const> host, std::span<const fleet::Board* const> boards, Timestamp round,
                           Timestamp at, Reports& reports);
  void score_input(const fleet::Board& board, health::Input& input, Timestamp round, Timestamp at, Reports& reports);
  void score_sums(const fleet::Board& board, const health::Input& input, health::RunningSums& sums, Reports& reports);
  std::vector<BoardStory> stories_of(std::span<const fleet::Board* const> boards, Timestamp at) const;
  void add(const fleet::Board& board, health::Report report, Reports& reports);
  void keep(const std::string& host, std::span<const Scored> scored, Timestamp at);
  void failed(const std::string& host, const Error& error);

  const store::TelemetryStore& telemetry_;
  pipeline::LiveView& live_;
  ScoringSettings settings_;
  Log log_;
  StoryTeller stories_;
  KeepScores keep_;
  ScoreRows rows_;
  const bool compares_on_host_;     // the profile has a rule for that
  std::unique_ptr<Rounds> rounds_;  // nullptr: no sums are kept
  std::map<fleet::BoardId, Turn> turns_;
  mutable std::mutex mutex_;  // guards what follows
  ScoringStats stats_;
  std::vector<fleet::BoardId> urgent_;
};

}  // namespace ghm::services
