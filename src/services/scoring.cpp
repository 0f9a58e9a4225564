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

namespace {

/// One metric of one board that a score needs.
struct Wanted {
  std::size_t board;
  std::string_view metric;
  store::SeriesKey series;
};

using ByWindow = std::map<std::chrono::hours, std::vector<Wanted>>;

Result<ByWindow> wanted_of(std::span<const fleet::Board* const> boards) {
  ByWindow wanted;
  for (const auto& need : health::needs()) {
    const auto* spec = MetricCatalogue::built_in().by_name(need.metric);
    if (spec == nullptr)
      return Error{Errc::corrupt, "the metric catalogue has no " + std::string(need.metric) + ", which scores need: the build is broken"};
    for (std::size_t b = 0; b < boards.size(); ++b)
      if (part_has(*boards[b], spec->id)) wanted[need.window].push_back({b, need.metric, {boards[b]->id, {}, spec->id}});
  }
  return wanted;
}

health::Input empty_input(const fleet::Board& board, std::chrono::milliseconds interval, Timestamp now) {
  health::Input input;
  input.t = to_unix_seconds(now);
  input.interval_s = Seconds(interval).count();
  input.deployed_at = to_unix_seconds(board.first_seen);
  input.model = board.model;
  for (const auto& need : health::needs()) input.metrics[std::string(need.metric)];
  return input;
}

}  // namespace

Result<std::vector<health::Input>> health_inputs(const store::TelemetryStore& telemetry, std::span<const fleet::Board* const> boards,
                                                 std::chrono::milliseconds interval, Timestamp now) {
  const auto by_window = wanted_of(boards);
  if (!by_window) return by_window.error();
  std::vector<health::Input> inputs;
  for (const auto* board : boards) inputs.push_back(empty_input(*board, interval, now));
  for (const auto& [window, wanted] : *by_window) {
    std::vector<store::SeriesKey> series;
    for (const auto& w : wanted) series.push_back(w.series);
    // A score's windows are (t - w, t]: one millisecond later than the store's from <= at < to.
    const auto points = telemetry.read_many(series, {now - window + 1ms, now + 1ms});
    if (!points) return points.error();
    for (std::size_t i = 0; i < wanted.size(); ++i)
      inputs[wanted[i].board].metrics[std::string(wanted[i].metric)] = to_series((*points)[i]);
  }
  return inputs;
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

namespace {

constexpr std::size_t kMostTogether = 16;

// The boards that stand first in `due` and share a host.
std::span<const fleet::Board* const> first_host(std::span<const fleet::Board* const> due) {
  std::size_t n = 1;
  while (n < due.size() && n < kMostTogether && due[n]->host == due[0]->host) ++n;
  return due.first(n);
}

}  // namespace

std::size_t Scoring::tick(Timestamp now, std::stop_token stop) {
  constexpr std::size_t kShowAfter = 256;  // a large fleet's first scores appear while the rest is still being worked out
  const auto fleet = live_.current();
  const auto all_due = due(*fleet, now);
  Reports reports;
  std::size_t done = 0;
  for (std::span<const fleet::Board* const> left = all_due; !left.empty() && !stop.stop_requested();) {
    const auto together = first_host(left);
    left = left.subspan(together.size());
    const auto before = reports.size();
    score(together, now, reports);
    done += reports.size() - before;
    if (reports.size() >= kShowAfter) live_.set_reports(std::exchange(reports, {}));
  }
  live_.set_reports(std::move(reports));
  scored_ += done;
  return done;
}

void Scoring::score(std::span<const fleet::Board* const> boards, Timestamp now, Reports& reports) {
  for (const auto* board : boards) turns_[board->id] = {now + settings_.every, now};
  const auto inputs = health_inputs(telemetry_, boards, settings_.interval, now);
  if (!inputs) return log_.warn("score.failed", {{"host", boards[0]->host}, {"error", inputs.error().what}});
  for (std::size_t i = 0; i < boards.size(); ++i)
    reports.emplace_back(boards[i]->id, std::make_shared<const health::Report>(health::score((*inputs)[i])));
}

}  // namespace ghm::services
