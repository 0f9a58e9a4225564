#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/time.h"
#include "domain/fleet/ledger.h"
#include "domain/health/health.h"
#include "domain/store/telemetry_store.h"

/// Scores over time. A score is a series like any other, kept in the telemetry store under numbers of its own: exact, durable,
/// rolled up and retained by tier like the readings it was made of.
namespace ghm::services {

using Scored = std::pair<fleet::BoardId, std::shared_ptr<const health::Report>>;

/// The row of one scoring round of boards of one host. Columns are made once per set of boards.
class ScoreRows {
 public:
  store::RowBatch row(const std::string& host, std::span<const Scored> scored, Timestamp at);

 private:
  std::map<std::vector<fleet::BoardId>, store::Columns> columns_;
};

/// The overall scores of the last 31 days; at most one per quarter of an hour, its mean, at its start. What cannot be read is left
/// out: the trend is then not available.
health::Series previous_scores(const store::TelemetryStore& telemetry, fleet::BoardId board, Timestamp now);

/// One moment at which a score was another than before.
struct ScorePoint {
  Timestamp at{};
  std::optional<double> overall;
  std::vector<std::optional<double>> dimensions;  // in the profile's order
};
/// The last score of each quarter hour (hour, day for ranges over a month, a year) in `range`, as change points: a point
/// differs from the one before in some score as people see it, to a tenth.
Result<std::vector<ScorePoint>> score_history(const store::TelemetryStore& telemetry, fleet::BoardId board, TimeRange range);

}  // namespace ghm::services
