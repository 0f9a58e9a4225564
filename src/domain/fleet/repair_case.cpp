#include "domain/fleet/repair_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "domain/fleet/repair_action.h"

namespace ghm::fleet {
namespace {

using What = CaseStep::What;
using enum CaseState;

constexpr std::array<std::string_view, 5> kStates = {"open", "acting", "testing", "watching", "closed"};
constexpr std::array<std::string_view, 4> kOutcomes = {"helped", "did_not_help", "cannot_tell", "cancelled"};
constexpr std::array<std::string_view, 10> kWhats = {"opened",   "acting",   "testing",  "test_passed", "test_failed",
                                                     "watching", "relapsed", "extended", "note",        "closed"};

template <class T, std::size_t N>
std::optional<T> named(const std::array<std::string_view, N>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word);
  return found == words.end() ? std::nullopt : std::optional(static_cast<T>(found - words.begin()));
}

struct Arrow {
  What what;
  CaseState from, to;
};
// The whole machine. Notes stay where they are, and an active case can be closed from anywhere.
constexpr Arrow kArrows[] = {
    {What::acting, open, acting},          {What::acting, acting, acting},        // it was seen to be done
    {What::acting, testing, acting},                                              // it is worked on again
    {What::acting, watching, acting},                                             // likewise: what was watched is no longer there
    {What::testing, acting, testing},      {What::test_passed, acting, testing},  // who tests has acted
    {What::test_passed, testing, testing}, {What::test_passed, watching, watching}, {What::test_failed, acting, acting},
    {What::test_failed, testing, acting},  {What::test_failed, watching, acting},   {What::watching, testing, watching},
    {What::relapsed, testing, acting},     {What::relapsed, watching, acting},      {What::extended, watching, watching},
};

bool is_arrow(What what, CaseState from, CaseState to) {
  if (from == closed) return what == What::note && to == closed;
  if (what == What::note) return from == to;
  if (what == What::closed) return to == closed;
  return std::ranges::any_of(kArrows, [&](const Arrow& a) { return a.what == what && a.from == from && a.to == to; });
}

bool did_not_help(const CaseStep& s) {
  return s.what == What::relapsed || (s.what == What::test_failed && s.from != acting);
}

// Back at the action: what was done and proven before counts no more.
void begin_anew(RepairCase& c) {
  c.acted.reset();
  c.tested = c.swapped = false;
  c.unwatched = {};
}

bool is_swapped(const RepairCase& c) {
  const auto* action = repair_action(c.action);
  return action == nullptr || !action->swaps || c.swapped;
}

std::string days_text(std::chrono::milliseconds d) {
  const auto days = static_cast<double>(d.count()) / 86'400'000.0;
  return days == 1 ? "1 day" : fmt::format("{:.3g} days", days);
}

}  // namespace

std::string_view to_string(CaseState s) {
  return kStates[static_cast<std::size_t>(s)];
}

std::string_view to_string(CaseOutcome o) {
  return kOutcomes[static_cast<std::size_t>(o)];
}

std::string_view to_string(What what) {
  return kWhats[static_cast<std::size_t>(what)];
}

std::optional<CaseState> case_state_named(std::string_view word) {
  return named<CaseState>(kStates, word);
}

std::optional<CaseOutcome> case_outcome_named(std::string_view word) {
  return named<CaseOutcome>(kOutcomes, word);
}

std::optional<What> case_step_named(std::string_view word) {
  return named<What>(kWhats, word);
}

std::optional<Timestamp> RepairCase::watch_until() const {
  return state == watching ? std::optional(since + watch + unwatched) : std::nullopt;
}

RepairCase open_case(CaseOpening opening) {
  RepairCase c;
  static_cast<CaseOpening&>(c) = std::move(opening);
  c.changed = c.since = c.opened;
  c.subject = c.board;
  c.subject_gpu = c.gpu;
  c.steps.push_back({.at = c.opened, .what = What::opened, .from = open, .to = open, .note = c.symptom, .by = c.opened_by});
  return c;
}

bool fits(const RepairCase& c, const CaseStep& s) {
  if (s.from != c.state || !is_arrow(s.what, s.from, s.to) || s.outcome.has_value() != (s.what == What::closed)) return false;
  if (s.what == What::watching) return c.tested;
  if (s.what == What::extended) return s.unwatched > 0ms;
  if (s.to == testing && s.from == acting) return is_swapped(c) || !s.installed.empty();
  return s.outcome != CaseOutcome::helped || c.is_proven(s.at);
}

