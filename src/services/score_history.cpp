#include "services/score_history.h"

#include <algorithm>
#include <cmath>

#include "domain/telemetry/page.h"

namespace ghm::services {
namespace {

using store::SeriesKey;

constexpr auto kRound = 15min;

SeriesKey overall_of(fleet::BoardId board) {
  return {board, {}, health::kOverallScore};
}

// The overall score and the five dimensions, in the order of their numbers.
std::vector<SeriesKey> keys_of(fleet::BoardId board) {
  std::vector<SeriesKey> keys{overall_of(board)};
  for (std::size_t d = 0; d < health::dimensions().size(); ++d) keys.push_back({board, {}, health::dimension_score(d)});
  return keys;
}

void put(std::vector<double>& values, const std::optional<double>& score) {
  values.push_back(score.value_or(telemetry::absent()));
}

std::chrono::milliseconds width_for(TimeRange range) {
  const auto span = range.to - range.from;
  if (span <= std::chrono::days(32)) return kRound;
  return span <= std::chrono::days(400) ? std::chrono::milliseconds(1h) : std::chrono::milliseconds(24h);
}

std::optional<double> shown(const std::optional<double>& score) {
  return score ? std::optional(std::round(*score * 10)) : std::nullopt;
}

bool looks_the_same(const ScorePoint& a, const ScorePoint& b) {
  return shown(a.overall) == shown(b.overall) && std::ranges::equal(a.dimensions, b.dimensions, {}, shown, shown);
}

}  // namespace

store::RowBatch ScoreRows::row(const std::string& host, std::span<const Scored> scored, Timestamp at) {
  std::vector<fleet::BoardId> boards;
  for (const auto& [board, report] : scored) boards.push_back(board);
  auto& columns = columns_[boards];
  if (!columns) {
    std::vector<SeriesKey> keys;
    for (const auto board : boards) std::ranges::move(keys_of(board), std::back_inserter(keys));
    columns = std::make_shared<const std::vector<SeriesKey>>(std::move(keys));
  }
  store::RowBatch row{"scores/" + host, columns, at, {}};
  for (const auto& [board, report] : scored) {
    put(row.values, report->overall);
    for (const auto& d : report->dimensions) put(row.values, d.score);
  }
  return row;
}

health::Series previous_scores(const store::TelemetryStore& telemetry, fleet::BoardId board, Timestamp now) {
  health::Series out;
  const TimeRange month{now - std::chrono::days(31), now};
  const auto rounds = telemetry.aggregate(overall_of(board), month, kRound);
  if (!rounds) return out;
  for (const auto& r : *rounds)
    if (month.from < r.from && r.from <= now) out.push_back({to_unix_seconds(r.from), r.sum / static_cast<double>(r.count)});
  return out;
}

Result<std::vector<ScorePoint>> score_history(const store::TelemetryStore& telemetry, fleet::BoardId board, TimeRange range) {
  std::map<Timestamp, ScorePoint> points;
  const auto keys = keys_of(board);
  for (std::size_t k = 0; k < keys.size(); ++k) {
    const auto buckets = telemetry.aggregate(keys[k], range, width_for(range));
    if (!buckets) return buckets.error();
    for (const auto& b : *buckets) {
      auto& point = points[b.from];
      point.at = b.from;
      point.dimensions.resize(keys.size() - 1);
      (k == 0 ? point.overall : point.dimensions[k - 1]) = b.last;
    }
  }
  std::vector<ScorePoint> changes;
  for (const auto& [at, point] : points)
    if (changes.empty() || !looks_the_same(changes.back(), point)) changes.push_back(point);
  return changes;
}

}  // namespace ghm::services
