#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

/// How well scores tell boards that fail from those that do not. Arithmetic over what was scored and what came of it.
namespace ghm::health {

enum class Outcome : std::uint8_t { no, yes, unknown };

/// A board's fate as far as it is known; all times in Unix seconds.
struct Fate {
  std::span<const double> failures;  // rising
  double gone_at;                    // when it left for good: afterwards nobody would have seen a failure
  double observed_until;             // where the record ends
};
/// Whether the board fails in (t, t + horizon]. Unknown where the record does not cover the horizon, even if a failure is seen in
/// the part that it does cover: to keep only those would make failures look more frequent than they are. Unknown, too, where the
/// board left before the horizon without a failure.
Outcome fails_within(const Fate& fate, double t, double horizon);

/// One score of one board, with what came of it.
struct Rated {
  std::uint32_t board = 0;  // 0, 1, 2, ...: scores of one board go together when their uncertainty is worked out
  double score = 0;         // finite; lower is worse
  bool bad = false;
};

/// Chance that a bad board's score is lower than a good one's, ties counting half (area under the ROC curve); 0.5 is chance.
/// nullopt where one of the two is missing. O(n log n).
std::optional<double> roc_auc(std::span<const Rated> rated);
/// Average precision, Σ (recall - recall before) · precision over all thresholds (area under the precision-recall curve); chance is
/// the share of the bad. nullopt without any bad. O(n log n).
std::optional<double> average_precision(std::span<const Rated> rated);

struct Range {
  double low = 0, high = 0;
};
/// 95 % interval of roc_auc by drawing boards with replacement, all scores of a board together (a board's days are no independent
/// witnesses): the 2.5th and 97.5th percentile of `rounds` draws. Draws that miss the bad or the good are drawn again, up to
/// `rounds` times in all. nullopt with fewer than two boards that were ever bad. The same input gives the same interval.
/// O(n log n + rounds · n). Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, 13.3.
std::optional<Range> auc_interval(std::span<const Rated> rated, int rounds = 1000);

/// What comes of calling every score below a border "degraded".
struct Confusion {
  std::size_t bad_called = 0, good_called = 0, bad_missed = 0, good_left = 0;
  std::size_t called() const { return bad_called + good_called; }
  std::size_t bad() const { return bad_called + bad_missed; }
  std::size_t good() const { return good_called + good_left; }
  std::optional<double> precision() const;     // nullopt: nothing was called
  std::optional<double> recall() const;        // nullopt: nothing was bad
  std::optional<double> false_alarms() const;  // share of the good that was called; nullopt: nothing was good
};
Confusion confusion(std::span<const Rated> rated, double below);

}  // namespace ghm::health
