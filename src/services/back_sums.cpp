#include "services/back_sums.h"

#include <algorithm>

namespace ghm::services {
namespace {

constexpr auto kMost = std::chrono::days(31);  // what lies further back says nothing about a score
constexpr auto kAtOnce = 2h;

}  // namespace

bool BackSums::can_go_on(const fleet::Board& board, Timestamp t, std::chrono::milliseconds interval) const {
  return rounds_ && rounds_->has(board) && interval == interval_ && at_ < t && t - at_ <= kMost;
}

// Where a score stands that somebody else formed, sums stop and note it.
Timestamp BackSums::next_stop(Timestamp t, const health::Series& previous) const {
  const auto next = std::min(t, at_ + kAtOnce);
  const auto score = std::ranges::upper_bound(previous, to_unix_seconds(at_), {}, &health::Reading::at);
  return score == previous.end() ? next : std::min(next, from_unix_ms(std::llround(score->at * 1000)));
}

Result<bool> BackSums::go_on(const fleet::Board& board, Timestamp t, const health::Series& previous, const Rounds::Visit& visit) {
  const std::array alone{&board};
  while (at_ < t) {
    if (!rounds_->has(board)) return false;
    const auto next = next_stop(t, previous);
    const auto refused = rounds_->go_on(alone, alone, next, [&](const fleet::Board& b, health::RunningSums& sums) {
      if (next == t) return visit(b, sums);
      const auto score = std::ranges::lower_bound(previous, to_unix_seconds(next), {}, &health::Reading::at);
      if (score != previous.end() && score->at == to_unix_seconds(next)) sums.note_score(score->at, score->value);
    });
    if (!refused) return refused.error();
    if (!refused->empty()) return false;
    at_ = next;
  }
  return true;
}

Result<void> BackSums::begin(const store::TelemetryStore& telemetry, const fleet::Board& board, const health::Evidence& evidence,
                             Timestamp t, const HowScored& how, const Rounds::Visit& visit) {
  rounds_.reset();
  auto memory = SumsFile::in_memory();
  if (!memory) return memory.error();
  rounds_ = std::make_unique<Rounds>(telemetry, how, std::move(*memory));
  rounds_->begin(board, evidence, t, visit);
  at_ = t;
  interval_ = how.interval;
  return {};
}

}  // namespace ghm::services
