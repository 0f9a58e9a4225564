// Which groups moved the fleet's index within a day: the boards that score low now are asked how far they fell and since when.
#include <fmt/format.h>

#include <algorithm>

#include "domain/views/board_facts.h"
#include "domain/views/groupings.h"
#include "domain/views/story.h"

namespace ghm::views {
namespace {

constexpr std::size_t kMostAsked = 256, kMostMoved = 5;
constexpr double kSteady = 95;     // who scores that high has not fallen far
constexpr double kLeastMoved = 1;  // points of a group's index

struct Fallen {
  std::size_t board = 0;
  Fall fall;
  double points() const { return fall.from - fall.to; }
};

struct Moved {
  const Grouping* kind = nullptr;
  std::string id;
  double index = 0, lost = 0;  // now, and what it lost
  Fallen by;
  bool alone = false;  // `by` is all that fell
};

std::vector<Fallen> who_fell(const FleetSnapshot& fleet, const FallOf& falls) {
  std::vector<std::pair<double, std::size_t>> low;
  for (std::size_t i = 0; i < fleet.boards.size(); ++i)
    if (const auto score = score_of(fleet.boards[i]); fleet.boards[i].board.in_service && score && *score < kSteady)
      low.emplace_back(*score, i);
  std::ranges::sort(low);
  if (low.size() > kMostAsked) low.resize(kMostAsked);
  std::vector<Fallen> out;
  for (const auto& [score, i] : low)
    if (const auto fall = falls(fleet.boards[i].board.id, health::kOverallScore, std::chrono::hours(24))) out.push_back({i, *fall});
  return out;
}

std::vector<Moved> groups_that_moved(const FleetSnapshot& fleet, const std::vector<Fallen>& fallen, const Grouping& kind) {
  struct Sum {
    double score = 0, lost = 0;
    std::size_t scored = 0, fell = 0;
    Fallen by;
  };
  std::map<std::string_view, Sum> sums;
  for (const auto& f : fallen) {
    auto& sum = sums[kind.key(fleet.boards[f.board].board)];
    sum.lost += f.points();
    if (++sum.fell == 1 || f.points() > sum.by.points()) sum.by = f;
  }
  for (const auto& v : fleet.boards)
    if (const auto score = score_of(v); v.board.in_service && score)
      if (const auto it = sums.find(kind.key(v.board)); it != sums.end()) {
        it->second.score += *score;
        ++it->second.scored;
      }
  std::vector<Moved> out;
  for (const auto& [id, s] : sums) {
    const auto n = static_cast<double>(s.scored);
    if (!id.empty() && s.scored > 1 && s.lost / n >= kLeastMoved)
      out.push_back({&kind, std::string(id), s.score / n, s.lost / n, s.by, s.fell == 1});
  }
  return out;
}

std::string moved_text(const Moved& m, const FleetSnapshot& fleet) {
  return fmt::format("{} {} fell from {:.0f} to {:.0f}: {} {}, {:.0f} to {:.0f} since {}.",
                     m.kind->name == "datacenter" ? "site" : m.kind->name, m.id, m.index + m.lost, m.index, m.alone ? "it is" : "mostly",
                     name_of(fleet.boards[m.by.board].board), m.by.fall.from, m.by.fall.to, since_text(m.by.fall.since, fleet.as_of));
}

Json moved_json(const Moved& m, const FleetSnapshot& fleet) {
  auto text = moved_text(m, fleet);
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  const auto& board = fleet.boards[m.by.board].board;
  return {{"kind", m.kind->name},
          {"id", m.id},
          {"text", std::move(text)},
          {"from", m.index + m.lost},
          {"to", m.index},
          {"since", format_rfc3339(m.by.fall.since)},
          {"by", {{"id", id_of(board)}, {"name", name_of(board)}, {"from", m.by.fall.from}, {"to", m.by.fall.to}}}};
}

}  // namespace

Json moved_groups(const FleetSnapshot& fleet, const FallOf& falls) {
  Json out = Json::array();
  if (!falls) return out;
  const auto fallen = who_fell(fleet, falls);
  std::vector<Moved> all;
  for (const auto& kind : groupings()) std::ranges::move(groups_that_moved(fleet, fallen, kind), std::back_inserter(all));
  std::ranges::stable_sort(all, std::ranges::greater(), &Moved::lost);
  std::vector<std::size_t> told;
  for (const auto& m : all) {
    if (out.size() == kMostMoved) break;
    if (std::ranges::find(told, m.by.board) != told.end()) continue;
    told.push_back(m.by.board);
    out.push_back(moved_json(m, fleet));
  }
  return out;
}

}  // namespace ghm::views
