#include "domain/fleet/repeat_offenders.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

namespace ghm::fleet {
namespace {

using telemetry::BoardId;

constexpr std::array<std::string_view, 3> kWords = {"serial", "slot", "host"};

struct Gathered {
  Offender offender;
  std::set<BoardId> boards;
};

bool tells_of_the_place(const Trouble& t) {
  return t.family != "application" && t.family != "job" && t.family != "monitoring";
}

std::string board_key(const Trouble& t) {
  return t.gpu.empty() ? fmt::format("board-{}", static_cast<std::uint32_t>(t.board)) : t.gpu;
}

// Empty: it cannot be told of what this is.
std::string key_of(const Trouble& t, OffenderBy by) {
  if (by == OffenderBy::host) return t.host;
  if (t.board == BoardId::none) return {};
  if (by == OffenderBy::serial) return board_key(t);
  // The address stays where it is; the driver's number for it changes when a board falls off the bus.
  if (t.host.empty() || (t.pci.empty() && t.slot.empty())) return {};
  return t.pci.empty() ? t.slot : t.host + " " + t.pci;
}

void count(Offender& o, Trouble::What what) {
  switch (what) {
    case Trouble::What::incident: ++o.incidents; break;
    case Trouble::What::reopened: ++o.reopened; break;
    case Trouble::What::repair: ++o.cases; break;
    case Trouble::What::relapse: ++o.relapses; break;
  }
}

void describe(Gathered& g, const Trouble& t, const std::string& key, OffenderBy by) {
  auto& o = g.offender;
  if (t.board != BoardId::none) g.boards.insert(t.board);
  if (!t.family.empty()) o.faults.insert(t.family);
  count(o, t.what);
  if (t.at < o.last) return;  // the newest says where it is
  o.last = t.at;
  o.host = t.host;
  o.name = by == OffenderBy::slot && !t.slot.empty() ? t.slot : key;
  if (by != OffenderBy::host) o.slot = t.slot;
  if (by == OffenderBy::serial) o.gpu = t.gpu;
  if (!t.model.empty()) o.model = t.model;
}

std::string counted(std::size_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

}  // namespace

std::optional<OffenderBy> offender_by_named(std::string_view word) {
  const auto found = std::ranges::find(kWords, word);
  return found == kWords.end() ? std::nullopt : std::optional(static_cast<OffenderBy>(found - kWords.begin()));
}

std::string_view to_string(OffenderBy by) {
  return kWords[static_cast<std::size_t>(by)];
}

std::vector<Offender> repeat_offenders(std::span<const Trouble> all, OffenderBy by, std::size_t most) {
  std::map<std::string, Gathered> gathered;
  for (const auto& t : all) {
    if (!tells_of_the_place(t)) continue;
    const auto key = key_of(t, by);
    if (!key.empty()) describe(gathered[key], t, key, by);
  }
  std::vector<Offender> out;
  for (auto& [key, g] : gathered) {
    g.offender.boards = g.boards.size();
    if (g.offender.bad() >= 2) out.push_back(std::move(g.offender));
  }
  std::ranges::stable_sort(out,
                           [](const Offender& a, const Offender& b) { return a.bad() != b.bad() ? a.bad() > b.bad() : a.last > b.last; });
  if (out.size() > most) out.resize(most);
  return out;
}

std::string says(const Offender& o, OffenderBy by, int days) {
  auto text = counted(o.incidents, "incident", "incidents");
  if (o.reopened > 0) text += fmt::format(", {} opened again", o.reopened);
  if (o.cases > 0) text += ", " + counted(o.cases, "repair", "repairs");
  if (o.relapses > 0) text += fmt::format(", {} after a repair", counted(o.relapses, "relapse", "relapses"));
  text += fmt::format(" in {} days", days);
  if (!o.faults.empty()) text += fmt::format(": {}", fmt::join(o.faults, ", "));
  if (o.boards > 1)
    text += fmt::format("; on {} boards{}", o.boards, by == OffenderBy::slot ? ": look at the place, not only at the board" : "");
  return text;
}

}  // namespace ghm::fleet
