#include "domain/faults/incident_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ghm::faults {
namespace {

constexpr auto kApart = 1min;  // signs of one kind closer than this are one occurrence

// The kernel names whoever held the GPU; these belong to the house, not to a user.
constexpr std::array<std::string_view, 8> kDaemons = {"nvidia-smi",      "nv-hostengine", "dcgm-exporter", "nvidia-persiste",
                                                      "nv-fabricmanage", "Xorg",          "ghm-agent",     "<unknown>"};

const EvidenceSpec& spec(EvidenceId id) {
  return EvidenceTable::built_in()[id];
}

std::string told(const Sign& s) {
  return s.text.empty() ? spec(s.what).says : s.text;
}

}  // namespace

void IncidentBook::restore(std::vector<Incident> incidents, std::span<const Feedback> feedback, std::uint64_t last_id) {
  next_id_ = std::max(next_id_, last_id + 1);
  for (auto& i : incidents) {
    next_id_ = std::max(next_id_, i.id + 1);
    if (i.state == State::merged) continue;
    ++(i.is_open() ? counts_.open : counts_.cleared);
    index(i);
    incidents_.insert_or_assign(i.id, std::move(i));
  }
  for (const auto& [id, i] : incidents_)
    if (i.is_open()) gather_again(i);
  for (const auto& f : feedback)
    if (const auto cause = causes_.find(f.cause)) experience_.add(f.leading, *cause, f.right);
}

std::uint64_t IncidentBook::observe(const Sign& sign) {
  ++counts_.signs;
  if (auto* found = related(sign)) {
    if (const auto line = std::ranges::find(found->lines, sign.id, &SignLine::id); line != found->lines.end()) {  // it came twice
      if (line->text != sign.text || line->process != sign.process) tell_better(*found, *line, sign);
      return found->id;
    }
    add(*found, sign);
    return gather(sign, found->id);
  }
  if (auto* again = repeated(sign)) {
    again->state = State::open;
    ++again->reopened;
    ++counts_.open;
    --counts_.cleared;
    again->tell(sign.at, "reopened", "it came back: " + told(sign));
    add(*again, sign);
    return gather(sign, again->id);
  }
  const auto id = open(sign);
  return id == 0 ? 0 : gather(sign, id);
}

std::uint64_t IncidentBook::open(const Sign& sign) {
  if (counts_.open >= limits_.most_open) {
    ++counts_.not_opened;
    return 0;
  }
  Incident i;
  i.id = next_id_++;
  i.opened = i.last = sign.at;
  i.tell(sign.at, "opened", told(sign));
  ++counts_.opened;
  ++counts_.open;
  auto& kept = incidents_.emplace(i.id, std::move(i)).first->second;
  add(kept, sign);
  return kept.id;
}

Part& IncidentBook::part_of(Incident& i, const Sign& s) {
  const auto found =
      std::ranges::find_if(i.parts, [&](const Part& p) { return p.board == s.board && (s.board != BoardId::none || p.host == s.host); });
  if (found != i.parts.end()) return *found;
  if (i.parts.size() >= Incident::kMostParts) {
    ++i.more_parts;
    return i.parts.back();
  }
  const auto before = i.parts.empty() ? Scope::board : i.scope();
  Part part;
  part.board = s.board;
  part.gpu = s.gpu;
  part.host = s.host;
  part.rack = s.rack;
  part.feed = s.feed;
  part.fabric = s.fabric;
  part.job = s.job;
  part.boards_on_host = s.boards_on_host;
  i.parts.push_back(std::move(part));
  index(i.parts.back(), i.id);
  if (i.parts.size() > 1 && i.scope() != before) i.tell(s.at, "widened", fmt::format("now {}: {}", to_string(i.scope()), told(s)));
  return i.parts.back();
}

// An event that another witness told as well: it is counted already, and what this one knows more is taken.
void IncidentBook::tell_better(Incident& i, SignLine& line, const Sign& s) {
  line.at = s.at;
  line.text = s.text;
  line.process = s.process;
  if (!s.job.empty()) line.job = s.job;
  i.opened = std::min(i.opened, s.at);
  note_contexts(i, s);
  mark(i.id);
}

