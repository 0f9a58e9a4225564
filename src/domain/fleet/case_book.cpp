#include "domain/fleet/case_book.h"

#include <fmt/format.h>

#include <algorithm>

namespace ghm::fleet {
namespace {

using What = CaseStep::What;

// Programs and monitoring fail on boards that are well: where a case names no fault, these do not speak against it.
bool is_same_fault(const RepairCase& c, std::string_view family) {
  if (!c.fault.empty()) return c.fault == family;
  return family != "application" && family != "job" && family != "monitoring";
}

bool is_subject(const RepairCase& c, BoardId board, std::string_view gpu) {
  return (board != BoardId::none && board == c.subject) || (!gpu.empty() && gpu == c.subject_gpu);
}

// The repaired thing, wherever it is now, or what stands in its place.
bool is_here(const RepairCase& c, const FaultSeen& f) {
  if (c.board == BoardId::none) return f.host == c.host;
  return is_subject(c, f.board, f.gpu) || (!c.pci.empty() && f.pci == c.pci && f.host == c.host);
}

template <class Seen>
bool touches(const RepairCase& c, const Seen& seen) {
  if (seen.board == BoardId::none) return seen.host == c.host;
  return c.board != BoardId::none && is_subject(c, seen.board, "");
}

bool is_same_thing(const CaseOpening& a, const RepairCase& b) {
  return a.board == BoardId::none ? b.board == BoardId::none && a.host == b.host : a.board == b.board || a.board == b.subject;
}

CaseStep by_ghm(const RepairCase& c, Timestamp at, What what, CaseState to, std::string note) {
  return {.at = at, .what = what, .from = c.state, .to = to, .note = std::move(note), .by = std::string(kByGhm)};
}

// ghm says a thing once while a case is in a state.
bool is_said(const RepairCase& c, What what, std::string_view subject) {
  for (auto s = c.steps.rbegin(); s != c.steps.rend() && s->from == s->to; ++s)
    if (s->what == what && s->subject == subject && s->by == kByGhm) return true;
  return false;
}

std::string_view word_of(ActTrace t) {
  switch (t) {
    case ActTrace::reset: return "reset";
    case ActTrace::boot: return "boot";
    case ActTrace::replaced: return "replaced";
    case ActTrace::returned: return "returned";
    case ActTrace::driver: return "driver";
  }
  return "";
}

// What a person's step is called. That it came back in the watch is theirs to say too.
What step_to(CaseState from, CaseState to) {
  if (from == CaseState::watching && to == CaseState::acting) return What::relapsed;
  return to == CaseState::acting ? What::acting : to == CaseState::testing ? What::testing : What::watching;
}

// Whether it brings what its state needs: the new board, the test, the word on what came back.
bool answers(const CaseAdvance& a) {
  switch (a.to) {
    case CaseState::acting: return !a.note.empty();
    case CaseState::testing: return !a.replaced_by.empty();
    case CaseState::watching: return a.test.has_value();
    default: return false;
  }
}

// Some steps are left for what is heard, and for the end.
Result<void> has_room(const RepairCase& c) {
  if (c.steps.size() + 6 <= RepairCase::kMostSteps) return {};
  return Error{Errc::conflict,
               fmt::format("case {} has {} steps, and can have no more: close it and open another one", c.id, c.steps.size())};
}

}  // namespace

void CaseBook::restore(std::vector<RepairCase> active, std::map<std::uint64_t, Gap> gaps, std::optional<Timestamp> looked,
                       std::uint64_t next_id) {
  active_.clear();
  gaps_.clear();
  next_id_ = std::max<std::uint64_t>(next_id, 1);
  looked_ = looked;
  for (auto& c : active) {
    next_id_ = std::max(next_id_, c.id + 1);
    // Without a known look nobody has looked since the watch began.
    if (c.state == CaseState::watching && !looked_) looked_ = c.since;
    if (const auto gap = gaps.find(c.id); gap != gaps.end() && c.state == CaseState::watching) gaps_[c.id] = {gap->second, true};
    active_.emplace(c.id, std::move(c));
  }
}

Result<std::uint64_t> CaseBook::open(CaseOpening o) {
  const auto* action = repair_action(o.action);
  if (action == nullptr)
    return Error{Errc::invalid_input, fmt::format("action: '{}' is no repair: expected one of the actions that incidents name, such as "
                                                  "reset_gpu or replace_board",
                                                  o.action.substr(0, 40))};
  if (o.board == BoardId::none && o.host.empty()) return Error{Errc::invalid_input, "a case needs a GPU or a host"};
  if (action->swaps && o.board == BoardId::none)
    return Error{Errc::invalid_input, fmt::format("{} needs a GPU: name the board that is to be replaced", o.action)};
  if (o.watch == 0ms) o.watch = action->watch;
  for (const auto& [id, c] : active_)
    if (is_same_thing(o, c) && c.fault == o.fault)
      return Error{Errc::conflict,
                   fmt::format("case {} of {} is {} already: go on with it, or close it", id, place_of(c), to_string(c.state))};
  if (active_.size() >= kMostActive)
    return Error{Errc::conflict, fmt::format("{} cases are active, and there can be no more: close some", kMostActive)};
  o.id = next_id_++;
  ++counts_.opened;
  const auto id = o.id;
  active_.emplace(id, open_case(std::move(o)));
  mark(id);
  return id;
}

Result<RepairCase*> CaseBook::active(std::uint64_t id) {
  const auto found = active_.find(id);
  if (found != active_.end() && found->second.is_active()) return &found->second;
  if (id == 0 || id >= next_id_) return Error{Errc::not_found, fmt::format("case {} is not known", id)};
  return Error{Errc::conflict, fmt::format("case {} is closed: open a new one", id)};
}

Result<void> CaseBook::check(const RepairCase& c, const CaseAdvance& a, Timestamp now) const {
  if (auto room = has_room(c); !room) return room;
  if (!a.replaced_by.empty() && c.board == BoardId::none)
    return Error{Errc::invalid_input, "replaced_by: this case is about a host; open one about the board"};
  if (!a.replaced_by.empty() && a.replaced_by == c.subject_gpu)
    return Error{Errc::invalid_input, fmt::format("replaced_by: {} is the board that stands there already", a.replaced_by.substr(0, 80))};
  if (a.test && a.to == CaseState::acting)
    return Error{Errc::invalid_input, "test: a test comes after the action; advance to testing with it"};
  if (a.test && a.to == c.state) return {};  // one more test
  for (const auto& next : next_steps(c, now)) {
    if (next.to != a.to) continue;
    if (next.needs.empty() || answers(a)) return {};
    return Error{Errc::conflict, fmt::format("case {} cannot go on to {}; missing: {}", c.id, to_string(a.to), next.needs.front())};
  }
  std::string may;
  for (const auto& next : next_steps(c, now)) may += fmt::format("{}{}", may.empty() ? "" : " or ", to_string(next.to));
  return Error{Errc::conflict,
               fmt::format("case {} is {} and cannot go on to {}: next is {}", c.id, to_string(c.state), to_string(a.to), may)};
}

Result<void> CaseBook::advance(std::uint64_t id, CaseAdvance a, const std::string& by, Timestamp now) {
  auto found = active(id);
  if (!found) return found.error();
  auto& c = **found;
  if (auto good = check(c, a, now); !good) return good;
  const auto at = std::max(now, c.steps.back().at);
  CaseStep common{.at = at, .note = a.note, .by = by, .installed = a.replaced_by, .board = a.replaced_board, .cost = a.cost};
  const auto go = [&](What what, CaseState to) {
    auto s = std::exchange(common, {.at = at, .by = by});
    s.what = what;
    s.from = c.state;
    s.to = to;
    step(c, std::move(s));
  };
  if (a.test) {
    if (a.to == CaseState::testing && c.state == CaseState::acting) go(What::testing, CaseState::testing);
    CaseStep test{.at = at,
                  .what = a.test->passed ? What::test_passed : What::test_failed,
                  .from = c.state,
                  .note = a.test->detail,
                  .by = by,
                  .subject = a.test->name};
    test.to = a.test->passed ? c.state : CaseState::acting;
    step(c, std::move(test));
    if (!a.test->passed || a.to == c.state) {
      if (!common.note.empty() || common.cost || !common.installed.empty()) go(What::note, c.state);
      return {};
    }
  }
  go(step_to(c.state, a.to), a.to);
  return {};
}

Result<void> CaseBook::close(std::uint64_t id, CaseClosing closing, const std::string& by, Timestamp now) {
  auto found = active(id);
  if (!found) return found.error();
  auto& c = **found;
  const auto outcome = closing.outcome.value_or(CaseOutcome::helped);
  if (outcome == CaseOutcome::helped && !c.is_proven(now))
    return Error{Errc::conflict, fmt::format("case {} cannot be closed as helped. {} did_not_help, cannot_tell or cancelled need a reason "
                                             "and can be said at any time",
                                             id, why_not_proven(c, now))};
  if (const auto gap = gaps_.find(id); outcome == CaseOutcome::helped && gap != gaps_.end() && now - gap->second.since >= kShortGap)
    return Error{Errc::conflict, fmt::format("case {} cannot be closed as helped: since {} it cannot be watched, for {}", id,
                                             format_rfc3339(gap->second.since), gap->second.why)};
  if (outcome != CaseOutcome::helped && closing.reason.empty())
    return Error{Errc::invalid_input, fmt::format("reason: {} needs one", to_string(outcome))};
  step(c, {.at = std::max(now, c.steps.back().at),
           .what = What::closed,
           .from = c.state,
           .to = CaseState::closed,
           .note = std::move(closing.reason),
           .by = by,
           .cost = closing.cost,
           .outcome = outcome});
  return {};
}

Result<void> CaseBook::note(std::uint64_t id, std::string note, std::optional<double> cost, const std::string& by, Timestamp now) {
  auto found = active(id);
  if (!found) return found.error();
  auto& c = **found;
  if (auto room = has_room(c); !room) return room;
  step(c, {.at = std::max(now, c.steps.back().at),
           .what = What::note,
           .from = c.state,
           .to = c.state,
           .note = std::move(note),
           .by = by,
           .cost = cost});
  return {};
}

// What is heard may go on for ever; a case may not.
bool CaseBook::is_full(RepairCase& c, Timestamp at) {
  if (c.steps.size() + 3 < RepairCase::kMostSteps) return false;
  auto end = by_ghm(c, at, What::closed, CaseState::closed,
                    fmt::format("{} steps are as many as a case can have: open another one", RepairCase::kMostSteps));
  end.outcome = CaseOutcome::cannot_tell;
  step(c, std::move(end));
  return true;
}

void CaseBook::step(RepairCase& c, CaseStep s) {
  if (s.what == What::relapsed) ++counts_.relapses;
  if (s.what == What::closed) ++counts_.closed;
  if (s.to != CaseState::watching) gaps_.erase(c.id);
  take_step(c, std::move(s));
  mark(c.id);
}

void CaseBook::hear(const ActSeen& act) {
  for (auto& [id, c] : active_) {
    if (c.state == CaseState::closed || act.at < c.since || !touches(c, act)) continue;
    const bool swapped = act.what == ActTrace::replaced && c.board != BoardId::none;
    if (swapped && !act.installed.empty() && act.installed == c.subject_gpu) continue;
    const bool is_work = c.state == CaseState::open || c.state == CaseState::acting;
    const bool is_done = is_work && !c.acted && repair_action(c.action)->leaves(act.what);
    if ((!swapped && !is_done) || is_full(c, act.at)) continue;
    // Another board stands there: what was tested or watched is no longer what it was about.
    auto s = by_ghm(c, act.at, What::acting, CaseState::acting, act.text);
    if (swapped && is_work && !is_done) s = by_ghm(c, act.at, What::note, c.state, act.text);
    s.subject = is_done || !is_work ? word_of(act.what) : "swapped";
    if (swapped) {
      s.installed = act.installed;
      s.board = act.installed_board;
    }
    step(c, std::move(s));
  }
}

void CaseBook::hear(const TestSeen& test) {
  for (auto& [id, c] : active_) {
    if (c.state == CaseState::closed || c.state == CaseState::open || test.at < c.since || !touches(c, test)) continue;
    const bool is_acting = c.state == CaseState::acting;
    const auto what = test.passed ? What::test_passed : What::test_failed;
    // Before the action is known to be done, a passed test says nothing about it.
    if ((is_acting && test.passed && !c.acted) || is_said(c, what, test.name) || is_full(c, test.at)) continue;
    const auto to = !test.passed ? CaseState::acting : is_acting ? CaseState::testing : c.state;
    auto s = by_ghm(c, test.at, what, to, test.detail);
    s.subject = test.name;
    if (fits(c, s)) step(c, std::move(s));
  }
}

void CaseBook::hear(const FaultSeen& f) {
  for (auto& [id, c] : active_) {
    if (c.state != CaseState::testing && c.state != CaseState::watching) continue;
    if (f.at <= c.since || !is_same_fault(c, f.family) || !is_here(c, f) || is_full(c, f.at)) continue;
    auto s = by_ghm(c, f.at, What::relapsed, CaseState::acting, f.says);
    s.subject = f.family;
    step(c, std::move(s));
  }
}

void CaseBook::hear_cleared(std::uint64_t incident, const std::string& why, Timestamp at) {
  for (auto& [id, c] : active_) {
    if (c.state == CaseState::closed || c.incident != incident || at < c.since || is_said(c, What::note, "cleared")) continue;
    if (is_full(c, at)) continue;
    auto s = by_ghm(c, at, What::note, c.state, fmt::format("incident {} was cleared: {}", incident, why));
    s.subject = "cleared";
    step(c, std::move(s));
  }
}

void CaseBook::note_gap(RepairCase& c, const std::string& why, Timestamp now) {
  auto& gap = gaps_.try_emplace(c.id, OpenGap{{now, why}, false}).first->second;
  if (gap.told || now - gap.since < kShortGap) return;
  gap.told = true;
  mark(c.id);
}

void CaseBook::look_at(RepairCase& c, const Unseen& unseen, Timestamp now) {
  // Nobody looked: the program did not run, or the clock leapt.
  const auto before = std::max(looked_.value_or(now), c.since);
  if (now - before >= kShortGap && !gaps_.contains(c.id)) gaps_[c.id] = {{before, "this program did not run"}, false};
  if (const auto why = unseen(c); !why.empty()) return note_gap(c, why, now);
  if (const auto open = gaps_.find(c.id); open != gaps_.end()) {
    const auto gap = open->second;
    gaps_.erase(open);
    if (now - gap.since >= kShortGap) {
      lengthen_watch(c, now, now - std::max(gap.since, c.since), gap.why);
      mark(c.id);
    }
  }
  if (!c.is_proven(now)) return;
  auto end = by_ghm(
      c, now, What::closed, CaseState::closed,
      fmt::format("a test passed, and no {}fault was seen in {} at work", c.fault.empty() ? "" : c.fault + " ", format_duration(c.watch)));
  end.outcome = CaseOutcome::helped;
  step(c, std::move(end));
}

void CaseBook::look(const Unseen& unseen, Timestamp now) {
  if (looked_ && now < *looked_) looked_ = now;  // the clock went back
  for (auto& [id, c] : active_)
    if (c.state == CaseState::watching && now >= c.since) look_at(c, unseen, now);
  looked_ = now;
}

const RepairCase* CaseBook::find(std::uint64_t id) const {
  const auto found = active_.find(id);
  return found == active_.end() ? nullptr : &found->second;
}

const CaseBook::Gap* CaseBook::gap(std::uint64_t id) const {
  const auto found = gaps_.find(id);
  return found == gaps_.end() || !found->second.told ? nullptr : &found->second;
}

CaseCountsNow CaseBook::counts() const {
  auto out = counts_;
  out.active = active_.size();
  return out;
}

void CaseBook::mark(std::uint64_t id) {
  if (std::ranges::find(changed_, id) == changed_.end()) changed_.push_back(id);
}

std::vector<RepairCase> CaseBook::take_changed() {
  std::vector<RepairCase> out;
  std::ranges::sort(changed_);
  for (const auto id : std::exchange(changed_, {})) {
    const auto found = active_.find(id);
    out.push_back(found->second);
    if (out.back().state == CaseState::closed) active_.erase(found);
  }
  return out;
}

}  // namespace ghm::fleet
