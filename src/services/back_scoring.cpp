// Hours are found by the rollups of a few readings that every board has and of the scores; what is found is scored board by board, day by
// day, oldest first, through windows that slide (sliding_store.h): a board's first round from a month of readings, the others from sums
// that go on by a quarter of an hour (back_sums.h). A day's rows are one append, and a record says afterwards which hours were looked at:
// killed in between, the rows are there already and the hours have scores.
#include "services/back_scoring.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "domain/health/rules.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::services {
namespace {

namespace field = telemetry::field;
using std::chrono::hours;

constexpr std::size_t kMostTogether = 4;  // a month of readings of a board is some 30 MB
constexpr auto kRound = 15min;
constexpr auto kMonth = std::chrono::days(31);
constexpr std::array kTelling = {field::gpu_temp, field::power_usage, field::gpu_util, field::graphics_activity};

std::int64_t hour_of(Timestamp t) {
  return std::chrono::floor<hours>(t).time_since_epoch().count();
}
Timestamp start_of(std::int64_t hour) {
  return Timestamp(hours(hour));
}

// In a sparse hour the last quarter's round stands for it: it has seen most of the hour.
bool is_round(Timestamp t, Timestamp dense_from) {
  return t >= dense_from || t - start_of(hour_of(t)) == 45min;
}

}  // namespace

BackScoring::BackScoring(const store::TelemetryStore& telemetry, const store::RecordStore& records, FleetPast fleet, TimeRange within,
                         BackScoringSettings settings, Keep keep)
    : telemetry_(telemetry), records_(records), fleet_(std::move(fleet)), within_(within), settings_(settings), keep_(std::move(keep)) {
  std::vector<const fleet::Board*> boards;
  for (const auto& b : fleet_.boards) boards.push_back(&b);
  std::ranges::sort(boards, {}, [](const fleet::Board* b) { return std::tie(b->host, b->id); });
  for (const auto* b : boards) {
    if (groups_.empty() || groups_.back().boards.size() == kMostTogether || groups_.back().boards[0].board->host != b->host)
      groups_.emplace_back();
    groups_.back().boards.emplace_back().board = b;
  }
}

BackScoring::~BackScoring() = default;

Result<BackScoring::Hours> BackScoring::missing_hours(const Past& past) const {
  const auto id = past.board->id;
  const auto each_hour = [&](telemetry::MetricId metric, auto take) -> Result<void> {
    const auto buckets = telemetry_.aggregate({id, {}, metric}, within_, 1h);
    if (!buckets) return buckets.error();
    for (const auto& b : *buckets) take(hour_of(b.from));
    return {};
  };
  Hours out;
  for (const auto metric : kTelling)
    if (auto done = each_hour(metric, [&](std::int64_t h) { out.insert(h); }); !done) return done.error();
  const auto is_outside = [&](std::int64_t h) {
    return start_of(h) < within_.from || start_of(h + 1) > within_.to || past.record.is_scored(start_of(h));
  };
  std::erase_if(out, is_outside);
  if (out.empty()) return out;
  for (std::size_t d = 0; d <= health::dimensions().size(); ++d) {
    const auto score = d == 0 ? health::kOverallScore : health::dimension_score(d - 1);
    if (auto done = each_hour(score, [&](std::int64_t h) { out.erase(h); }); !done) return done.error();
  }
  return out;
}

Result<void> BackScoring::look_through(Group& group) {
  for (auto& past : group.boards) {
    auto record = read_back_record(records_, past.board->id);
    if (!record) return record.error();
    past.record = std::move(*record);
    auto missing = missing_hours(past);
    if (!missing) return missing.error();
    past.missing = std::move(*missing);
    if (!past.missing.empty()) past.dense_from = start_of(*past.missing.rbegin() + 1) - settings_.dense;
  }
  group.looked_through = true;
  return {};
}

Result<std::uint64_t> BackScoring::look_through(std::optional<std::chrono::milliseconds> interval) {
  std::uint64_t left = 0;
  for (auto& group : groups_) {
    if (auto done = look_through(group); !done) return done.error();
    left += group.left();
    std::vector<store::Record> noted;
    for (auto& past : group.boards) {
      if (!interval || past.missing.empty()) continue;
      past.record.note_span({{start_of(*past.missing.begin()), start_of(*past.missing.rbegin() + 1)}, *interval});
      noted.push_back(to_record(past.record));
    }
    if (noted.empty()) continue;
    if (auto done = keep_({}, std::move(noted)); !done) return done.error();
  }
  return left;
}

