#include "services/past_score.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipeline/event_code.h"
#include "pipeline/ledger_records.h"
#include "services/scoring.h"

namespace ghm::services {
namespace {

constexpr auto kLookBack = std::chrono::days(31);
constexpr std::size_t kMostEvents = 50'000;  // of the whole fleet, while looking for one board's

std::optional<std::vector<health::Event>> events_of(const store::RecordStore& records, fleet::BoardId board, Timestamp at) {
  const auto all = records.recent("event", {at - kLookBack, at + 1ms}, kMostEvents);
  if (!all || all->size() == kMostEvents) return std::nullopt;
  std::vector<health::Event> out;
  for (const auto& record : *all) {
    const auto body = nlohmann::json::parse(record.body, nullptr, false);
    if (!body.is_object() || body.value("board", 0u) != static_cast<std::uint32_t>(board)) continue;
    out.push_back({to_unix_seconds(record.at), body.value("kind", ""), pipeline::event_code(body)});
  }
  return out;
}

// Up to `at`; a silence that lasted then ended there, as far as one knew.
std::optional<std::vector<health::Interval>> silence_of(const store::RecordStore& records, const views::FleetSnapshot& fleet,
                                                        const std::string& name, Timestamp at) {
  const auto host = std::ranges::find(fleet.hosts, name, [](const views::HostView& h) { return h.host.name; });
  if (host == fleet.hosts.end()) return std::nullopt;
  const auto intervals = pipeline::board_intervals(records, host->host.id, "silence");
  if (!intervals) return std::nullopt;
  std::vector<health::Interval> out;
  const auto add = [&](Timestamp from, Timestamp to) {
    if (from < at) out.push_back({to_unix_seconds(from), to_unix_seconds(std::min(to, at))});
  };
  for (const auto& i : *intervals) add(i.from, i.to.value_or(at));
  if (host->silent) add(host->host.last_answer, at);
  return out;
}

BoardStory story_of(const store::TelemetryStore& telemetry, const store::RecordStore& records, const views::FleetSnapshot& fleet,
                    const fleet::Board& board, Timestamp at) {
  BoardStory story;
  story.events = events_of(records, board.id, at);
  story.source_silent = silence_of(records, fleet, board.host, at);
  story.previous_scores = previous_scores(telemetry, board.id, at);
  for (const auto& w : fleet.maintenance.windows(board, {at - kLookBack, at}))
    story.maintenance.push_back({to_unix_seconds(w.from), to_unix_seconds(std::min(w.to, at))});
  return story;
}

std::chrono::milliseconds interval_of(const views::FleetSnapshot& fleet, const std::string& name) {
  const auto host = std::ranges::find(fleet.hosts, name, [](const views::HostView& h) { return h.host.name; });
  return host == fleet.hosts.end() ? std::chrono::milliseconds(10s) : host->host.interval;
}

std::size_t readings_of(const health::Input& input) {
  std::size_t n = 0;
  for (const auto& [name, series] : input.metrics) n += series ? series->size() : 0;
  return n;
}

std::optional<double> kept_score(const store::TelemetryStore& telemetry, fleet::BoardId board, Timestamp at) {
  constexpr auto kRound = std::chrono::milliseconds(15min);
  const auto rounds = telemetry.aggregate({board, {}, health::kOverallScore}, {at - 2 * kRound, at + 1ms}, kRound);
  if (!rounds || rounds->empty()) return std::nullopt;
  return rounds->back().last;
}

}  // namespace

Result<views::PastScore> past_score(const store::TelemetryStore& telemetry, const store::RecordStore& records,
                                    const views::FleetSnapshot& fleet, std::size_t index, Timestamp at, HowScored how) {
  const auto& board = fleet.boards[index].board;
  if (at < board.first_seen)
    return Error{Errc::invalid_input,
                 fmt::format("at: this GPU was first seen at {}: ask for a later time", format_rfc3339(board.first_seen))};
  const std::array boards{&board};
  std::vector<BoardStory> stories;
  stories.push_back(story_of(telemetry, records, fleet, board, at));
  how.interval = interval_of(fleet, board.host);
  const auto inputs = health_inputs(telemetry, boards, how, at, std::move(stories));
  if (!inputs) return inputs.error();
  views::PastScore out;
  out.at = at;
  out.readings = readings_of(inputs->front());
  out.kept = kept_score(telemetry, board.id, at);
  if (out.readings == 0) out.note = "no reading of the 30 days before this time is kept any more";
  else out.report = health::score(*how.profile, inputs->front());
  return out;
}

}  // namespace ghm::services
