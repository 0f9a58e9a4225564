#include "domain/views/signs.h"

#include <algorithm>

namespace ghm::views {
namespace {

constexpr double kLeastLost = 5;  // points of a dimension: less is wear, and no story

}  // namespace

Signs::Signs(const FleetSnapshot& fleet) {
  for (auto& marks : marks_) marks.resize(fleet.boards.size());
  for (std::size_t i = 0; i < fleet.boards.size(); ++i) {
    const auto& view = fleet.boards[i];
    if (!view.board.in_service || fleet.maintenance.covering(view.board, fleet.as_of) != nullptr) continue;
    population_.push_back(i);
    if (view.health) read_findings(i, *view.health);
    if (view.silent) mark(Cause::silence, i, view.board.silent_since.value_or(view.board.last_seen));
  }
  read_anomalies(fleet);
}

void Signs::mark(Cause cause, std::size_t board, std::optional<Timestamp> since) {
  marks_[index_of(cause)][board] = 1;
  if (!since || *since == Timestamp{}) return;
  const auto [it, is_new] = since_[index_of(cause)].emplace(board, *since);
  if (!is_new) it->second = std::min(it->second, *since);
}

void Signs::read_findings(std::size_t board, const health::Report& report) {
  for (const auto& d : report.dimensions)
    for (const auto& f : d.findings)
      if (const auto cause = cause_of_rule(f.rule); cause && (f.critical || f.lost >= kLeastLost)) mark(*cause, board);
}

void Signs::read_anomalies(const FleetSnapshot& fleet) {
  if (fleet.anomalies.empty()) return;
  std::map<fleet::BoardId, std::size_t> by_id;
  std::multimap<std::string_view, std::size_t> by_host;
  for (const auto i : population_) {
    by_id.emplace(fleet.boards[i].board.id, i);
    by_host.emplace(fleet.boards[i].board.host, i);
  }
  for (const auto& a : fleet.anomalies) {
    const auto cause = cause_of_metric(a.metric);
    if (!cause || a.severity == "info") continue;
    if (const auto it = by_id.find(a.board); it != by_id.end()) mark(*cause, it->second, a.since);
    if (a.board != fleet::BoardId::none) continue;
    const auto [from, to] = by_host.equal_range(a.host);
    for (auto it = from; it != to; ++it) mark(*cause, it->second, a.since);
  }
}

std::optional<Timestamp> Signs::since(Cause cause, std::size_t board) const {
  const auto& all = since_[index_of(cause)];
  const auto it = all.find(board);
  return it == all.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace ghm::views
