#include "domain/views/clusters.h"

#include <algorithm>

#include "domain/views/hypergeometric.h"

namespace ghm::views {
namespace {

constexpr std::size_t kFewest = 3;             // boards that make a cluster
constexpr double kMostByChanceWithout = 0.05;  // corrected too, of the same test without the host or rack that shows most
constexpr double kLeastShareOfPlace = 0.25;    // "rack R031 runs hot" needs more than three of 72

struct Group {
  const Grouping* kind;
  std::string_view id;
  std::vector<std::size_t> members;
};

struct Tally {
  std::size_t marked = 0, of = 0;
};

std::vector<Group> groups_of(const FleetSnapshot& fleet, const Signs& signs) {
  std::vector<Group> out;
  for (const auto& grouping : groupings()) {
    std::map<std::string_view, std::vector<std::size_t>> by_id;
    for (const auto i : signs.population())
      if (const auto id = grouping.key(fleet.boards[i].board); !id.empty()) by_id[id].push_back(i);
    for (auto& [id, members] : by_id)
      if (members.size() >= kFewest && members.size() < signs.population().size()) out.push_back({&grouping, id, std::move(members)});
  }
  return out;
}

/// One cause, looked for in all groups.
class Search {
 public:
  Search(const FleetSnapshot& fleet, const Signs& signs, const Hypergeometric& chance, Cause cause, std::size_t tried)
      : fleet_(fleet), signs_(signs), chance_(chance), cause_(cause), tried_(static_cast<double>(tried)), open_(fleet.boards.size()) {
    for (const auto i : signs.population()) open_[i] = true;
    all_ = count(signs.population());
  }

  void run(const std::vector<Group>& groups, std::vector<Cluster>& out) {
    while (all_.marked >= kFewest) {
      auto best = strongest(groups);
      if (!best.kind) return;
      out.push_back(std::move(best));
    }
  }

 private:
  Tally count(const std::vector<std::size_t>& members) const {
    Tally t;
    for (const auto i : members) {
      if (!open_[i]) continue;
      ++t.of;
      t.marked += signs_.shows(cause_, i) ? 1 : 0;
    }
    return t;
  }

  double chance_of(Tally group, Tally all) const { return chance_.at_least(group.marked, group.of, all.marked, all.of); }

  // The part of a group that shares its fate anyway: of a rack a host, of anything wider a rack.
  std::string_view part_of(const Grouping& kind, std::size_t i) const {
    const auto& board = fleet_.boards[i].board;
    return kind.name == "rack" || board.place.rack.empty() ? std::string_view(board.host) : std::string_view(board.place.rack);
  }

  bool stands_without_its_worst_part(const Group& group, Tally t) const {
    if (group.kind->name == "host") return true;
    std::map<std::string_view, Tally> parts;
    for (const auto i : group.members) {
      if (!open_[i]) continue;
      auto& part = parts[part_of(*group.kind, i)];
      ++part.of;
      part.marked += signs_.shows(cause_, i) ? 1 : 0;
    }
    const auto worst = std::ranges::max_element(parts, {}, [](const auto& p) { return p.second.marked; })->second;
    const Tally rest{t.marked - worst.marked, t.of - worst.of}, all{all_.marked - worst.marked, all_.of - worst.of};
    return rest.marked >= kFewest - 1 && chance_of(rest, all) * tried_ < kMostByChanceWithout;
  }

  bool is_large_enough(const Group& group, Tally t) const {
    const bool place = group.kind->name == "rack" || group.kind->name == "host";
    return t.marked >= kFewest && (!place || static_cast<double>(t.marked) >= kLeastShareOfPlace * static_cast<double>(t.of));
  }

  // Of groups that explain as much the narrower place: they stand from wide to narrow.
  Cluster strongest(const std::vector<Group>& groups) {
    Cluster best;
    const Group* found = nullptr;
    for (const auto& group : groups) {
      const auto t = count(group.members);
      if (!is_large_enough(group, t)) continue;
      const double p = chance_of(t, all_) * tried_;
      if (p >= kMostByChance || p > best.p_chance || !stands_without_its_worst_part(group, t)) continue;
      const bool no_better = found != nullptr && p == best.p_chance && !is_place(*group.kind);
      if (no_better) continue;
      found = &group;
      best = {group.kind, std::string(group.id), cause_, t.marked, t.of, all_.marked - t.marked, all_.of - t.of, p, {}};
    }
    if (found != nullptr) put_aside(*found, best);
    return best;
  }

  static bool is_place(const Grouping& kind) {
    return kind.name == "region" || kind.name == "datacenter" || kind.name == "rack" || kind.name == "host";
  }

  void put_aside(const Group& group, Cluster& cluster) {
    for (const auto i : group.members) {
      if (open_[i] && signs_.shows(cause_, i)) cluster.boards.push_back(i);
      open_[i] = false;
    }
    all_ = count(signs_.population());
  }

  const FleetSnapshot& fleet_;
  const Signs& signs_;
  const Hypergeometric& chance_;
  Cause cause_;
  double tried_;
  std::vector<bool> open_;  // not yet told
  Tally all_;
};

}  // namespace

std::vector<Cluster> find_clusters(const FleetSnapshot& fleet, const Signs& signs, std::size_t most) {
  const auto groups = groups_of(fleet, signs);
  const Hypergeometric chance(signs.population().size());
  std::vector<Cluster> out;
  for (std::size_t c = 0; c < kCauses; ++c) Search(fleet, signs, chance, static_cast<Cause>(c), groups.size() * kCauses).run(groups, out);
  std::ranges::stable_sort(out, {}, &Cluster::p_chance);
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace ghm::views
