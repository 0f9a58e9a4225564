#pragma once
#include <array>
#include <map>
#include <string>
#include <vector>

#include "domain/health/evaluation.h"
#include "pipeline/scored_archive.h"

/// How well profiles tell failing boards from healthy ones, over one archive or several together.
namespace ghm::pipeline {

/// What a low score should mean. `first_failure_30d` leaves out boards that have failed before: repeat offenders are easy.
/// `sign_now`: the simulator shows a sign of a failure to come; what telemetry could know at that time.
enum class Target { failure_30d, failure_7d, first_failure_30d, sign_now };
inline constexpr std::array kTargets{Target::failure_30d, Target::failure_7d, Target::first_failure_30d, Target::sign_now};
std::string_view word_of(Target target);

/// One profile against one target.
struct Separation {
  std::string profile;
  std::size_t no_score = 0;  // left out of what follows
  std::optional<double> auc, average_precision;
  std::optional<health::Range> auc_interval;
  health::Confusion degraded;  // score below 70
};

struct TargetResult {
  Target target{};
  std::size_t moments = 0, bad = 0, bad_boards = 0;  // moments whose outcome is known, those with the target, of so many boards
  std::size_t unknown = 0;                           // ... whose outcome is not
  std::vector<Separation> profiles;
  double base_rate() const { return moments == 0 ? 0 : static_cast<double>(bad) / static_cast<double>(moments); }
};

/// How often a rule fired where a board failed within 30 days, and where it did not.
struct RuleShare {
  std::string profile, rule;
  double bad = 0, good = 0;                // of such moments
  double points_bad = 0, points_good = 0;  // that it cost the whole, on average
};

class HealthEvaluation {
 public:
  using Outcomes = std::array<health::Outcome, kTargets.size()>;

  explicit HealthEvaluation(std::vector<const health::Profile*> profiles) : profiles_(std::move(profiles)) {}

  /// Scores an archive and notes what came of it. `signs`: nullptr where the truth is not known.
  Result<void> add(const archive::Folder& folder, const ArchivedFleet& fleet, const Signs* signs, ScoringPlan plan);

  /// Told of every score as it is worked out, with what came of it by kTargets.
  std::function<void(const ArchivedBoard& board, const ScoredMoment& moment, const Outcomes& outcomes)> on_moment;

  /// Targets without a single moment are left out.
  std::vector<TargetResult> results() const;
  std::vector<RuleShare> rules() const;

  std::size_t archives = 0, boards = 0, failures = 0, out_of_service = 0;
  std::size_t moments() const { return boards_.size(); }

 private:
  struct Fired {
    double times = 0, points = 0;
  };
  void note_rules(const ScoredMoment& m, bool bad);
  TargetResult result_of(std::size_t target) const;

  std::vector<const health::Profile*> profiles_;
  std::vector<std::uint32_t> boards_;  // of each moment
  std::vector<Outcomes> outcomes_;
  std::vector<std::vector<double>> scores_ = std::vector<std::vector<double>>(profiles_.size());  // by profile; NaN: none
  std::array<std::map<std::pair<std::size_t, std::string>, Fired>, 2> fired_;                     // [bad], by profile and rule
  std::array<double, 2> known_{};                                                                 // moments of known fate, [bad]
};

}  // namespace ghm::pipeline
