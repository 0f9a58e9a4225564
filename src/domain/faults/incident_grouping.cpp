// Which incident a sign belongs to: by the places that it shares with those that are there, and, where enough hosts of a rack, feed or
// fleet say the same, by bringing their incidents together.
#include <fmt/format.h>

#include <algorithm>

#include "domain/faults/incident_book.h"

namespace ghm::faults {
namespace {

constexpr std::size_t kMostNear = 24;  // incidents of one rack, feed or job that are looked at, the newest first
constexpr std::size_t kMostGatherings = 10'000;

std::string key(char kind, const std::string& name) {
  return kind + name;
}

std::vector<std::string> keys_of(const Part& p) {
  std::vector<std::string> keys;
  if (p.board != BoardId::none) keys.push_back(key('b', std::to_string(static_cast<std::uint32_t>(p.board))));
  const std::pair<char, const std::string*> places[] = {{'h', &p.host}, {'j', &p.job}, {'f', &p.feed}, {'r', &p.rack}, {'d', &p.fabric}};
  for (const auto& [kind, name] : places)
    if (!name->empty()) keys.push_back(key(kind, *name));
  return keys;
}

void take_over(Part& into, const Part& from) {
  into.several_jobs |= from.several_jobs || (!into.job.empty() && !from.job.empty() && into.job != from.job);
  for (const auto& [what, count] : from.signs) {
    const bool known = into.signs.contains(what);
    auto& sum = into.signs[what];
    sum.open = count.open || (known && sum.open);
    sum.times += count.times;
    sum.last = std::max(sum.last, count.last);
  }
}

}  // namespace

IncidentBook::Ids IncidentBook::near(const Sign& s) const {
  Ids ids;
  Part place;
  place.board = s.board;
  place.host = s.host;
  place.job = s.job;
  place.feed = s.feed;
  place.rack = s.rack;
  place.fabric = s.fabric;
  for (const auto& k : keys_of(place)) {
    const auto found = by_place_.find(k);
    if (found == by_place_.end()) continue;
    const auto& all = found->second;
    const bool wide = k[0] != 'b' && k[0] != 'h';  // of a board or host nothing may be overlooked
    const auto n = wide ? std::min(kMostNear, all.size()) : all.size();
    ids.insert(ids.end(), all.end() - static_cast<std::ptrdiff_t>(n), all.end());
  }
  std::ranges::sort(ids, std::greater<>());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::erase_if(ids, [this](std::uint64_t id) { return !incidents_.contains(id); });
  return ids;
}

Incident* IncidentBook::related(const Sign& sign) {
  Incident* best = nullptr;
  auto closest = Relation::none;
  for (const auto id : near(sign)) {
    auto& i = incidents_.at(id);
    if (!i.is_open()) continue;
    const auto how = relation(sign, i);
    if (how > closest) {
      closest = how;
      best = &i;
    }
  }
  return best;
}

Incident* IncidentBook::repeated(const Sign& sign) {
  for (const auto id : near(sign)) {
    auto& i = incidents_.at(id);
    if (i.state == State::cleared && repeats(sign, i)) return &i;
  }
  return nullptr;
}

// What was being brought together when it was written down goes on: a restart in the middle of a rack's outage must not split it.
void IncidentBook::gather_again(const Incident& i) {
  std::map<std::string, std::set<std::string>> hosts;
  for (const auto& line : i.lines) {
    const auto* part = i.find(line.board, line.host);
    if (part == nullptr) continue;
    Sign s;
    s.at = line.at;
    s.what = line.what;
    s.code = line.code;
    s.kind = line.kind;
    s.host = line.host;
    s.rack = part->rack;
    s.feed = part->feed;
    for (const auto& shared : shared_by(s)) {
      auto& [seen, burst] = gatherings_[shared.key];
      std::erase_if(seen, [&](const Seen& old) { return old.incident == i.id; });
      seen.push_back({i.id, s.host, s.at});
      hosts[shared.key].insert(s.host);
      if (hosts[shared.key].size() >= shared.hosts) burst = i.id;
    }
  }
}

std::uint64_t IncidentBook::gather(const Sign& sign, std::uint64_t id) {
  if (gatherings_.size() > kMostGatherings)
    std::erase_if(gatherings_,
                  [&](const auto& g) { return g.second.seen.empty() || sign.at - g.second.seen.back().at > std::chrono::hours(2); });
  for (const auto& shared : shared_by(sign)) {
    auto& [seen, burst] = gatherings_[shared.key];
    std::erase_if(seen, [&](const Seen& s) {
      const auto* i = find(s.incident);
      return sign.at - s.at > shared.within || i == nullptr || !i->is_open();
    });
    if (seen.empty()) burst = 0;
    std::erase_if(seen, [&](const Seen& s) { return s.incident == id; });
    seen.push_back({id, sign.host, sign.at});
    std::set<std::string> hosts;
    for (const auto& s : seen) hosts.insert(s.host);
    const bool enough = burst != 0 || (hosts.size() >= shared.hosts && seen.size() >= shared.hosts);
    if (!enough) continue;
    for (const auto& s : seen) id = std::min(id, s.incident);
    for (const auto& s : seen)
      if (s.incident != id) merge(incidents_.at(id), incidents_.at(s.incident), shared.why, sign.at);
    burst = id;
    seen.assign(1, {id, sign.host, sign.at});
  }
  return id;
}

void IncidentBook::merge(Incident& into, Incident& from, const std::string& why, Timestamp at) {
  for (auto& p : from.parts) {
    const auto same = std::ranges::find_if(
        into.parts, [&](const Part& q) { return q.board == p.board && (p.board != BoardId::none || q.host == p.host); });
    if (same != into.parts.end()) take_over(*same, p);
    else if (into.parts.size() < Incident::kMostParts) {
      index(p, into.id);
      into.parts.push_back(p);
    } else ++into.more_parts;
  }
  for (const auto& [what, n] : from.counts) into.counts[what] += n;
  for (const auto& line : from.lines) into.keep(line);
  std::ranges::stable_sort(into.lines, {}, &SignLine::at);
  into.opened = std::min(into.opened, from.opened);
  into.last = std::max(into.last, from.last);
  into.severity = std::max(into.severity, from.severity);
  into.flags |= from.flags;
  into.escalated |= from.escalated;
  into.simulated |= from.simulated;
  into.tell(at, "widened", fmt::format("incident {} is part of it: {}", from.id, why));
  unindex(from);
  from.state = State::merged;
  from.merged_into = into.id;
  from.tell(at, "merged", fmt::format("part of incident {}: {}", into.id, why));
  --counts_.open;
  ++counts_.merged;
  mark(from.id);
  mark(into.id);
}

void IncidentBook::index(const Incident& i) {
  for (const auto& p : i.parts) index(p, i.id);
}

void IncidentBook::index(const Part& part, std::uint64_t id) {
  for (const auto& k : keys_of(part)) {
    auto& ids = by_place_[k];
    const auto at = std::ranges::lower_bound(ids, id);
    if (at == ids.end() || *at != id) ids.insert(at, id);
  }
}

void IncidentBook::unindex(const Incident& i) {
  for (const auto& p : i.parts)
    for (const auto& k : keys_of(p)) {
      const auto found = by_place_.find(k);
      if (found == by_place_.end()) continue;
      std::erase(found->second, i.id);
      if (found->second.empty()) by_place_.erase(found);
    }
}

}  // namespace ghm::faults
