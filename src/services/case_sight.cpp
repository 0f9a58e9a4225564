#include "services/case_sight.h"

#include <algorithm>

namespace ghm::services {
namespace {

constexpr double kAtWork = 20;  // % utilisation, as for incidents

const views::BoardView* board_of(const fleet::RepairCase& c, const views::FleetSnapshot& fleet) {
  if (const auto named = fleet.by_name->find(c.subject_gpu); named != fleet.by_name->end()) return &fleet.boards[named->second];
  const auto found = std::ranges::find(fleet.boards, c.subject, [](const views::BoardView& v) { return v.board.id; });
  return found == fleet.boards.end() ? nullptr : &*found;
}

std::string why_board_unseen(const views::BoardView* v, const views::FleetSnapshot& fleet, Timestamp now) {
  if (v == nullptr) return "the board has not been seen yet";
  if (!v->board.in_service) return "the board is out of service";
  if (fleet.maintenance.covering(v->board, now) != nullptr) return "it is under maintenance";
  if (v->silent) return "it is silent";
  if (!v->utilisation) return "its page does not say how busy it is";
  return *v->utilisation < kAtWork ? "it does nothing" : "";
}

}  // namespace

std::string why_unseen(const fleet::RepairCase& c, const views::FleetSnapshot& fleet, Timestamp now) {
  if (c.board != fleet::BoardId::none) return why_board_unseen(board_of(c, fleet), fleet, now);
  std::string why = "the host has no board";
  for (const auto& h : fleet.hosts) {
    if (h.host.name != c.host) continue;
    if (fleet.maintenance.covering_host(h.host.name, h.host.place.rack, now) != nullptr) return "it is under maintenance";
    if (h.silent) return "it is silent";
    for (const auto n : h.boards) {
      why = why_board_unseen(&fleet.boards[n], fleet, now);
      if (why.empty()) return why;
    }
  }
  return why;
}

}  // namespace ghm::services
