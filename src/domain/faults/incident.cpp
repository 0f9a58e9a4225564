#include "domain/faults/incident.h"

#include <fmt/format.h>

#include <algorithm>

namespace ghm::faults {
namespace {

constexpr std::array<std::string_view, 3> kStates = {"open", "cleared", "merged"};
constexpr std::array<std::string_view, 9> kScopes = {"board", "link", "host", "nvswitch", "fabric", "job", "rack", "feed", "fleet"};
constexpr std::size_t kFirstHistory = 20;
constexpr int kRepeats = 3;
// Strongest first: what an incident is named after.
constexpr Family kLeading[] = {Family::test,       Family::memory,  Family::pcie,    Family::nvlink,   Family::power,
                               Family::firmware,   Family::thermal, Family::silence, Family::software, Family::application,
                               Family::monitoring, Family::other,   Family::job};

bool all_alike(const std::vector<const Part*>& parts, std::string Part::*member) {
  return !parts.empty() && !(parts[0]->*member).empty() &&
         std::ranges::all_of(parts, [&](const Part* p) { return p->*member == parts[0]->*member; });
}

std::vector<const Part*> all_of(const Incident& i) {
  std::vector<const Part*> parts;
  for (const auto& p : i.parts) parts.push_back(&p);
  return parts;
}

// What a fault on one board shows on others: peers that got no answer, and, behind a link's fault, errors contained on them.
bool is_echo(EvidenceId what, const Incident& i) {
  static const auto peer = evidence("peer_error"), contained = evidence("contained_memory"), link = evidence("link_error"),
                    fault = evidence("switch_error");
  return what == peer || (what == contained && (i.counts.contains(link) || i.counts.contains(fault)));
}

std::set<std::string> hosts_with(const Incident& i, Family family) {
  std::set<std::string> hosts;
  for (const auto& p : i.parts)
    if (std::ranges::any_of(p.signs, [&](const auto& s) { return EvidenceTable::built_in()[s.first].family == family; }))
      hosts.insert(p.host);
  return hosts;
}

// Heat, power or silence of several hosts is the story; a board that does not survive it is a part of that.
std::optional<EvidenceId> sign_of_place(const Incident& i) {
  const auto& table = EvidenceTable::built_in();
  std::optional<EvidenceId> best;
  std::size_t most = 1;
  for (const auto& [what, n] : i.counts) {
    const auto family = table[what].family;
    if (family != Family::thermal && family != Family::power && family != Family::silence) continue;
    const auto hosts = hosts_with(i, family).size();
    if (hosts > most || (hosts == most && best && table[what].severity > table[*best].severity)) {
      most = hosts;
      best = what;
    }
  }
  if (most < 2) return std::nullopt;
  for (const auto f : {Family::memory, Family::pcie, Family::nvlink, Family::firmware})
    if (hosts_with(i, f).size() >= most) return std::nullopt;
  return best;
}

EvidenceId leading_of(const Incident& i) {
  const auto& table = EvidenceTable::built_in();
  if (const auto place = sign_of_place(i)) return *place;
  std::optional<EvidenceId> echo;
  for (const auto family : kLeading) {
    std::optional<EvidenceId> best;
    for (const auto& [what, n] : i.counts) {
      if (table[what].family != family) continue;
      if (is_echo(what, i)) echo = what;
      else if (!best || table[what].severity > table[*best].severity) best = what;
    }
    if (best) return *best;
  }
  return echo.value_or(0);
}

// The parts that show the leading sign's family: what only followed there says nothing about how far the fault itself reaches.
std::vector<const Part*> struck(const Incident& i, EvidenceId leading) {
  const auto family = EvidenceTable::built_in()[leading].family;
  std::vector<const Part*> parts;
  for (const auto& p : i.parts)
    if (std::ranges::any_of(p.signs, [&](const auto& s) {
          return s.first == leading || (EvidenceTable::built_in()[s.first].family == family && !is_echo(s.first, i));
        }))
      parts.push_back(&p);
  return parts;
}

struct HostCount {
  int boards = 0, on_host = 0;
};

/// A host as such is told to be hot or short of power when most of its boards are: it stands for all of them.
std::map<std::string, HostCount> count_hosts(const std::vector<const Part*>& parts, EvidenceId leading) {
  const auto family = EvidenceTable::built_in()[leading].family;
  const bool speaks_for_boards = family == Family::thermal || family == Family::power;
  std::map<std::string, HostCount> hosts;
  for (const auto* p : parts) {
    auto& h = hosts[p->host];
    h.on_host = std::max(h.on_host, p->boards_on_host);
    h.boards += p->board != BoardId::none ? 1 : speaks_for_boards ? p->boards_on_host : 0;
  }
  return hosts;
}

}  // namespace

std::string_view to_string(State s) {
  return kStates[static_cast<std::size_t>(s)];
}

std::string_view to_string(Scope s) {
  return kScopes[static_cast<std::size_t>(s)];
}

bool Part::is_open() const {
  return std::ranges::any_of(signs, [](const auto& s) { return s.second.open; });
}

Scope Incident::scope() const {
  if (parts.size() == 1 && parts[0].board != BoardId::none)
    return link >= 0 && families()[static_cast<std::size_t>(Family::nvlink)] ? Scope::link : Scope::board;
  if (hosts().size() <= 1) return nvswitch >= 0 ? Scope::nvswitch : Scope::host;
  const auto all = all_of(*this);
  if (all_alike(all, &Part::fabric)) return Scope::fabric;
  if (all_alike(all, &Part::job)) return Scope::job;
  if (all_alike(all, &Part::rack)) return Scope::rack;
  if (all_alike(all, &Part::feed)) return Scope::feed;
  return Scope::fleet;
}

std::string Incident::place() const {
  if (parts.empty()) return "nowhere";
  const auto& p = parts.front();
  switch (scope()) {
    case Scope::board: return fmt::format("GPU {} on {}", p.gpu, p.host);
    case Scope::link: return fmt::format("NVLink {} of GPU {} on {}", link, p.gpu, p.host);
    case Scope::host: return fmt::format("host {}", p.host);
    case Scope::nvswitch: return fmt::format("NVSwitch {} of host {}", nvswitch, p.host);
    case Scope::fabric: return fmt::format("NVLink domain {}", p.fabric);
    case Scope::job: return fmt::format("job {}", p.job);
    case Scope::rack: return fmt::format("rack {}", p.rack);
    case Scope::feed: return fmt::format("power feed {}", p.feed);
    case Scope::fleet: break;
  }
  return fmt::format("{} hosts", hosts().size());
}

Families Incident::families() const {
  Families set;
  for (const auto& [what, n] : counts) set.set(static_cast<std::size_t>(EvidenceTable::built_in()[what].family));
  return set;
}

const Part* Incident::find(BoardId board, std::string_view host) const {
  const auto found =
      std::ranges::find_if(parts, [&](const Part& p) { return p.board == board && (board != BoardId::none || p.host == host); });
  return found == parts.end() ? nullptr : &*found;
}

std::set<std::string> Incident::hosts() const {
  std::set<std::string> names;
  for (const auto& p : parts) names.insert(p.host);
  return names;
}

void Incident::tell(Timestamp at, std::string what, std::string why, std::string by) {
  if (history.size() >= kMostHistory) history.erase(history.begin() + kFirstHistory);
  history.push_back({at, std::move(what), std::move(why), std::move(by)});
  changed = std::max(changed, at);
}

void Incident::keep(SignLine line) {
  if (lines.size() >= kFirstLines + kLastLines) {
    lines.erase(lines.begin() + kFirstLines);
    ++more_lines;
  }
  lines.push_back(std::move(line));
}

Facts facts_of(const Incident& i) {
  static const auto one_of_many = evidence("one_of_many"), most_of_host = evidence("most_of_host"), many_hosts = evidence("many_hosts"),
                    one_rack = evidence("one_rack"), one_feed = evidence("one_feed"), one_job = evidence("one_job"),
                    several_jobs = evidence("several_jobs"), repeats = evidence("repeats"), came_back = evidence("came_back"),
                    no_answer = evidence("no_answer_at_all"), host_silent = evidence("host_silent"), rebooted = evidence("host_rebooted"),
                    user_process = evidence("user_process");
  Facts f;
  f.leading = leading_of(i);
  f.escalated = i.escalated || i.reopened > 0;
  f.present = i.flags;
  for (const auto& [what, n] : i.counts) {
    f.present.set(what);
    f.count[what] = n;
  }
  const auto reach = struck(i, f.leading);
  const auto hosts = count_hosts(reach, f.leading);
  bool boards_known = false;
  for (const auto& [name, h] : hosts) {
    boards_known |= h.on_host > 1 && h.boards > 0;
    if (h.on_host > 1 && h.boards >= 2 && 2 * h.boards >= h.on_host) f.present.set(most_of_host);
  }
  if (reach.size() == 1 && reach[0]->board != BoardId::none && reach[0]->boards_on_host > 1) f.present.set(one_of_many);
  if (!boards_known) f.unknowable.set(one_of_many).set(most_of_host);
  if (hosts.size() > 1) {
    f.present.set(many_hosts);
    if (all_alike(reach, &Part::rack)) f.present.set(one_rack);
    if (all_alike(reach, &Part::feed)) f.present.set(one_feed);
  }
  if (i.parts[0].rack.empty()) f.unknowable.set(one_rack);
  if (i.parts[0].feed.empty()) f.unknowable.set(one_feed);
  const bool jobs_known = std::ranges::any_of(i.parts, [](const Part& p) { return !p.job.empty(); });
  if (!jobs_known) f.unknowable.set(one_job).set(several_jobs);
  if (i.parts.size() > 1 && all_alike(all_of(i), &Part::job)) f.present.set(one_job);
  for (const auto& p : i.parts) {
    if (p.several_jobs) f.present.set(several_jobs);
    for (const auto& [what, count] : p.signs)
      if (count.times >= kRepeats) f.present.set(repeats);
  }
  if (i.reopened > 0) f.present.set(came_back);
  if (!f.present[host_silent]) f.unknowable.set(no_answer).set(rebooted);
  const auto kernel_spoke = std::ranges::any_of(i.lines, [](const SignLine& l) { return l.code != 0; });
  if (!kernel_spoke) f.unknowable.set(user_process);
  return f;
}

}  // namespace ghm::faults
