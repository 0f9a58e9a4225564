#pragma once
#include <map>
#include <string>
#include <vector>

#include "domain/fleet/repair_case.h"
#include "domain/fleet/wilson_interval.h"

namespace ghm::fleet {

/// What became of repairs. An action is counted each time that it was tried: a case in which the fault came back once and that was then
/// closed as helped counts once as did_not_help and once as helped. So a case that is still active can count as well.
struct CaseCounts {
  std::size_t closed = 0, cancelled = 0;  // cases
  std::size_t helped = 0, did_not_help = 0, cannot_tell = 0;
  std::size_t relapses = 0;         // part of did_not_help
  std::map<int, std::size_t> days;  // from opening to closing, of cases that were not cancelled; whole days, 3,650 at most
  friend bool operator==(const CaseCounts&, const CaseCounts&) = default;
};

struct CaseGroup {
  std::string action, fault, model;
  bool simulated = false;
  friend auto operator<=>(const CaseGroup&, const CaseGroup&) = default;
};

/// Counts by action, fault and model; memory grows with their combinations, not with cases.
class CaseTallies {
 public:
  void add(const RepairCase& c);

  /// One row per combination of what is asked for; the rest is empty in `group`. Simulated cases have rows of their own. Those
  /// that were tried most often first.
  struct By {
    bool action = true, fault = true, model = true;
  };
  struct Row {
    CaseGroup group;
    CaseCounts counts;
    std::optional<ShareInterval> share;  // of helped + did_not_help
    std::optional<double> median_days;
  };
  std::vector<Row> rows(By by) const;

  /// What helped against this fault: one row per action that was tried, the surest (by the interval's low end) first. Of this model
  /// where it has been tried on it, else of all models (`group.model` empty).
  std::vector<Row> what_helped(const std::string& fault, const std::string& model, bool simulated) const;

 private:
  std::map<CaseGroup, CaseCounts> counts_;
};

/// "a GPU reset helped 3 of 11 times against memory faults of this model (10-57 %)".
std::string says_what_helped(const CaseTallies::Row& row);

}  // namespace ghm::fleet