void IncidentBook::note_contexts(Incident& i, const Sign& s) {
  static const auto new_driver = evidence("new_driver"), no_answer = evidence("no_answer_at_all"), user_process = evidence("user_process");
  if (s.new_driver) i.flags.set(new_driver);
  if (s.no_answer_at_all) i.flags.set(no_answer);
  if (!s.process.empty() && std::ranges::find(kDaemons, s.process) == kDaemons.end()) i.flags.set(user_process);
  if (spec(s.what).family == Family::nvlink) {
    if (i.link < 0) i.link = s.link;
    if (i.nvswitch < 0) i.nvswitch = s.nvswitch;
  }
}

// "So many within so long", by the catalogue's row of the code, over all incidents of the board that are remembered.
void IncidentBook::note_escalation(Incident& i, const Sign& s) {
  if (s.code == 0 || s.board == BoardId::none || i.escalated) return;
  const auto* code = codes_.find(s.kind, s.code).code;
  if (code == nullptr || code->escalation.repeats < 2) return;
  int times = 0;
  Timestamp last{};
  for (const auto id : near(s))
    for (const auto& line : incidents_.at(id).lines) {
      if (line.board != s.board || line.code != s.code || line.kind != s.kind || s.at - line.at > code->escalation.within) continue;
      times += last == Timestamp{} || std::chrono::abs(line.at - last) >= kApart;
      last = line.at;
    }
  if (times < code->escalation.repeats) return;
  i.escalated = true;
  i.tell(s.at, "updated",
         fmt::format("{} {} came {} times within {}", to_string(s.kind), s.code, times, format_duration(code->escalation.within)));
}

void IncidentBook::add(Incident& i, const Sign& s) {
  auto& part = part_of(i, s);
  auto& count = part.signs[s.what];
  if (count.times == 0 || s.at - count.last >= kApart) ++count.times;
  count.last = std::max(count.last, s.at);
  count.open = true;
  if (!s.job.empty() && !part.job.empty() && part.job != s.job) part.several_jobs = true;
  if (!s.job.empty() && part.job != s.job) {
    part.job = s.job;
    index(part, i.id);
  }
  const bool news = ++i.counts[s.what] == 1 && i.counts.size() > 1;
  if (i.severity < s.severity) i.severity = s.severity;
  i.opened = std::min(i.opened, s.at);
  i.last = std::max(i.last, s.at);
  note_contexts(i, s);
  i.simulated |= s.simulated;
  i.keep({s.id, s.at, s.what, s.board, s.gpu, s.host, s.job, s.process, s.text, s.code, s.kind});
  if (news) i.tell(s.at, "updated", told(s));
  note_escalation(i, s);
  i.changed = std::max(i.changed, s.at);
  mark(i.id);
}

namespace {

// Trouble that a reset does not end: spare rows do not grow again.
bool needs_a_new_board(const Part& p, Ending e) {
  static const auto remap_failed = evidence("remap_failed");
  return p.signs.contains(remap_failed) && e != Ending::replaced && e != Ending::test_passed;
}

// True when it ended something. What only followed is over with what it followed; a sign after the ending stays.
bool end_part(Part& p, const EndingSeen& e) {
  if (needs_a_new_board(p, e.what)) return false;
  bool ended = false, rest = false;
  for (auto& [what, count] : p.signs) {
    if (count.open && count.last <= e.at && ends(e, what)) {
      count.open = false;
      ended = true;
    }
    rest |= count.open && !is_follower(spec(what).family);
  }
  if (ended && !rest)
    for (auto& [what, count] : p.signs) count.open = count.open && count.last > e.at;
  return ended;
}

}  // namespace

void IncidentBook::end(const EndingSeen& e) {
  static const auto rebooted = evidence("host_rebooted");
  Sign place;
  place.board = e.board;
  place.host = e.host;
  for (const auto id : near(place)) {
    auto& i = incidents_.at(id);
    if (!i.is_open()) continue;
    if (e.what == Ending::host_reboot && i.find(BoardId::none, e.host) && e.at - i.last <= 30min) {
      i.flags.set(rebooted);
      mark(id);
    }
    bool touched = false;
    for (auto& p : i.parts) {
      const bool meant = e.board != BoardId::none ? p.board == e.board : p.host == e.host;
      if (meant && e.at >= i.opened) touched |= end_part(p, e);
    }
    if (!touched) continue;
    mark(id);
    const bool over = i.more_parts == 0 && std::ranges::none_of(i.parts, &Part::is_open);
    if (over) close(i, e.at, e.text.empty() ? std::string(to_string(e.what)) : e.text, {});
  }
}

