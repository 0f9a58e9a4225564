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

template <class Get>
bool all_alike(const std::vector<Part>& parts, Get get) {
  return !parts.empty() && !get(parts.front()).empty() &&
         std::ranges::all_of(parts, [&](const Part& p) { return get(p) == get(parts.front()); });
}

EvidenceId leading_of(const Incident& i) {
  const auto& table = EvidenceTable::built_in();
  for (const auto family : kLeading) {
    const std::pair<const EvidenceId, int>* best = nullptr;
    for (const auto& entry : i.counts)
      if (table[entry.first].family == family && (best == nullptr || table[entry.first].severity > table[best->first].severity))
        best = &entry;
    if (best != nullptr) return best->first;
  }
  return {};
}

struct HostCount {
  int boards = 0, on_host = 0;
};

std::map<std::string, HostCount> count_hosts(const Incident& i) {
  std::map<std::string, HostCount> hosts;
  for (const auto& p : i.parts) {
    auto& h = hosts[p.host];
    h.boards += p.board != BoardId::none;
    h.on_host = std::max(h.on_host, p.boards_on_host);
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
  if (all_alike(parts, [](const Part& p) { return p.fabric; })) return Scope::fabric;
  if (all_alike(parts, [](const Part& p) { return p.job; })) return Scope::job;
  if (all_alike(parts, [](const Part& p) { return p.rack; })) return Scope::rack;
  if (all_alike(parts, [](const Part& p) { return p.feed; })) return Scope::feed;
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
  const auto hosts = count_hosts(i);
  bool sizes_known = false;
  for (const auto& [name, h] : hosts) {
    sizes_known |= h.on_host > 1;
    if (h.on_host > 1 && h.boards >= 2 && 2 * h.boards >= h.on_host) f.present.set(most_of_host);
  }
  if (i.parts.size() == 1 && i.parts[0].board != BoardId::none && i.parts[0].boards_on_host > 1) f.present.set(one_of_many);
  if (!sizes_known) f.unknowable.set(one_of_many).set(most_of_host);
  if (hosts.size() > 1) {
    f.present.set(many_hosts);
    if (all_alike(i.parts, [](const Part& p) { return p.rack; })) f.present.set(one_rack);
    if (all_alike(i.parts, [](const Part& p) { return p.feed; })) f.present.set(one_feed);
  }
  if (i.parts[0].rack.empty()) f.unknowable.set(one_rack);
  if (i.parts[0].feed.empty()) f.unknowable.set(one_feed);
  const bool jobs_known = std::ranges::any_of(i.parts, [](const Part& p) { return !p.job.empty(); });
  if (!jobs_known) f.unknowable.set(one_job).set(several_jobs);
  if (i.parts.size() > 1 && all_alike(i.parts, [](const Part& p) { return p.job; })) f.present.set(one_job);
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