Result<BackScoring::Done> BackScoring::step(std::stop_token stop) {
  while (at_ < groups_.size()) {
    auto& group = groups_[at_];
    if (!group.looked_through) {
      if (auto done = look_through(group); !done) return done.error();
      return Done{};
    }
    if (group.left() > 0) return score_day(group, stop);
    sliding_.reset();
    listening_.reset();
    group = {};
    ++at_;
  }
  return Done{0, 0, true};
}

Result<void> BackScoring::begin(Group& group) {
  std::int64_t last = 0;
  for (const auto& past : group.boards)
    if (!past.missing.empty()) last = std::max(last, *past.missing.rbegin());
  sliding_ = std::make_unique<SlidingStore>(telemetry_, start_of(last + 1));
  listening_ = std::make_unique<SlidingStore>(telemetry_, start_of(last + 1));
  for (const auto& b : fleet_.boards)
    if (b.host == group.boards[0].board->host) group.telling.push_back({b.id, {}, field::gpu_temp});
  if (stories_) return {};
  auto stories = BackStories::read(records_, fleet_);
  if (!stories) return stories.error();
  stories_ = std::move(*stories);
  return {};
}

// A round that live scoring would have made: not before the board had two intervals to speak.
std::vector<BackScoring::Past*> BackScoring::due(Group& group, Timestamp t) const {
  std::vector<Past*> out;
  for (auto& past : group.boards) {
    const auto interval = past.record.interval_at(t).value_or(settings_.interval);
    if (past.missing.contains(hour_of(t)) && is_round(t, past.dense_from) && t >= past.board->first_seen + 2 * interval)
      out.push_back(&past);
  }
  return out;
}

// The overall scores of the month before a day, and of the day: those that stand in the store, and those of this run, which may be on their
// way there.
Result<void> BackScoring::recall(Past& past, Timestamp day) const {
  const TimeRange unknown{past.recalled_until.value_or(day - kMonth), day + 24h};
  const auto stored = telemetry_.aggregate({past.board->id, {}, health::kOverallScore}, unknown, kRound);
  if (!stored) return stored.error();
  past.recalled_until = unknown.to;
  std::map<double, double> by_time;
  for (const auto& own : past.previous)
    if (own.at >= to_unix_seconds(day - kMonth)) by_time[own.at] = own.value;
  for (const auto& r : *stored) by_time[to_unix_seconds(r.from)] = r.sum / static_cast<double>(r.count);
  past.previous.clear();
  for (const auto& [at, value] : by_time) past.previous.push_back({at, value});
  return {};
}

Result<void> BackScoring::listen(Group& group, Timestamp t, std::chrono::milliseconds interval) {
  listening_->look_until(t);
  const auto readings = listening_->read_many(group.telling, {group.heard_until.value_or(t - kMonth) + 1ms, t + 1ms});
  if (!readings) return readings.error();
  std::vector<Timestamp> times;
  for (const auto& one : *readings)
    for (const auto& p : one) times.push_back(p.at);
  group.heard.hear(std::move(times), interval);
  group.heard_until = t;
  return {};
}

Result<void> BackScoring::round(Group& group, std::span<Past* const> due, Timestamp t, std::vector<store::RowBatch>& rows) {
  const auto how = settings_.how(due[0]->record.interval_at(t).value_or(settings_.interval));
  if (auto done = listen(group, t, how.interval); !done) return done;
  sliding_->look_until(t);
  Scores scored;
  std::vector<Past*> anew;
  for (auto* past : due) {
    const auto went_on = go_on(*past, group.heard, t, how, scored);
    if (!went_on) return tl::make_unexpected(went_on.error());
    if (!*went_on) anew.push_back(past);
  }
  if (auto done = begin_anew(anew, group.heard, t, how, scored); !done) return done;
  std::ranges::sort(scored, {}, &Scored::first);  // always the same columns
  const auto& host = group.boards[0].board->host;
  rows.push_back(columns_.row(host, scored, t));
  rows.back().source = "scores/past/" + host;  // beside live rows, which are of another time
  return {};
}

Result<bool> BackScoring::go_on(Past& past, const Hearing& heard, Timestamp t, const HowScored& how, Scores& scored) {
  if (!past.sums.can_go_on(*past.board, t, how.interval)) return false;
  return past.sums.go_on(*past.board, t, past.previous, [&](const fleet::Board& board, health::RunningSums& sums) {
    add_sums(past, input_without_readings(board, how, t, stories_->tell(board, t, heard)), sums, scored);
  });
}

