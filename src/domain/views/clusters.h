#pragma once
#include <string>
#include <vector>

#include "domain/views/groupings.h"
#include "domain/views/signs.h"

/// Where the same trouble stands together more than chance explains.
///
/// For each cause and each group (rack, host, …, driver) of at least three boards: how many of its boards show the cause, against
/// the hypergeometric distribution of as many marks thrown over the whole fleet (Fisher's exact test, one-sided). The p is
/// multiplied by the number of groups and causes that were tried (Bonferroni), so that a whole healthy fleet's false stories
/// together are below one in a thousand looks. Boards that share a host share its fate without any trouble of the rack, so a group
/// wider than a host must still pass without the host (wider than a rack: without the rack) that shows most. The strongest group
/// comes first; its boards are then put aside and the rest is tried again, so that a hot rack does not make its site hot.
namespace ghm::views {

/// A group is said below this, after correction.
inline constexpr double kMostByChance = 0.001;

struct Cluster {
  const Grouping* kind = nullptr;
  std::string id;
  Cause cause{};
  std::size_t gpus = 0, of = 0;           // that show it, and members
  std::size_t elsewhere = 0, others = 0;  // the same outside of it, at the moment of its test
  double p_chance = 1;                    // corrected
  std::vector<std::size_t> boards;        // that show it, as indices into FleetSnapshot::boards
};

/// The strongest first, at most `most`. O(boards · groupings · causes that are seen).
std::vector<Cluster> find_clusters(const FleetSnapshot& fleet, const Signs& signs, std::size_t most = 8);

}  // namespace ghm::views
