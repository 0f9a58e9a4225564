#include "pipeline/anomaly_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::pipeline {
namespace {

using anomaly::SlotColumns;
using anomaly::WatchedMetric;
using telemetry::Entity;
using telemetry::MetricId;

/// A slot's columns while the layout is read: its fields in order of preference.
struct Finder {
  std::array<std::size_t, anomaly::kSlots> rank{};  // of the field that was found; the lower the better
  Finder() { rank.fill(99); }

  void take(const WatchedMetric& w, const telemetry::PageSeries& s, std::uint32_t column, SlotColumns& out) {
    const auto slot = anomaly::index_of(w.slot);
    if (s.entity.kind == Entity::Kind::nvlink) {
      if (w.from == WatchedMetric::From::count && s.metric == w.fields[0]) out.links_up.push_back(column);
      if (s.metric == w.else_sum[0] && s.metric != MetricId::none) out.link_replays.push_back(column);
      return;
    }
    const auto place = static_cast<std::size_t>(std::ranges::find(w.fields, s.metric) - w.fields.begin());
    if (s.entity.kind != Entity::Kind::gpu || w.from == WatchedMetric::From::count || place >= rank[slot]) return;
    if (place == w.fields.size()) return;
    rank[slot] = place;
    out.column[slot] = static_cast<std::int32_t>(column);
  }
};

fleet::AnomalyNumbers numbers_of(const anomaly::Anomaly& a) {
  const auto* spec = telemetry::MetricCatalogue::built_in().find(a.metric);
  return {spec != nullptr ? spec->name : std::string(),
          std::string(to_string(a.detector)),
          std::string(to_string(a.severity)),
          a.value,
          a.expected,
          a.sigma,
          a.z,
          std::string(a.unit),
          std::string(to_string(a.peers)),
          a.since};
}

fleet::FleetEvent event_of(const anomaly::AnomalyChange& change, const SourceState& from, Timestamp at, const fleet::Ledger& ledger) {
  const auto& a = change.anomaly;
  const auto* board = ledger.find(a.board);
  const auto who = board != nullptr ? fleet::spoken_name(*board) : from.saw.host;
  const auto words = fmt::format("{}, {}", anomaly::against_whom(a.peers), anomaly::to_string(a.severity));
  if (change.opened) return {at, "anomaly", a.board, from.saw.host, fmt::format("{}: {} ({})", who, a.sentence, words), 0, numbers_of(a)};
  const auto lasted = std::chrono::floor<std::chrono::minutes>(at - a.since);
  return {at,
          "anomaly_cleared",
          a.board,
          from.saw.host,
          fmt::format("{}: over after {}: {} ({})", who, format_duration(lasted), a.sentence, words),
          0,
          numbers_of(a)};
}

}  // namespace

std::vector<anomaly::Seat> seats_of(const telemetry::PageLayout& layout, const std::vector<fleet::BoardId>& boards) {
  std::vector<anomaly::Seat> seats(boards.size());
  std::vector<Finder> finders(boards.size());
  for (std::size_t g = 0; g < boards.size(); ++g) {
    seats[g].board = boards[g];
    seats[g].model = layout.gpus[g].model;
    if (g < layout.work.size() && !layout.work[g].jobs.empty()) seats[g].job = layout.work[g].jobs.front();
  }
  const auto& series = layout.table->series;
  for (std::uint32_t i = 0; i < series.size(); ++i) {
    const auto& s = series[i];
    if (s.gpu < 0 || s.event_like) continue;
    const auto g = static_cast<std::size_t>(s.gpu);
    for (const auto& w : anomaly::watched_metrics()) finders[g].take(w, s, i, seats[g].columns);
  }
  // Where the board counts its links' replays itself, the links are not summed as well.
  for (auto& seat : seats)
    if (seat.columns.column[anomaly::index_of(anomaly::Slot::nvlink_replays)] != SlotColumns::kNoColumn) seat.columns.link_replays.clear();
  return seats;
}

std::vector<fleet::FleetEvent> watch_anomalies(SourceState& from, const telemetry::PageReading& reading, Timestamp at,
                                               const fleet::Ledger& ledger) {
  if (!from.anomalies.page(at, reading.values, from.saw.interval)) return {};
  const auto& seats = from.anomalies.seats();
  std::vector<bool> away(seats.size());
  for (std::size_t s = 0; s < seats.size(); ++s) {
    const auto* board = ledger.find(seats[s].board);
    away[s] = board == nullptr || Trust::is_contested(*from.trust, s) || ledger.maintenance().covering(*board, at) != nullptr;
  }
  std::vector<fleet::FleetEvent> events;
  for (const auto& change : from.anomalies.minute(at, reading.values, away)) events.push_back(event_of(change, from, at, ledger));
  return events;
}

views::OpenAnomaly shown(const anomaly::Anomaly& a, const std::string& host) {
  return {a.board, host, a.metric, anomaly::to_string(a.detector), anomaly::to_string(a.severity), a.since, a.sentence};
}

std::vector<views::OpenAnomaly> open_anomalies(const SourceState& from) {
  std::vector<views::OpenAnomaly> out;
  for (const auto& a : from.anomalies.open()) out.push_back(shown(a, from.saw.host));
  return out;
}

}  // namespace ghm::pipeline