// From a month of readings: the first round, and wherever sums do not go on.
Result<void> BackScoring::begin_anew(std::span<Past* const> group, const Hearing& heard, Timestamp t, const HowScored& how,
                                     Scores& scored) {
  if (group.empty()) return {};
  std::vector<const fleet::Board*> boards;
  std::vector<BoardStory> stories;
  for (const auto* past : group) {
    boards.push_back(past->board);
    stories.push_back(stories_->tell(*past->board, t, heard));
    const auto known = std::ranges::lower_bound(past->previous, to_unix_seconds(t), {}, &health::Reading::at);
    stories.back().previous_scores.assign(past->previous.begin(), known);
  }
  const auto inputs = health_inputs(*sliding_, boards, how, t, std::move(stories));
  if (!inputs) return tl::make_unexpected(inputs.error());
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (!settings_.profile->sums_suffice) add(*group[i], health::score(*settings_.profile, (*inputs)[i]), scored);
    else if (auto done = begin_sums(*group[i], (*inputs)[i], t, how, scored); !done) return done;
  }
  return {};
}

Result<void> BackScoring::begin_sums(Past& past, const health::Input& input, Timestamp t, const HowScored& how, Scores& scored) {
  return past.sums.begin(*sliding_, *past.board, health::Evidence(input), t, how,
                         [&](const fleet::Board&, health::RunningSums& sums) { add_sums(past, input, sums, scored); });
}

void BackScoring::add_sums(Past& past, const health::Input& input, health::RunningSums& sums, Scores& scored) const {
  auto report = sums.score(*settings_.profile, input);
  if (report.overall) sums.note_score(report.at, *report.overall);
  add(past, std::move(report), scored);
}

void BackScoring::add(Past& past, health::Report report, Scores& scored) const {
  if (report.overall) {
    auto& previous = past.previous;
    const auto at = std::ranges::lower_bound(previous, report.at, {}, &health::Reading::at);
    if (at != previous.end() && at->at == report.at) at->value = *report.overall;  // a day that is done again
    else previous.insert(at, {report.at, *report.overall});
  }
  scored.emplace_back(past.board->id, std::make_shared<const health::Report>(std::move(report)));
}

// Boards of one interval at a time.
Result<std::uint64_t> BackScoring::rounds(Group& group, Timestamp t, std::vector<store::RowBatch>& rows) {
  auto left = due(group, t);
  const auto n = left.size();
  while (!left.empty()) {
    const auto interval = left[0]->record.interval_at(t);
    const auto others = std::ranges::stable_partition(left, [&](const Past* p) { return p->record.interval_at(t) == interval; });
    if (auto done = round(group, std::vector<Past*>(left.begin(), others.begin()), t, rows); !done) return done.error();
    left.erase(left.begin(), others.begin());
  }
  return n;
}

Result<BackScoring::Done> BackScoring::score_day(Group& group, std::stop_token stop) {
  if (!sliding_)
    if (auto done = begin(group); !done) return done.error();
  const auto day = group.first_day();
  for (auto& past : group.boards)
    if (auto done = recall(past, day); !done) return done.error();
  Done done;
  std::vector<store::RowBatch> rows;
  for (auto t = day; t < day + 24h; t += kRound) {
    if (stop.stop_requested()) return Done{};
    const auto n = rounds(group, t, rows);
    if (!n) return n.error();
    done.rounds += *n;
  }
  if (auto kept = keep_(std::move(rows), group.records_after(day)); !kept) return kept.error();
  done.hours = group.forget(day);
  return done;
}

// ---- a group's hours

std::uint64_t BackScoring::Group::left() const {
  std::uint64_t n = 0;
  for (const auto& b : boards) n += b.missing.size();
  return n;
}

Timestamp BackScoring::Group::first_day() const {
  auto first = std::numeric_limits<std::int64_t>::max();
  for (const auto& past : boards)
    if (!past.missing.empty()) first = std::min(first, *past.missing.begin());
  return std::chrono::floor<std::chrono::days>(start_of(first));
}

std::vector<store::Record> BackScoring::Group::records_after(Timestamp day) const {
  std::vector<store::Record> out;
  for (const auto& past : boards) {
    auto record = past.record;
    for (const auto h : past.missing)
      if (start_of(h) < day + 24h) record.note_scored({start_of(h), start_of(h + 1)});
    out.push_back(to_record(record));
  }
  return out;
}

std::uint64_t BackScoring::Group::forget(Timestamp day) {
  const auto before = left();
  for (auto& past : boards)
    while (!past.missing.empty() && start_of(*past.missing.begin()) < day + 24h) {
      const auto h = past.missing.extract(past.missing.begin()).value();
      past.record.note_scored({start_of(h), start_of(h + 1)});
    }
  return before - left();
}

}  // namespace ghm::services
