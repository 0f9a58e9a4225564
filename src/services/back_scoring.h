#pragma once
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "services/back_record.h"
#include "services/back_stories.h"
#include "services/back_sums.h"
#include "services/score_history.h"
#include "services/sliding_store.h"

/// Scores of the past: of hours that have readings, but no score, because they came with an archive or were filled in later. A
/// score of time t is what live scoring would have said then: the same inputs and rules, and nothing that was not known by t.
///
/// Rounds stand every quarter of an hour in the last 32 days before a board's newest such hour, so that the trends that follow
/// find the rounds they need (48 of a day's 96, up to 31 days back), and once an hour before: a history of years is looked at by
/// the hour, and costs a quarter. An hour is left out when it has any score, so that nothing is ever scored twice.
namespace ghm::services {

struct BackScoringSettings {
  std::chrono::milliseconds interval{10s};  // of readings of which nothing else is noted
  std::chrono::days dense{32};              // rounds every quarter of an hour
  const health::Profile* profile = &health::default_profile();
  const faults::FaultCatalogue* codes = &faults::FaultCatalogue::built_in();
  HowScored how(std::chrono::milliseconds of) const { return {of, profile, codes}; }
};

class BackScoring {
 public:
  /// Rows first, then records; both durable on return, else they are offered again.
  using Keep = std::function<Result<void>(std::vector<store::RowBatch> rows, std::vector<store::Record> records)>;

  /// `fleet`: boards whose past may lack scores. `within`: whole hours of it are looked at.
  BackScoring(const store::TelemetryStore& telemetry, const store::RecordStore& records, FleetPast fleet, TimeRange within,
              BackScoringSettings settings, Keep keep);
  ~BackScoring();

  /// Looks through the whole fleet at once: how many hours of boards lack scores. Without it step() looks as it goes. `interval`:
  /// of their readings, noted for whoever scores them. ~0.1 ms per board and day of `within`.
  Result<std::uint64_t> look_through(std::optional<std::chrono::milliseconds> interval);

  struct Done {
    std::uint64_t hours = 0, rounds = 0;  // of boards
    bool finished = false;
  };
  /// One small piece: up to four boards of a host are looked through, or scored over one day. Stopped in the middle, killed or failed, it
  /// is done again, with the same result. Memory: a month of readings of four boards when they begin, then a day of them.
  Result<Done> step(std::stop_token stop = {});

 private:
  using Hours = std::set<std::int64_t>;
  struct Past {
    const fleet::Board* board = nullptr;
    BackRecord record;
    Hours missing;            // hours since the epoch
    Timestamp dense_from{};   // rounds every quarter of an hour
    health::Series previous;  // overall scores of the month before the day in hand, and of its rounds so far
    std::optional<Timestamp> recalled_until;
    BackSums sums;
  };
  struct Group {
    std::vector<Past> boards;  // of one host
    bool looked_through = false;
    Hearing heard;                          // of the host
    std::vector<store::SeriesKey> telling;  // a reading of each of its boards
    std::optional<Timestamp> heard_until;
    std::uint64_t left() const;  // hours of boards
    Timestamp first_day() const;
    std::vector<store::Record> records_after(Timestamp day) const;
    std::uint64_t forget(Timestamp day);
  };
  Result<void> look_through(Group& group);
  Result<Hours> missing_hours(const Past& past) const;
  Result<Done> score_day(Group& group, std::stop_token stop);
  Result<void> begin(Group& group);
  Result<void> recall(Past& past, Timestamp day) const;
  Result<void> listen(Group& group, Timestamp t, std::chrono::milliseconds interval);
  std::vector<Past*> due(Group& group, Timestamp t) const;
  Result<std::uint64_t> rounds(Group& group, Timestamp t, std::vector<store::RowBatch>& rows);
  Result<void> round(Group& group, std::span<Past* const> due, Timestamp t, std::vector<store::RowBatch>& rows);
  using Scores = std::vector<Scored>;
  Result<bool> go_on(Past& past, const Hearing& heard, Timestamp t, const HowScored& how, Scores& scored);
  Result<void> begin_anew(std::span<Past* const> boards, const Hearing& heard, Timestamp t, const HowScored& how, Scores& scored);
  Result<void> begin_sums(Past& past, const health::Input& input, Timestamp t, const HowScored& how, Scores& scored);
  void add_sums(Past& past, const health::Input& input, health::RunningSums& sums, Scores& scored) const;
  void add(Past& past, health::Report report, Scores& scored) const;

  const store::TelemetryStore& telemetry_;
  const store::RecordStore& records_;
  const FleetPast fleet_;
  TimeRange within_;
  BackScoringSettings settings_;
  Keep keep_;
  ScoreRows columns_;
  std::vector<Group> groups_;
  std::size_t at_ = 0;                                 // the group in hand
  std::unique_ptr<SlidingStore> sliding_, listening_;  // of it: for scores, and for who spoke at all
  std::optional<BackStories> stories_;
};

}  // namespace ghm::services
