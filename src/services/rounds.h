#pragma once
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "services/late_rows.h"
#include "services/scoring_inputs.h"
#include "services/sums_file.h"

namespace ghm::services {

/// What rounds read of an input: its metric, and the one that stands in after `silence_s` without a reading. What the profile does not
/// need has no number, and is not read.
struct RoundWant {
  telemetry::MetricId metric = telemetry::MetricId::none, stand_in = telemetry::MetricId::none;
  double silence_s = 0;
};
using RoundWants = std::array<RoundWant, health::kMetricInputs>;
RoundWants wants_of(const health::Profile& profile);

/// Carries the sums of boards on from round to round: a round reads the readings of one quarter of an hour. Where sums cannot be
/// relied on (none yet, late readings, another metric speaks, a round too long ago, the file failed) the board begins anew from a
/// month of readings. The scoring thread's alone, but for rows_kept().
class Rounds {
 public:
  Rounds(const store::TelemetryStore& telemetry, HowScored how, std::unique_ptr<SumsFile> file)
      : telemetry_(telemetry), how_(how), wants_(wants_of(*how.profile)), file_(std::move(file)) {}

  /// The last time at which a round of the host lies, at or before `now`: quarters of an hour, each host at a time of its own.
  static Timestamp time_of(const std::string& host, Timestamp now);
  /// Rows are durable. Any thread.
  void rows_kept(std::span<const store::RowBatch> rows) { late_.kept(rows); }

  bool can_go_on(const fleet::Board& board, Timestamp t);
  using Visit = std::function<void(const fleet::Board& board, health::RunningSums& sums)>;
  /// Takes `boards`, which can go on, to `t` and shows each to `visit`, which may note a score. `host`: all boards of their host, for
  /// they are each other's peers. Answers those that must begin anew after all.
  Result<std::vector<const fleet::Board*>> go_on(std::span<const fleet::Board* const> boards, std::span<const fleet::Board* const> host,
                                                 Timestamp t, const Visit& visit);

  bool has(const fleet::Board& board) const { return states_.contains(board.id); }
  /// To be called before the readings are read from which boards without sums begin.
  void will_read(std::span<const fleet::Board* const> boards, Timestamp t);
  /// From the board's readings at `t`; shows the sums to `visit`.
  void begin(const fleet::Board& board, const health::Evidence& evidence, Timestamp t, const Visit& visit);
  /// A score was formed between rounds.
  void note_score(const fleet::Board& board, Timestamp at, double overall);

 private:
  struct State {
    Timestamp t{};
    std::string model;
  };
  void keep(const fleet::Board& board, SumsFile::Place& place, Timestamp t);
  double swing_of(const fleet::Board& board, const health::RunningSums& sums, double hour) const;

  const store::TelemetryStore& telemetry_;
  HowScored how_;
  RoundWants wants_;
  std::unique_ptr<SumsFile> file_;
  LateRows late_;
  std::map<fleet::BoardId, State> states_;
};

}  // namespace ghm::services
