#include "services/scoring.h"

#include <algorithm>

#include "domain/health/rules.h"
#include "services/host_peers.h"

namespace ghm::services {
namespace {

// How long after its time a round is: rows of then are kept by now. What comes later still makes its board begin anew.
constexpr auto kSettled = 20s;
// Of one host at a time, and not all of a large one: a month of readings of a board is some 30 MB.
constexpr std::size_t kMostTogether = 4;

using Boards = std::vector<const fleet::Board*>;

/// Boards in service, host by host: they stand so in the snapshot.
std::vector<Boards> by_host(const views::FleetSnapshot& fleet) {
  std::vector<Boards> hosts;
  for (const auto& view : fleet.boards) {
    if (!view.board.in_service) continue;
    if (hosts.empty() || hosts.back()[0]->host != view.board.host) hosts.emplace_back();
    hosts.back().push_back(&view.board);
  }
  return hosts;
}

bool has_rule(const health::Profile& profile, std::string_view name) {
  const auto names = health::rule_names(profile);
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Scoring::Scoring(const store::TelemetryStore& telemetry, pipeline::LiveView& live, ScoringSettings settings, Log log, StoryTeller stories,
                 KeepScores keep)
    : telemetry_(telemetry),
      live_(live),
      settings_(std::move(settings)),
      log_(std::move(log)),
      stories_(std::move(stories)),
      keep_(std::move(keep)),
      compares_on_host_(has_rule(*settings_.profile, "power.limit")) {
  if (settings_.sums_folder.empty() || !settings_.carries_sums()) return;
  auto file = SumsFile::open(settings_.sums_folder);
  if (file) rounds_ = std::make_unique<Rounds>(telemetry_, settings_.how(), std::move(*file));
  else log_.warn("score.no_sums", {{"error", file.error().what}, {"effect", "every round reads a month of readings"}});
}

void Scoring::run(Clock& clock, std::stop_token stop) {
  while (clock.sleep_until(clock.now() + 1s, stop)) tick(clock.now(), stop);
}

void Scoring::rows_kept(std::span<const store::RowBatch> rows) {
  if (rounds_) rounds_->rows_kept(rows);
}

ScoringStats Scoring::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

void Scoring::score_soon(std::span<const fleet::BoardId> boards) {
  std::lock_guard lock(mutex_);
  urgent_.insert(urgent_.end(), boards.begin(), boards.end());
}

void Scoring::take_urgent() {
  std::vector<fleet::BoardId> urgent;
  {
    std::lock_guard lock(mutex_);
    urgent.swap(urgent_);
  }
  for (const auto id : urgent)
    if (auto it = turns_.find(id); it != turns_.end()) it->second.urgent = true;
}

// Without sums a round is whenever one is due.
Timestamp Scoring::round_of(const std::string& host, Timestamp now) const {
  return rounds_ ? Rounds::time_of(host, now - kSettled) : now;
}

Scoring::Due Scoring::due(std::span<const fleet::Board* const> host, Timestamp round, Timestamp now) {
  Due due;
  for (const auto* board : host) {
    auto& turn = turns_.try_emplace(board->id, Turn{board->first_seen + 2 * settings_.interval, {}, {}, false}).first->second;
    const bool is_new = turn.last == Timestamp{};
    if (is_new ? now >= turn.first : turn.urgent && now >= turn.last + settings_.urgent_pause) due.at_once.push_back(board);
    else if (!is_new && now >= turn.round + (rounds_ ? 0ms : settings_.every) && round > turn.round) due.by_round.push_back(board);
  }
  return due;
}

std::size_t Scoring::tick(Timestamp now, std::stop_token stop) {
  constexpr std::size_t kShowAfter = 256;  // a large fleet's first scores appear while the rest is still being worked out
  const auto start = std::chrono::steady_clock::now();
  const auto fleet = live_.current();
  take_urgent();
  Reports reports;
  std::size_t done = 0;
  for (const auto& host : by_host(*fleet)) {
    if (stop.stop_requested()) break;
    const auto before = reports.size();
    score_host(host, now, reports);
    done += reports.size() - before;
    if (reports.size() >= kShowAfter) live_.set_reports(std::exchange(reports, {}));
  }
  live_.set_reports(std::move(reports));
  if (done == 0) return 0;
  std::lock_guard lock(mutex_);
  stats_.last_round_seconds = Seconds(std::chrono::steady_clock::now() - start).count();
  stats_.seconds += stats_.last_round_seconds;
  stats_.last_success = now;
  return done;
}

void Scoring::score_host(std::span<const fleet::Board* const> host, Timestamp now, Reports& reports) {
  const auto round = round_of(host[0]->host, now);
  const auto [by_round, at_once] = due(host, round, now);
  const auto before = reports.size();
  if (!by_round.empty()) score_round(host, by_round, round, reports);
  const auto after = reports.size();
  for (std::size_t n = 0; n < at_once.size(); n += kMostTogether)
    score_from_readings(host, std::span(at_once).subspan(n, std::min(kMostTogether, at_once.size() - n)), round, now, reports);
  std::lock_guard lock(mutex_);
  stats_.rounds += after - before;
  stats_.urgent += reports.size() - after;
}

std::vector<BoardStory> Scoring::stories_of(std::span<const fleet::Board* const> boards, Timestamp at) const {
  auto stories = stories_ ? stories_(boards, at) : std::vector<BoardStory>();
  stories.resize(boards.size());
  return stories;
}

// By their sums where these can go on; the others from readings, as of the same time.
void Scoring::score_round(std::span<const fleet::Board* const> host, Boards boards, Timestamp round, Reports& reports) {
  for (const auto* board : boards) turns_[board->id].round = round;
  Boards going_on;
  if (rounds_) std::ranges::copy_if(boards, std::back_inserter(going_on), [&](const auto* b) { return rounds_->can_go_on(*b, round); });
  Boards anew;
  std::ranges::copy_if(boards, std::back_inserter(anew), [&](const auto* b) { return std::ranges::find(going_on, b) == going_on.end(); });
  if (!going_on.empty()) {
    const auto before = reports.size();
    auto stories = stories_of(going_on, round);
    const auto refused = rounds_->go_on(going_on, host, round, [&](const fleet::Board& board, health::RunningSums& sums) {
      if (turns_[board.id].last >= round) return;  // something newer is known
      const auto n = static_cast<std::size_t>(std::ranges::find(going_on, &board) - going_on.begin());
      score_sums(board, input_without_readings(board, settings_.how(), round, std::move(stories[n])), sums, reports);
    });
    keep(host[0]->host, std::span(reports).subspan(before), round);
    if (!refused) return failed(host[0]->host, refused.error());
    anew.insert(anew.end(), refused->begin(), refused->end());
  }
  for (std::size_t n = 0; n < anew.size(); n += kMostTogether)
    score_from_readings(host, std::span(anew).subspan(n, std::min(kMostTogether, anew.size() - n)), round, round, reports);
}

// A score as of `at`; of boards without sums these too, as of the round before, from the same readings.
void Scoring::score_from_readings(std::span<const fleet::Board* const> host, std::span<const fleet::Board* const> boards, Timestamp round,
                                  Timestamp at, Reports& reports) {
  constexpr auto kTryAgain = 1min;
  if (rounds_) rounds_->will_read(boards, round);
  auto stories = stories_of(boards, at);
  for (std::size_t n = 0; n < boards.size(); ++n) {
    auto& turn = turns_[boards[n]->id];
    turn.urgent = false;
    turn.first = at + kTryAgain;
    if (!rounds_ || !rounds_->has(*boards[n])) turn.round = round;
    if (stories[n].previous_scores.empty()) stories[n].previous_scores = previous_scores(telemetry_, boards[n]->id, at);
  }
  auto inputs = health_inputs(telemetry_, boards, settings_.how(), at, std::move(stories));
  if (!inputs) return failed(host[0]->host, inputs.error());
  if (compares_on_host_)
    if (const auto done = add_host_peers(telemetry_, host, boards, at, *inputs); !done) return failed(host[0]->host, done.error());
  const auto before = reports.size();
  for (std::size_t n = 0; n < boards.size(); ++n) score_input(*boards[n], (*inputs)[n], round, at, reports);
  keep(host[0]->host, std::span(reports).subspan(before), at);
  std::lock_guard lock(mutex_);
  stats_.from_readings += reports.size() - before;
}

void Scoring::score_input(const fleet::Board& board, health::Input& input, Timestamp round, Timestamp at, Reports& reports) {
  std::optional<double> overall;
  const bool is_newest = turns_[board.id].last < at, begins = rounds_ && !rounds_->has(board);
  if (is_newest && !(begins && at == round)) {
    auto report = health::score(*settings_.profile, input);
    overall = report.overall;
    add(board, std::move(report), reports);
  }
  if (rounds_ && !begins && overall) rounds_->note_score(board, at, *overall);
  if (!begins) return;
  input.t = to_unix_seconds(round);
  rounds_->begin(board, health::Evidence(input), round, [&](const fleet::Board&, health::RunningSums& sums) {
    if (overall) return sums.note_score(to_unix_seconds(at), *overall);
    if (is_newest && at == round) score_sums(board, input, sums, reports);
  });
}

void Scoring::score_sums(const fleet::Board& board, const health::Input& input, health::RunningSums& sums, Reports& reports) {
  auto report = sums.score(*settings_.profile, input);
  if (report.overall) sums.note_score(input.t, *report.overall);
  add(board, std::move(report), reports);
}

void Scoring::add(const fleet::Board& board, health::Report report, Reports& reports) {
  turns_[board.id].last = from_unix_ms(std::llround(report.at * 1000));
  reports.emplace_back(board.id, std::make_shared<const health::Report>(std::move(report)));
}

void Scoring::keep(const std::string& host, std::span<const Scored> scored, Timestamp at) {
  if (keep_ && !scored.empty() && !keep_(rows_.row(host, scored, at)))
    log_.warn("score.not_kept", {{"host", host}, {"error", "the store cannot be written"}});
}

void Scoring::failed(const std::string& host, const Error& error) {
  log_.warn("score.failed", {{"host", host}, {"error", error.what}});
  std::lock_guard lock(mutex_);
  ++stats_.failures;
}

}  // namespace ghm::services
