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

const telemetry::ModelSpec* model_of(const fleet::Board& board) {
  return ModelCatalogue::built_in().find(board.model);
}

// A passive board has no fan: its fan is not "missing", it is not listed.
bool part_has(const fleet::Board& board, telemetry::MetricId metric) {
  if (metric != telemetry::field::fan_speed) return true;
  const auto* model = model_of(board);
  return model == nullptr || model->has_fan;
}

int links_of(const fleet::Board& board) {
  const auto* model = model_of(board);
  return model == nullptr ? 0 : model->nvlinks;
}

/// One series of one board that a score needs.
struct Wanted {
  std::size_t board;
  std::string name;  // as the score knows it
  store::SeriesKey series;
};

using ByWindow = std::map<std::chrono::hours, std::vector<Wanted>>;
using Inputs = std::vector<health::Input>;

bool is_silent(const health::Input& input, std::string_view metric) {
  const auto found = input.metrics.find(metric);
  return found == input.metrics.end() || !found->second || found->second->empty();
}

// The series of one need; a stand-in is wanted only where the metric it stands in for is silent.
void want(const health::Need& need, const telemetry::MetricSpec& spec, std::size_t b, const fleet::Board& board, ByWindow& wanted) {
  using telemetry::Entity;
  auto& out = wanted[need.window];
  if (!need.per_link) out.push_back({b, std::string(need.metric), {board.id, {}, spec.id}});
  for (int n = 0; need.per_link && n < links_of(board); ++n) {
    const Entity link{Entity::Kind::nvlink, static_cast<std::uint16_t>(n)};
    out.push_back({b, std::string(need.metric) + "@" + to_string(link), {board.id, link, spec.id}});
  }
}

Result<ByWindow> wanted_of(std::span<const fleet::Board* const> boards, const Inputs& inputs, bool stand_ins) {
  ByWindow wanted;
  for (const auto& need : health::needs()) {
    const auto* spec = MetricCatalogue::built_in().by_name(need.metric);
    if (spec == nullptr)
      return Error{Errc::corrupt, "the metric catalogue has no " + std::string(need.metric) + ", which scores need: the build is broken"};
    if (need.instead_of.empty() == stand_ins) continue;
    for (std::size_t b = 0; b < boards.size(); ++b)
      if (part_has(*boards[b], spec->id) && (!stand_ins || is_silent(inputs[b], need.instead_of))) want(need, *spec, b, *boards[b], wanted);
  }
  return wanted;
}

Result<void> fetch(const store::TelemetryStore& telemetry, const ByWindow& by_window, Timestamp now, Inputs& inputs) {
  for (const auto& [window, wanted] : by_window) {
    std::vector<store::SeriesKey> series;
    for (const auto& w : wanted) series.push_back(w.series);
    if (series.empty()) continue;
    // A score's windows are (t - w, t]: one millisecond later than the store's from <= at < to.
    const auto points = telemetry.read_many(series, {now - window + 1ms, now + 1ms});
    if (!points) return tl::make_unexpected(points.error());
    for (std::size_t i = 0; i < wanted.size(); ++i) inputs[wanted[i].board].metrics[wanted[i].name] = to_series((*points)[i]);
  }
  return {};
}

health::Input new_input(const fleet::Board& board, std::chrono::milliseconds interval, Timestamp now, BoardStory story) {
  health::Input input;
  input.t = to_unix_seconds(now);
  input.interval_s = Seconds(interval).count();
  input.deployed_at = to_unix_seconds(board.first_seen);
  input.model = board.model;
  input.links_expected = links_of(board);
  for (const auto& need : health::needs())
    if (!need.per_link) input.metrics[std::string(need.metric)];
  input.events = std::move(story.events);
  input.jobs = std::move(story.jobs);
  input.source_silent = std::move(story.source_silent);
  input.maintenance = std::move(story.maintenance);
  input.bandwidth_test = story.bandwidth_test;
  input.peers = std::move(story.peers);
  input.previous_scores = std::move(story.previous_scores);
  return input;
}

}  // namespace

Result<std::vector<health::Input>> health_inputs(const store::TelemetryStore& telemetry, std::span<const fleet::Board* const> boards,
                                                 std::chrono::milliseconds interval, Timestamp now, std::vector<BoardStory> stories) {
  stories.resize(boards.size());
  Inputs inputs;
  for (std::size_t b = 0; b < boards.size(); ++b) inputs.push_back(new_input(*boards[b], interval, now, std::move(stories[b])));
  for (const bool stand_ins : {false, true}) {
    const auto wanted = wanted_of(boards, inputs, stand_ins);
    if (!wanted) return wanted.error();
    if (const auto done = fetch(telemetry, *wanted, now, inputs); !done) return done.error();
  }
  return inputs;
}

Scoring::Scoring(const store::TelemetryStore& telemetry, pipeline::LiveView& live, ScoringSettings settings, Log log, StoryTeller stories,
                 KeepScores keep)
    : telemetry_(telemetry), live_(live), settings_(settings), log_(std::move(log)), stories_(std::move(stories)), keep_(std::move(keep)) {}

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

// Of one host at a time, and not all of a large one: a month of readings of a board is some 30 MB.
constexpr std::size_t kMostTogether = 4;

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
  const auto inputs =
      health_inputs(telemetry_, boards, settings_.interval, now, stories_ ? stories_(boards, now) : std::vector<BoardStory>{});
  if (!inputs) return log_.warn("score.failed", {{"host", boards[0]->host}, {"error", inputs.error().what}});
  const auto before = reports.size();
  for (std::size_t i = 0; i < boards.size(); ++i)
    reports.emplace_back(boards[i]->id, std::make_shared<const health::Report>(health::score((*inputs)[i])));
  if (keep_ && !keep_(rows_.row(boards[0]->host, std::span(reports).subspan(before), now)))
    log_.warn("score.not_kept", {{"host", boards[0]->host}, {"error", "the store cannot be written"}});
}

}  // namespace ghm::services
