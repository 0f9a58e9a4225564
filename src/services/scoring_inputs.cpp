#include "services/scoring_inputs.h"

#include <algorithm>
#include <utility>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/telemetry/model_catalogue.h"

namespace ghm::services {
namespace {

using telemetry::MetricCatalogue;
using telemetry::ModelCatalogue;

const telemetry::ModelSpec* model_of(const fleet::Board& board) {
  return ModelCatalogue::built_in().find(board.model);
}

// A passive board has no fan: its fan is not "missing", it is not listed.
bool part_has(const fleet::Board& board, telemetry::MetricId metric) {
  if (metric != telemetry::field::fan_speed) return true;
  const auto* model = model_of(board);
  return model == nullptr || model->has_fan;
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
    auto points = telemetry.read_many(series, {now - window + 1ms, now + 1ms});
    if (!points) return tl::make_unexpected(points.error());
    // Each is given back at once: the next one takes its place instead of fresh pages.
    for (std::size_t i = 0; i < wanted.size(); ++i)
      inputs[wanted[i].board].metrics[wanted[i].name] = to_series(std::exchange((*points)[i], {}));
  }
  return {};
}

}  // namespace

health::Series to_series(const std::vector<store::Point>& points) {
  health::Series out;
  out.reserve(points.size());
  for (const auto& p : points) out.push_back({to_unix_seconds(p.at), p.value});
  return out;
}

int links_of(const fleet::Board& board) {
  const auto* model = model_of(board);
  return model == nullptr ? 0 : model->nvlinks;
}

health::Input input_without_readings(const fleet::Board& board, std::chrono::milliseconds interval, Timestamp now, BoardStory story) {
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

Result<std::vector<health::Input>> health_inputs(const store::TelemetryStore& telemetry, std::span<const fleet::Board* const> boards,
                                                 std::chrono::milliseconds interval, Timestamp now, std::vector<BoardStory> stories) {
  stories.resize(boards.size());
  Inputs inputs;
  for (std::size_t b = 0; b < boards.size(); ++b)
    inputs.push_back(input_without_readings(*boards[b], interval, now, std::move(stories[b])));
  for (const bool stand_ins : {false, true}) {
    const auto wanted = wanted_of(boards, inputs, stand_ins);
    if (!wanted) return wanted.error();
    if (const auto done = fetch(telemetry, *wanted, now, inputs); !done) return done.error();
  }
  return inputs;
}

}  // namespace ghm::services
