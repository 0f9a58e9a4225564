#include "pipeline/health_evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "domain/health/windows.h"

namespace ghm::pipeline {
namespace {

using health::kDay;
using health::Outcome;

constexpr double kDegraded = 70;

/// What is asked of one board's fate.
class Fates {
 public:
  Fates(const archive::Folder& folder, const ArchivedFleet& fleet, const Signs* signs)
      : end_(to_unix_seconds(folder.manifest.end)), fleet_(fleet), signs_(signs) {
    for (const auto& b : fleet.boards) {
      auto& times = failures_.emplace_back();
      for (const auto& f : b.failures) times.push_back(f.detected);
    }
  }

  Outcome of(Target target, std::size_t board, double t) const {
    switch (target) {
      case Target::failure_30d: return within(board, t, 30 * kDay);
      case Target::failure_7d: return within(board, t, 7 * kDay);
      case Target::first_failure_30d: {
        const auto& times = failures_[board];
        return !times.empty() && times.front() <= t ? Outcome::unknown : within(board, t, 30 * kDay);
      }
      case Target::sign_now: return sign(board, t);
    }
    return Outcome::unknown;
  }

 private:
  Outcome within(std::size_t board, double t, double horizon) const {
    return health::fails_within({failures_[board], fleet_.boards[board].until, end_}, t, horizon);
  }
  Outcome sign(std::size_t board, double t) const {
    if (signs_ == nullptr) return Outcome::unknown;
    const auto it = signs_->find(fleet_.boards[board].uuid);
    if (it == signs_->end()) return Outcome::no;
    return std::ranges::any_of(it->second, [&](const Sign& s) { return s.from <= t && t < s.until; }) ? Outcome::yes : Outcome::no;
  }

  double end_;
  const ArchivedFleet& fleet_;
  const Signs* signs_;
  std::vector<std::vector<double>> failures_;
};

// What a point of the dimension costs the whole.
double worth(const health::Report& r, const health::Dimension& d) {
  double weights = 0;
  for (const auto& other : r.dimensions) weights += other.score ? other.weight_percent : 0;
  return r.overall && d.score ? d.weight_percent / weights : 0;
}

}  // namespace

std::string_view word_of(Target target) {
  switch (target) {
    case Target::failure_30d: return "failure_30d";
    case Target::failure_7d: return "failure_7d";
    case Target::first_failure_30d: return "first_failure_30d";
    case Target::sign_now: return "sign_now";
  }
  return "";
}

void HealthEvaluation::note_rules(const ScoredMoment& m, bool bad) {
  ++known_[bad];
  for (std::size_t p = 0; p < m.reports.size(); ++p)
    for (const auto& d : m.reports[p].dimensions)
      for (const auto& f : d.findings) {
        auto& fired = fired_[bad][{p, f.rule}];
        ++fired.times;
        fired.points += worth(m.reports[p], d) * f.lost;
      }
}

Result<void> HealthEvaluation::add(const archive::Folder& folder, const ArchivedFleet& fleet, const Signs* signs, ScoringPlan plan) {
  plan.profiles = profiles_;
  const Fates fates(folder, fleet, signs);
  const auto take = [&](const ScoredMoment& m) {
    boards_.push_back(static_cast<std::uint32_t>(boards + m.board));
    auto& outcomes = outcomes_.emplace_back();
    for (std::size_t i = 0; i < kTargets.size(); ++i) outcomes[i] = fates.of(kTargets[i], m.board, m.t);
    for (std::size_t p = 0; p < profiles_.size(); ++p)
      scores_[p].push_back(m.reports[p].overall.value_or(std::numeric_limits<double>::quiet_NaN()));
    if (on_moment) on_moment(fleet.boards[m.board], m, outcomes);
    if (outcomes[0] != Outcome::unknown) note_rules(m, outcomes[0] == Outcome::yes);
  };
  const auto counts = score_archive(folder, fleet, plan, take);
  if (!counts) return tl::make_unexpected(counts.error());
  ++archives;
  boards += fleet.boards.size();
  for (const auto& b : fleet.boards) failures += b.failures.size();
  out_of_service += counts->out_of_service;
  return {};
}

TargetResult HealthEvaluation::result_of(std::size_t target) const {
  TargetResult r{kTargets[target], 0, 0, 0, 0, {}};
  std::vector<std::uint32_t> bad;
  for (std::size_t i = 0; i < outcomes_.size(); ++i) {
    const auto outcome = outcomes_[i][target];
    ++(outcome == Outcome::unknown ? r.unknown : r.moments);
    if (outcome == Outcome::yes) bad.push_back(boards_[i]);
  }
  r.bad = bad.size();
  std::ranges::sort(bad);
  r.bad_boards = static_cast<std::size_t>(std::ranges::unique(bad).begin() - bad.begin());
  for (std::size_t p = 0; p < profiles_.size(); ++p) {
    Separation s;
    s.profile = profiles_[p]->name;
    std::vector<health::Rated> rated;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      if (outcomes_[i][target] == Outcome::unknown) continue;
      if (std::isnan(scores_[p][i])) ++s.no_score;
      else rated.push_back({boards_[i], scores_[p][i], outcomes_[i][target] == Outcome::yes});
    }
    s.auc = health::roc_auc(rated);
    s.average_precision = health::average_precision(rated);
    s.auc_interval = health::auc_interval(rated);
    s.degraded = health::confusion(rated, kDegraded);
    r.profiles.push_back(std::move(s));
  }
  return r;
}

std::vector<TargetResult> HealthEvaluation::results() const {
  std::vector<TargetResult> out;
  for (std::size_t i = 0; i < kTargets.size(); ++i)
    if (auto r = result_of(i); r.moments > 0) out.push_back(std::move(r));
  return out;
}

std::vector<RuleShare> HealthEvaluation::rules() const {
  std::vector<RuleShare> out;
  for (std::size_t p = 0; p < profiles_.size(); ++p)
    for (const auto rule : health::rule_names(*profiles_[p])) {
      RuleShare s{std::string(profiles_[p]->name), std::string(rule)};
      const auto share = [&](bool bad) {
        const auto it = fired_[bad].find({p, s.rule});
        return it == fired_[bad].end() || known_[bad] == 0 ? Fired{}
                                                           : Fired{it->second.times / known_[bad], it->second.points / known_[bad]};
      };
      s.bad = share(true).times, s.good = share(false).times;
      s.points_bad = share(true).points, s.points_good = share(false).points;
      out.push_back(std::move(s));
    }
  return out;
}

}  // namespace ghm::pipeline