void IncidentBook::close(Incident& i, Timestamp at, std::string why, std::string by) {
  i.state = State::cleared;
  for (auto& p : i.parts)
    for (auto& [what, count] : p.signs) count.open = false;
  i.tell(at, "cleared", std::move(why), std::move(by));
  --counts_.open;
  ++counts_.cleared;
  mark(i.id);
}

Result<void> IncidentBook::clear(std::uint64_t id, std::string by, std::string why, Timestamp now) {
  const auto found = incidents_.find(id);
  if (found == incidents_.end()) return Error{Errc::not_found, fmt::format("incident {} is not known", id)};
  if (!found->second.is_open())
    return Error{Errc::conflict, fmt::format("incident {} is {}: only an open one can be cleared", id, to_string(found->second.state))};
  close(found->second, now, std::move(why), std::move(by));
  return {};
}

Result<Feedback> IncidentBook::feedback(std::uint64_t id, std::string_view cause, bool right, std::string by, std::string note,
                                        Timestamp now) {
  const auto found = incidents_.find(id);
  if (found == incidents_.end()) return Error{Errc::not_found, fmt::format("incident {} is not known", id)};
  const auto known = causes_.find(cause);
  if (!known) return Error{Errc::not_found, fmt::format("cause '{}' is not known: docs/incidents.md lists them", cause.substr(0, 80))};
  auto& i = found->second;
  Feedback f{now, id, facts_of(i).leading, std::string(cause), right, std::move(by), std::move(note)};
  experience_.add(f.leading, *known, right);
  if (right) i.confirmed_cause = f.cause;
  else if (i.confirmed_cause == f.cause) i.confirmed_cause.clear();
  i.tell(now, "feedback", fmt::format("{} is {}{}{}", cause, right ? "right" : "wrong", f.note.empty() ? "" : ": ", f.note), f.by);
  // It shifts the ranking of all that look alike.
  mark(id);
  for (const auto& [other, incident] : incidents_)
    if (incident.is_open() && facts_of(incident).leading == f.leading) mark(other);
  return f;
}

const Incident* IncidentBook::find(std::uint64_t id) const {
  const auto found = incidents_.find(id);
  return found == incidents_.end() ? nullptr : &found->second;
}

std::vector<const Incident*> IncidentBook::all() const {
  std::vector<const Incident*> out;
  for (const auto& [id, i] : incidents_)
    if (i.state != State::merged) out.push_back(&i);
  std::ranges::stable_sort(out, [](const Incident* a, const Incident* b) {
    return std::tuple(!a->is_open(), b->changed) < std::tuple(!b->is_open(), a->changed);
  });
  return out;
}

std::vector<const Incident*> IncidentBook::take_changed() {
  std::ranges::sort(changed_);
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  std::vector<const Incident*> out;
  for (const auto id : changed_) out.push_back(&incidents_.at(id));
  changed_.clear();
  return out;
}

void IncidentBook::forget(Timestamp now) {
  std::vector<std::pair<Timestamp, std::uint64_t>> cleared;
  for (const auto& [id, i] : incidents_)
    if (!i.is_open()) cleared.emplace_back(i.changed, id);
  std::ranges::sort(cleared);
  const auto too_many = cleared.size() > limits_.most_cleared ? cleared.size() - limits_.most_cleared : 0;
  for (std::size_t n = 0; n < cleared.size(); ++n) {
    const auto [changed, id] = cleared[n];
    const bool waits = std::ranges::find(changed_, id) != changed_.end();
    if (waits || (n >= too_many && now - changed <= limits_.remember_cleared)) continue;
    counts_.cleared -= incidents_.at(id).state == State::cleared;
    unindex(incidents_.at(id));
    incidents_.erase(id);
  }
  for (auto& [place, ids] : by_place_) std::erase_if(ids, [this](std::uint64_t id) { return !incidents_.contains(id); });
  std::erase_if(by_place_, [](const auto& p) { return p.second.empty(); });
}

void IncidentBook::mark(std::uint64_t id) {
  changed_.push_back(id);
}

}  // namespace ghm::faults
