#include "domain/views/case_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/faults/action.h"
#include "domain/views/board_facts.h"

namespace ghm::views {
namespace {

using namespace fleet;
using What = CaseStep::What;

Json time_or_null(const std::optional<Timestamp>& t) {
  return t ? Json(format_rfc3339(*t)) : Json();
}

Json number_or_null(std::uint64_t id) {
  return id == 0 ? Json() : Json(std::to_string(id));
}

// The part of a gap that is not a step yet puts the end off as well.
std::optional<Timestamp> watch_until(const RepairCase& c, const CaseBook::Gap* gap, Timestamp now) {
  const auto until = c.watch_until();
  if (!until || gap == nullptr) return until;
  return *until + std::max(0ms, now - std::max(gap->since, c.since));
}

std::string why_not_closed(const RepairCase& c, const CaseBook::Gap* gap, Timestamp now) {
  if (gap == nullptr || c.state != CaseState::watching) return why_not_proven(c, now);
  return fmt::format("It cannot be watched since {}: {}. The watch goes on when it is seen at work.", format_rfc3339(gap->since), gap->why);
}

Json steps_json(const RepairCase& c) {
  Json out = Json::array();
  for (const auto& s : c.steps)
    out.push_back({{"at", format_rfc3339(s.at)},
                   {"what", to_string(s.what)},
                   {"from", to_string(s.from)},
                   {"to", to_string(s.to)},
                   {"note", or_null(s.note)},
                   {"by", or_null(s.by)}});
  return out;
}

Json tests_json(const RepairCase& c) {
  Json out = Json::array();
  for (const auto& s : c.steps)
    if (s.what == What::test_passed || s.what == What::test_failed)
      out.push_back({{"at", format_rfc3339(s.at)},
                     {"name", s.subject},
                     {"passed", s.what == What::test_passed},
                     {"detail", or_null(s.note)},
                     {"by", or_null(s.by)}});
  return out;
}

Json parts_json(const RepairCase& c) {
  Json out = Json::array();
  auto there = c.gpu;
  for (const auto& s : c.steps) {
    if (s.installed.empty()) continue;
    out.push_back({{"at", format_rfc3339(s.at)}, {"removed", there}, {"installed", s.installed}});
    there = s.installed;
  }
  return out;
}

Json signs_json(const CaseSigns& s) {
  const auto days = std::chrono::duration<double, std::ratio<86'400>>(s.range.to - s.range.from).count();
  return {{"from", format_rfc3339(s.range.from)},
          {"to", format_rfc3339(s.range.to)},
          {"days", std::round(days * 100) / 100},
          {"signs", s.signs},
          // From less than a day no rate can be told.
          {"per_30_days", days < 1 ? Json() : Json(std::round(static_cast<double>(s.signs) / days * 30 * 100) / 100)}};
}

Json next_json(const RepairCase& c, const std::string& not_closed, Timestamp now) {
  Json out = Json::array();
  for (auto& n : next_steps(c, now)) {
    if (n.to == CaseState::closed && n.needs.empty() && !not_closed.empty()) n.needs = {not_closed};
    out.push_back({{"to", to_string(n.to)}, {"needs", std::move(n.needs)}});
  }
  return out;
}

Json share_or_null(const std::optional<ShareInterval>& s, double ShareInterval::*member) {
  return s ? Json((*s).*member) : Json();
}

}  // namespace

Json case_item(const RepairCase& c, const CaseBook::Gap* gap, Timestamp now) {
  const auto action = faults::action_named(c.action);
  return {{"id", std::to_string(c.id)},
          {"state", to_string(c.state)},
          {"gpu", or_null(c.gpu)},
          {"host", or_null(c.host)},
          {"slot", or_null(c.slot)},
          {"model", or_null(c.model)},
          {"fault", or_null(c.fault)},
          {"incident", number_or_null(c.incident)},
          {"symptom", c.symptom},
          {"action", c.action},
          {"action_says", action ? faults::sentence_of(*action) : ""},
          {"expects", expected_effect(c)},
          {"opened_at", format_rfc3339(c.opened)},
          {"changed_at", format_rfc3339(c.changed)},
          {"due_at", time_or_null(c.due)},
          {"overdue", c.is_active() && c.due && *c.due < now},
          {"watch_until", time_or_null(watch_until(c, gap, now))},
          {"outcome", c.outcome ? Json(to_string(*c.outcome)) : Json()},
          {"relapses", c.relapses},
          {"cost", c.cost ? Json(*c.cost) : Json()},
          {"opened_by", c.opened_by},
          {"simulated", c.simulated}};
}

Json case_detail(const RepairCase& c, const CaseBook::Gap* gap, const CasePast& past, Timestamp now) {
  auto out = case_item(c, gap, now);
  const auto not_closed = why_not_closed(c, gap, now);
  out["steps"] = steps_json(c);
  out["tests"] = tests_json(c);
  out["parts"] = parts_json(c);
  out["before"] = signs_json(past.before);
  out["after"] = past.after ? signs_json(*past.after) : Json();
  out["next"] = next_json(c, not_closed, now);
  out["why_not_closed"] = or_null(not_closed);
  out["as_of"] = format_rfc3339(now);
  return out;
}

Json case_stats(const CaseTallies& tallies, CaseTallies::By by, Timestamp as_of) {
  Json items = Json::array();
  for (const auto& r : tallies.rows(by))
    items.push_back({{"action", or_null(r.group.action)},
                     {"fault", or_null(r.group.fault)},
                     {"model", or_null(r.group.model)},
                     {"closed", r.counts.closed},
                     {"helped", r.counts.helped},
                     {"did_not_help", r.counts.did_not_help},
                     {"cannot_tell", r.counts.cannot_tell},
                     {"cancelled", r.counts.cancelled},
                     {"relapses", r.counts.relapses},
                     {"share", share_or_null(r.share, &ShareInterval::share)},
                     {"low", share_or_null(r.share, &ShareInterval::low)},
                     {"high", share_or_null(r.share, &ShareInterval::high)},
                     {"median_days", r.median_days ? Json(*r.median_days) : Json()},
                     {"simulated", r.group.simulated}});
  return {{"items", std::move(items)}, {"as_of", format_rfc3339(as_of)}, {"confidence", 0.95}};
}

Json case_offenders(const std::vector<Offender>& offenders, OffenderBy by, int days, Timestamp as_of) {
  Json items = Json::array();
  for (const auto& o : offenders)
    items.push_back({{"name", o.name},
                     {"gpu", or_null(o.gpu)},
                     {"host", or_null(o.host)},
                     {"slot", or_null(o.slot)},
                     {"model", or_null(o.model)},
                     {"incidents", o.incidents},
                     {"reopened", o.reopened},
                     {"cases", o.cases},
                     {"relapses", o.relapses},
                     {"boards", o.boards},
                     {"faults", o.faults},
                     {"last_at", format_rfc3339(o.last)},
                     {"says", says(o, by, days)}});
  return {{"items", std::move(items)}, {"as_of", format_rfc3339(as_of)}, {"by", to_string(by)}, {"days", days}};
}

Json what_helped(const std::vector<CaseTallies::Row>& rows) {
  Json out = Json::array();
  for (const auto& r : rows)
    out.push_back({{"action", r.group.action},
                   {"helped", r.counts.helped},
                   {"of", r.counts.helped + r.counts.did_not_help},
                   {"low", r.share->low},
                   {"high", r.share->high},
                   {"says", says_what_helped(r)}});
  return out;
}

std::vector<std::pair<Timestamp, Json>> case_timeline(const RepairCase& c, TimeRange range) {
  std::vector<std::pair<Timestamp, Json>> out;
  for (const auto& s : c.steps) {
    if (!range.contains(s.at)) continue;
    const auto test = s.subject.empty() || (s.what != What::test_passed && s.what != What::test_failed) ? "" : s.subject + " ";
    out.emplace_back(
        s.at, Json{{"what", "case"},
                   {"kind", to_string(s.what)},
                   {"about", c.board == BoardId::none ? "host" : "gpu"},
                   {"code", nullptr},
                   {"incident", number_or_null(c.incident)},
                   {"detail", fmt::format("repair case {} ({}): {}{}", c.id, c.action, test, s.note.empty() ? to_string(s.to) : s.note)}});
  }
  return out;
}

std::string case_in_a_line(const RepairCase& c) {
  auto text = c.outcome ? std::string(to_string(*c.outcome)) : fmt::format("still {}", to_string(c.state));
  if (c.relapses > 0) text += fmt::format(", {} {}", c.relapses, c.relapses == 1 ? "relapse" : "relapses");
  for (const auto& s : c.steps)
    if (!s.installed.empty()) text += fmt::format(", {} installed {}", s.installed, format_rfc3339(s.at));
  if (!c.symptom.empty()) text += "; for: " + c.symptom;
  if (c.outcome && !c.steps.empty()) text += fmt::format("; closed {}: {}", format_rfc3339(c.since), c.steps.back().note);
  return text;
}

}  // namespace ghm::views
