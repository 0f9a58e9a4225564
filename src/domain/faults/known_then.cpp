#include "domain/faults/known_then.h"

#include <algorithm>

namespace ghm::faults {
namespace {

constexpr auto kApart = 1min;  // as the book counts: signs of one kind closer than this are one occurrence

bool is_of(const SignLine& line, const Part& part) {
  return line.board == part.board && (part.board != BoardId::none || line.host == part.host);
}

void count_again(Part& part, const std::vector<SignLine>& lines) {
  part.signs.clear();
  for (const auto& line : lines) {
    if (!is_of(line, part)) continue;
    auto& count = part.signs[line.what];
    if (count.times == 0 || line.at - count.last >= kApart) ++count.times;
    count.last = std::max(count.last, line.at);
  }
}

// Open or cleared by its steps so far; how often it came back.
void take_state(Incident& i) {
  i.state = State::open;
  i.reopened = 0;
  bool repeated = false;
  for (const auto& step : i.history) {
    if (step.what == "cleared") i.state = State::cleared;
    if (step.what == "reopened") i.state = State::open, ++i.reopened;
    repeated |= step.what == "updated" && step.why.find(" times within ") != step.why.npos;
  }
  i.escalated = i.escalated && repeated;
  i.merged_into = 0;
}

}  // namespace

std::optional<Incident> known_at(const Incident& incident, Timestamp then) {
  if (incident.changed <= then) return incident;
  Incident i = incident;
  const auto later = [&](const auto& step) { return step.at > then; };
  const bool judged_later = std::ranges::any_of(i.history, [&](const Change& c) { return c.what == "feedback" && later(c); });
  std::erase_if(i.lines, later);
  std::erase_if(i.history, later);
  if (i.lines.empty() || i.history.empty()) return std::nullopt;
  i.counts.clear();
  i.severity = Severity::info;
  for (const auto& line : i.lines) {
    ++i.counts[line.what];
    i.severity = std::max(i.severity, std::min(incident.severity, EvidenceTable::built_in()[line.what].severity));
    i.last = line.at;
  }
  i.last = std::ranges::max(i.lines, {}, &SignLine::at).at;
  i.changed = i.history.back().at;
  take_state(i);
  if (judged_later) i.confirmed_cause.clear();
  for (auto& part : i.parts) count_again(part, i.lines);
  std::erase_if(i.parts, [](const Part& p) { return p.signs.empty(); });
  if (i.parts.empty()) return std::nullopt;
  for (auto& part : i.parts)
    for (auto& [what, count] : part.signs) count.open = i.is_open();
  return i;
}

}  // namespace ghm::faults