void take_step(RepairCase& c, CaseStep s) {
  assert(fits(c, s));
  c.changed = std::max(c.changed, s.at);
  if (did_not_help(s)) ++c.failed;
  if (s.what == What::relapsed) ++c.relapses;
  if (s.from != s.to) c.since = s.at;
  if (s.to == acting && s.from != acting) begin_anew(c);
  if (!s.installed.empty()) {
    c.subject_gpu = s.installed;
    c.subject = s.board;
    c.swapped = true;
  }
  const bool seen_done = s.what == What::acting && !s.subject.empty();
  if (!c.acted && (seen_done || (s.from == acting && s.to == testing))) c.acted = s.at;
  if (!c.first_acted) c.first_acted = c.acted;
  if (s.what == What::test_passed) c.tested = true;
  if (s.what == What::test_failed) c.tested = false;
  if (s.what == What::watching) c.unwatched = {};
  c.unwatched += s.unwatched;
  if (s.cost) c.cost = s.cost;
  c.outcome = s.what == What::closed ? s.outcome : c.outcome;
  c.state = s.to;
  c.steps.push_back(std::move(s));
}

void lengthen_watch(RepairCase& c, Timestamp at, std::chrono::milliseconds unwatched, const std::string& why) {
  assert(c.state == watching && unwatched > 0ms);
  auto& last = c.steps.back();
  const bool goes_on = last.what == What::extended;
  const auto sum = unwatched + (goes_on ? last.unwatched : 0ms);
  auto note = fmt::format("{} could not be watched, lately because {}: the watch lasts as much longer", format_duration(sum), why);
  if (!goes_on)
    return take_step(c, {.at = at,
                         .what = What::extended,
                         .from = watching,
                         .to = watching,
                         .note = std::move(note),
                         .by = std::string(kByGhm),
                         .unwatched = unwatched});
  last.at = at;
  last.note = std::move(note);
  last.unwatched = sum;
  c.unwatched += unwatched;
  c.changed = std::max(c.changed, at);
}

std::optional<RepairCase> replay(CaseOpening opening, const std::vector<CaseStep>& steps) {
  auto c = open_case(std::move(opening));
  if (steps.empty() || steps.front() != c.steps.front()) return std::nullopt;
  for (std::size_t i = 1; i < steps.size(); ++i) {
    if (!fits(c, steps[i])) return std::nullopt;
    take_step(c, steps[i]);
  }
  return c;
}

std::string place_of(const RepairCase& c) {
  if (c.board == BoardId::none) return fmt::format("host {}", c.host);
  if (c.gpu.empty()) return fmt::format("GPU {}", c.slot.empty() ? c.host : c.slot);
  return c.host.empty() ? fmt::format("GPU {}", c.gpu) : fmt::format("GPU {} on {}", c.gpu, c.host);
}

std::string expected_effect(const RepairCase& c) {
  const auto* action = repair_action(c.action);
  const bool swaps = action != nullptr && action->swaps;
  return fmt::format("A test passes, and no {}fault of {} is seen in {} at work after it.", c.fault.empty() ? "" : c.fault + " ",
                     swaps ? fmt::format("the board in the place of {}", place_of(c)) : place_of(c), days_text(c.watch));
}

std::string why_not_proven(const RepairCase& c, Timestamp now) {
  switch (c.state) {
    case open: return "Nothing was done yet: the case is open, and has to be acted on, tested and watched.";
    case acting: return "It is being acted on: a passed test and a watch period are missing.";
    case testing: return c.tested ? "A test passed; the watch period is missing." : "A passed test and a watch period are missing.";
    case watching: break;
    case closed: return {};
  }
  if (c.is_proven(now)) return {};
  const auto left = *c.watch_until() - now;
  return fmt::format("The watch of {} lasts until {}, {} from now{}.", days_text(c.watch), format_rfc3339(*c.watch_until()),
                     format_duration(std::max(std::chrono::ceil<std::chrono::minutes>(left), std::chrono::minutes(1))),
                     c.unwatched > 0ms ? ", longer by the time in which nothing could be seen" : "");
}

std::vector<NextStep> next_steps(const RepairCase& c, Timestamp now) {
  std::vector<NextStep> out;
  const auto add = [&](CaseState to, std::string need) {
    out.push_back({to, {}});
    if (!need.empty()) out.back().needs.push_back(std::move(need));
  };
  switch (c.state) {
    case open: add(acting, ""); break;
    case acting:
      add(testing, is_swapped(c) ? "" : "The new board: name it with replaced_by, or wait until its host's page shows it.");
      break;
    case testing:
      add(watching, c.tested ? "" : "A passed test since the action.");
      add(acting, "");
      break;
    case watching: add(acting, "A note that says what came back."); break;
    case closed: break;
  }
  if (c.is_active()) add(closed, why_not_proven(c, now));
  return out;
}

}  // namespace ghm::fleet
