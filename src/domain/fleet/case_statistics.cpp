#include "domain/fleet/case_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "domain/fleet/repair_action.h"

namespace ghm::fleet {
namespace {

constexpr int kMostDays = 3650;

// The end counts as one more failure only where something was tried since the last one.
bool ends_in_failure(const RepairCase& c) {
  if (c.outcome != CaseOutcome::did_not_help) return false;
  const auto& end = *std::ranges::find(c.steps, CaseStep::What::closed, &CaseStep::what);
  if (end.from == CaseState::open) return false;  // nothing was tried
  return end.from == CaseState::testing || end.from == CaseState::watching || c.failed == 0;
}

int days_of(const RepairCase& c) {
  const auto days = std::chrono::duration<double, std::ratio<86'400>>(c.since - c.opened).count();
  return std::clamp(static_cast<int>(std::lround(days)), 0, kMostDays);
}

std::optional<double> median(const std::map<int, std::size_t>& days) {
  std::size_t n = 0;
  for (const auto& [day, count] : days) n += count;
  if (n == 0) return std::nullopt;
  const auto at = [&](std::size_t place) {
    for (const auto& [day, count] : days) {
      if (place < count) return day;
      place -= count;
    }
    return 0;
  };
  return (at((n - 1) / 2) + at(n / 2)) / 2.0;
}

void merge(CaseCounts& into, const CaseCounts& from) {
  into.closed += from.closed;
  into.cancelled += from.cancelled;
  into.helped += from.helped;
  into.did_not_help += from.did_not_help;
  into.cannot_tell += from.cannot_tell;
  into.relapses += from.relapses;
  for (const auto& [day, count] : from.days) into.days[day] += count;
}

std::size_t tried(const CaseCounts& c) {
  return c.helped + c.did_not_help;
}

std::vector<CaseTallies::Row> rows_of(const std::map<CaseGroup, CaseCounts>& groups) {
  std::vector<CaseTallies::Row> rows;
  for (const auto& [group, counts] : groups)
    rows.push_back({group, counts, wilson_interval(counts.helped, tried(counts)), median(counts.days)});
  return rows;
}

}  // namespace

void CaseTallies::add(const RepairCase& c) {
  if (c.is_active() && c.failed == 0) return;
  auto& n = counts_[{c.action, c.fault, c.model, c.simulated}];
  n.relapses += static_cast<std::size_t>(c.relapses);
  n.did_not_help += static_cast<std::size_t>(c.failed) + (ends_in_failure(c) ? 1 : 0);
  if (c.is_active()) return;
  ++n.closed;
  n.helped += c.outcome == CaseOutcome::helped;
  n.cannot_tell += c.outcome == CaseOutcome::cannot_tell;
  n.cancelled += c.outcome == CaseOutcome::cancelled;
  if (c.outcome != CaseOutcome::cancelled) ++n.days[days_of(c)];
}

std::vector<CaseTallies::Row> CaseTallies::rows(By by) const {
  std::map<CaseGroup, CaseCounts> groups;
  for (const auto& [group, counts] : counts_)
    merge(groups[{by.action ? group.action : "", by.fault ? group.fault : "", by.model ? group.model : "", group.simulated}], counts);
  auto rows = rows_of(groups);
  std::ranges::stable_sort(rows, std::greater{}, [](const Row& r) { return tried(r.counts); });
  return rows;
}

std::vector<CaseTallies::Row> CaseTallies::what_helped(const std::string& fault, const std::string& model, bool simulated) const {
  std::map<CaseGroup, CaseCounts> of_model, of_all;
  for (const auto& [group, counts] : counts_) {
    if (group.fault != fault || group.simulated != simulated || tried(counts) == 0) continue;
    merge(of_all[{group.action, fault, "", simulated}], counts);
    if (group.model == model && !model.empty()) merge(of_model[{group.action, fault, model, simulated}], counts);
  }
  for (const auto& [group, counts] : of_model) of_all.erase({group.action, fault, "", simulated});
  of_all.merge(of_model);
  auto rows = rows_of(of_all);
  std::ranges::stable_sort(rows, std::greater{}, [](const Row& r) { return r.share->low; });
  return rows;
}

std::string says_what_helped(const CaseTallies::Row& row) {
  const auto* action = repair_action(row.group.action);
  const auto of = tried(row.counts);
  return fmt::format("{} helped {} of {} {}{}{} ({:.0f}-{:.0f} %)", action != nullptr ? action->noun : std::string_view(row.group.action),
                     row.counts.helped, of, of == 1 ? "time" : "times",
                     row.group.fault.empty() ? "" : fmt::format(" against {} faults", row.group.fault),
                     row.group.model.empty() ? " of any model" : " of this model", 100 * row.share->low, 100 * row.share->high);
}

}  // namespace ghm::fleet
