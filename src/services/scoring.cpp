#include "services/scoring.h"

#include <algorithm>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/telemetry/model_catalogue.h"

namespace ghm::services {
namespace {

using telemetry::MetricCatalogue;
using telemetry::ModelCatalogue;

health::Series to_series(const std::vector<store::Point>& points) {
  health::Series out;
  out.reserve(points.size());
  for (const auto& p : points) out.push_back({to_unix_seconds(p.at), p.value});
  return out;
}

// A passive board has no fan: its fan is not "missing", it is not listed.
bool part_has(const fleet::Board& board, telemetry::MetricId metric) {
  if (metric != telemetry::field::fan_speed) return true;
  const auto* model = ModelCatalogue::built_in().find(board.model);
  return model == nullptr || model->has_fan;
}

}  // namespace

Result<health::Input> health_input(const store::TelemetryStore& telemetry, const fleet::Board& board, std::chrono::milliseconds interval,
                                   Timestamp now) {
  health::Input input;
  input.t = to_unix_seconds(now);
  input.interval_s = Seconds(interval).count();
  input.deployed_at = to_unix_seconds(board.first_seen);
  input.model = board.model;
  for (const auto& need : health::needs()) {
    const auto* spec = MetricCatalogue::built_in().by_name(need.metric);
    if (spec == nullptr)
      return Error{Errc::corrupt, "the metric catalogue has no " + std::string(need.metric) + ", which scores need: the build is broken"};
    auto& series = input.metrics[std::string(need.metric)];
    if (!part_has(board, spec->id)) continue;
    // A score's windows are (t - w, t]: one millisecond later than the store's from <= at < to.
    auto points = telemetry.read({board.id, {}, spec->id}, {now - need.window + 1ms, now + 1ms});
    if (!points) return points.error();
    series = to_series(*points);
  }
  return input;
}

Scoring::Scoring(const store::TelemetryStore& telemetry, pipeline::LiveView& live, ScoringSettings settings, Log log)
    : telemetry_(telemetry), live_(live), settings_(settings), log_(std::move(log)) {}

void Scoring::run(Clock& clock, std::stop_token stop) {
  while (clock.sleep_until(clock.now() + 1s, stop)) tick(clock.now(), stop);
}

std::vector<const fleet::Board*> Scoring::due(const views::FleetSnapshot& fleet, Timestamp now) {
  for (const auto id : live_.take_urgent())
    if (auto it = turns_.find(id); it != turns_.end())
      it->second.next = std::min(it->second.next, std::max(now, it->second.last + settings_.urgent_pause));
  std::vector<const fleet::Board*> out;
  for (const auto& view : fleet.boards) {
    const auto& board = view.board;
    const auto [it, is_new] = turns_.try_emplace(board.id, Turn{board.first_seen + 2 * settings_.interval, {}});
    if (it->second.next <= now && board.in_service) out.push_back(&board);
  }
  return out;
}

std::size_t Scoring::tick(Timestamp now, std::stop_token stop) {
  constexpr std::size_t kShowAfter = 256;  // a large fleet's first scores appear while the rest is still being worked out
  const auto fleet = live_.current();
  std::vector<std::pair<fleet::BoardId, std::shared_ptr<const health::Report>>> reports;
  std::size_t done = 0;
  for (const auto* board : due(*fleet, now)) {
    if (stop.stop_requested()) break;
    auto& turn = turns_[board->id];
    turn = {now + settings_.every, now};
    auto input = health_input(telemetry_, *board, settings_.interval, now);
    if (!input) {
      log_.warn("score.failed", {{"gpu", board->serial}, {"error", input.error().what}});
      continue;
    }
    reports.emplace_back(board->id, std::make_shared<const health::Report>(health::score(*input)));
    ++done;
    if (reports.size() >= kShowAfter) live_.set_reports(std::exchange(reports, {}));
  }
  live_.set_reports(std::move(reports));
  scored_ += done;
  return done;
}

}  // namespace ghm::services
