#pragma once
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "core/log.h"
#include "core/time.h"
#include "domain/health/health.h"
#include "domain/store/telemetry_store.h"
#include "pipeline/live_view.h"

namespace ghm::services {

struct ScoringSettings {
  std::chrono::milliseconds every{15min};
  std::chrono::milliseconds interval{10s};     // of the scrapes: what coverage is measured against
  std::chrono::milliseconds urgent_pause{5s};  // a board whose values flap is scored at most this often
};

/// Gives every board its score: soon after it is first seen, then every 15 minutes, and at once when a value that scores
/// depend on has changed. Reads from the store alone, so that a restart scores as if nothing had happened.
class Scoring {
 public:
  Scoring(const store::TelemetryStore& telemetry, pipeline::LiveView& live, ScoringSettings settings, Log log);

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
  std::map<fleet::BoardId, Turn> turns_;
  std::atomic<std::uint64_t> scored_ = 0;
};

/// The boards' inputs from the store, in their order: every metric that a score needs, over the window that it needs. One read per
/// window: boards of one host lie together in the store, and are cheapest asked together.
Result<std::vector<health::Input>> health_inputs(const store::TelemetryStore& telemetry, std::span<const fleet::Board* const> boards,
                                                 std::chrono::milliseconds interval, Timestamp now);

}  // namespace ghm::services
