#include "services/job_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "domain/store/subjects.h"
#include "pipeline/ledger_records.h"

namespace ghm::services {
namespace {

constexpr std::size_t kMostIntervals = 10'000, kNewest = 300, kMostNames = 5, kMostStragglers = 64;
constexpr auto kOneRun = 10min;   // a job that is away no longer than this is the same run
constexpr auto kTogether = 1min;  // its boards let go of it within this time
constexpr auto kAround = 30min;   // as GET why looks behind a moment

struct Run {
  std::vector<fleet::Interval> intervals;
  Timestamp from{};
  std::optional<Timestamp> to;
};

TimeRange ever(Timestamp now) {
  return {Timestamp(), now + std::chrono::days(2)};
}

bool is_job(const fleet::Interval& i) {
  return i.kind == "job" || i.kind == "pod";
}

bool is_of(const fleet::Interval& i, const std::string& job) {
  return is_job(i) && (i.value == job || (i.kind == "pod" && i.value.starts_with(job + "/")));
}

// What still holds on a board that nobody hears held when it was last seen.
void end_on_silent_boards(std::vector<fleet::Interval>& all, const views::FleetSnapshot& fleet) {
  std::unordered_map<fleet::BoardId, Timestamp> silent;
  for (const auto& v : fleet.boards)
    if (v.silent) silent[v.board.id] = v.board.last_seen;
  for (auto& i : all)
    if (const auto last = silent.find(i.board); !i.to && last != silent.end()) i.to = std::max(i.from, last->second);
}

// A board that came back after hours lets go of its job then; it ended when the board fell silent, if not with the others.
Result<void> end_stragglers(const store::RecordStore& records, Run& run) {
  std::vector<Timestamp> ends;
  for (const auto& i : run.intervals)
    if (i.to) ends.push_back(*i.to);
  if (ends.size() < run.intervals.size() || ends.empty()) return {};
  const auto middle = ends.begin() + static_cast<std::ptrdiff_t>(ends.size() / 2);
  std::ranges::nth_element(ends, middle);
  std::size_t looked = 0;
  run.to = *middle;
  for (auto& i : run.intervals) {
    if (*i.to > *middle + kTogether && ++looked <= kMostStragglers) {
      const auto silences = pipeline::board_intervals(records, i.board, "silence");
      if (!silences) return silences.error();
      for (const auto& s : *silences)
        if (s.to && s.from > i.from && s.from < *i.to && std::chrono::abs(*s.to - *i.to) <= kTogether) i.to = s.from;
    }
    run.to = std::max(*run.to, *i.to);
  }
  return {};
}

std::vector<Run> runs_of(std::vector<fleet::Interval> all) {
  std::ranges::stable_sort(all, {}, &fleet::Interval::from);
  std::vector<Run> runs;
  for (auto& i : all) {
    if (runs.empty() || (runs.back().to && i.from > *runs.back().to + kOneRun)) runs.push_back({{}, i.from, i.to});
    auto& run = runs.back();
    run.to = !run.to || !i.to ? std::nullopt : std::optional(std::max(*run.to, *i.to));
    run.intervals.push_back(std::move(i));
  }
  return runs;
}

Run& pick(std::vector<Run>& runs, std::optional<Timestamp> at) {
  if (at)
    for (auto run = runs.rbegin(); run != runs.rend(); ++run)
      if (run->from <= *at + kAround) return *run;
  return at ? runs.front() : runs.back();
}

Error no_such_job(const store::RecordStore& records, const std::string& job, Timestamp now) {
  std::vector<std::string> newest;
  for (const auto* kind : {"open", "interval"}) {
    const auto some = records.recent(kind, ever(now), kNewest);
    if (!some) return some.error();
    for (const auto& r : *some) {
      const auto intervals = pipeline::parse_intervals(r);
      if (!intervals) continue;
      for (const auto& i : *intervals)
        if (is_job(i) && newest.size() < kMostNames && std::ranges::find(newest, i.value) == newest.end()) newest.push_back(i.value);
    }
  }
  const auto known = newest.empty() ? std::string("neither an exporter's page nor an agent has named any job")
                                    : fmt::format("the newest jobs are {}", fmt::join(newest, ", "));
  return {Errc::not_found, fmt::format("There is no job '{}' in the ledger: {}.", job.substr(0, 80), known)};
}

}  // namespace

Result<std::vector<fleet::Interval>> intervals_of_job(const store::RecordStore& records, const std::string& job, std::size_t limit,
                                                      Timestamp now) {
  std::vector<fleet::Interval> all;
  for (const auto* kind : {"interval", "open"}) {
    const auto found = records.about(kind, store::job_subject(job), ever(now), limit);
    if (!found) return found.error();
    for (const auto& r : *found) {
      const auto intervals = pipeline::parse_intervals(r);
      if (!intervals) continue;  // one that cannot be read does not hide the others
      for (const auto& i : *intervals)
        if (is_of(i, job)) all.push_back(i);
    }
  }
  return all;
}

views::CausalJob job_of(const std::string& name, const std::vector<fleet::Interval>& intervals) {
  views::CausalJob j;
  j.job = name;
  j.from = intervals.front().from;
  j.to = intervals.front().to;
  for (const auto& i : intervals) {
    j.boards.insert(i.board);
    if (const auto user = i.facts.find("user"); user != i.facts.end() && j.user.empty()) j.user = user->second;
    j.from = std::min(j.from, i.from);
    j.to = !j.to || !i.to ? std::nullopt : std::optional(std::max(*j.to, *i.to));
  }
  return j;
}

Result<views::CausalJob> job_run(const store::RecordStore& records, const views::FleetSnapshot& fleet, const std::string& job,
                                 std::optional<Timestamp> at, Timestamp now) {
  auto all = intervals_of_job(records, job, kMostIntervals, now);
  if (!all) return all.error();
  if (all->empty()) return no_such_job(records, job, now);
  end_on_silent_boards(*all, fleet);
  auto runs = runs_of(std::move(*all));
  auto& run = pick(runs, at);
  if (auto done = end_stragglers(records, run); !done) return done.error();
  auto out = job_of(job, run.intervals);
  out.to = run.to;
  return out;
}

}  // namespace ghm::services
