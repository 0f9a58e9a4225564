#include "domain/views/headline.h"

#include <fmt/format.h>

#include <tuple>

#include "domain/views/board_facts.h"

namespace ghm::views {
namespace {

std::string who_needs_action(const FleetFigures& f) {
  if (f.need_action == 0) return "No GPU needs action.";
  return fmt::format("{} {} action.", counted(f.need_action, "GPU"), f.need_action == 1 ? "needs" : "need");
}

std::string_view is_are(std::size_t n) {
  return n == 1 ? "is" : "are";
}
std::string_view has_have(std::size_t n) {
  return n == 1 ? "has" : "have";
}

// Boards without a score, or whose last word is old, are never called steady.
std::string the_rest(const FleetFigures& f) {
  const auto unscored = f.gpus - f.scored;
  const auto low = counted(f.below_70, f.need_action == 0 ? "GPU" : "more GPU");
  if (f.below_70 > 0 && unscored > 0)
    return fmt::format(" {} {} below 70 points, {} {} no score.", low, is_are(f.below_70), unscored, has_have(unscored));
  if (f.below_70 > 0) return fmt::format(" {} {} below 70 points.", low, is_are(f.below_70));
  if (unscored > 0) return fmt::format(" {} {} no score.", counted(unscored, "GPU"), has_have(unscored));
  if (f.gpus == f.need_action) return {};
  if (f.silent_gpus > 0) return fmt::format(" {} {} silent.", counted(f.silent_gpus, "GPU"), is_are(f.silent_gpus));
  return f.need_action == 0 ? " The fleet is steady." : " The rest of the fleet is steady.";
}

// How much a board wants to be looked at: critical first, then the lowest score.
std::tuple<bool, double> urgency(const BoardView& b) {
  return {b.health->risk == "critical", 100 - b.health->overall.value_or(100)};
}

const BoardView* worst_board(const FleetSnapshot& fleet) {
  const BoardView* worst = nullptr;
  for (const auto& b : fleet.boards)
    if (b.board.in_service && top_finding(b) && (!worst || urgency(b) > urgency(*worst))) worst = &b;
  return worst;
}

std::string silence(const FleetFigures& f) {
  if (f.silent_hosts > 0) return fmt::format("{} of {} {} silent.", f.silent_hosts, counted(f.hosts, "host"), is_are(f.silent_hosts));
  if (f.silent_gpus > 0) return fmt::format("{} {} silent.", counted(f.silent_gpus, "GPU"), is_are(f.silent_gpus));
  return {};
}

}  // namespace

std::string counted(std::size_t n, std::string_view singular) {
  return fmt::format("{} {}{}", n, singular, n == 1 ? "" : "s");
}

std::string headline(const FleetFigures& f) {
  if (f.gpus == 0) return f.hosts == 0 ? "No GPU has reported yet." : "No GPU is in service.";
  // A critical rule gives a risk even where there is no score.
  if (f.scored == 0 && f.need_action == 0) return fmt::format("{} {} no score yet.", counted(f.gpus, "GPU"), has_have(f.gpus));
  return who_needs_action(f) + the_rest(f);
}

std::string headline_detail(const FleetFigures& f, const FleetSnapshot& fleet) {
  std::string detail;
  if (const auto* worst = worst_board(fleet))
    detail = fmt::format("{}: {}.", name_of(worst->board), health::sentence(*top_finding(*worst)));
  const auto silent = silence(f);
  if (!detail.empty() && !silent.empty()) detail += ' ';
  return detail + silent;
}

}  // namespace ghm::views
