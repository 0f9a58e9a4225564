#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/views/board_facts.h"
#include "domain/views/json_views.h"

namespace ghm::views {
namespace {

using telemetry::MetricCatalogue;

Timestamp moment(double unix_seconds) {
  return from_unix_ms(std::llround(unix_seconds * 1000));
}

Json reading(const store::Latest& latest) {
  const auto* spec = MetricCatalogue::built_in().find(latest.series.metric);
  return {{"metric", spec ? spec->name : fmt::format("field_{}", static_cast<unsigned>(latest.series.metric))},
          {"entity", telemetry::to_string(latest.series.entity)},
          {"unit", spec ? or_null(spec->unit) : Json()},
          {"value", latest.point.value},
          {"at", format_rfc3339(latest.point.at)}};
}

// The other boards of its host, in slot order, as the snapshot has them.
Json siblings(const FleetSnapshot& fleet, std::size_t board) {
  Json out = Json::array();
  const auto host = std::ranges::find(fleet.hosts, fleet.boards[board].board.host, [](const HostView& h) { return h.host.name; });
  if (host == fleet.hosts.end()) return out;
  for (const auto i : host->boards) {
    const auto& view = fleet.boards[i];
    if (i == board || !view.board.in_service) continue;
    out.push_back({{"id", id_of(view.board)},
                   {"slot", view.board.slot < 0 ? Json() : Json(view.board.slot)},
                   {"score", or_null(score_of(view))},
                   {"band", band_of(view)}});
  }
  return out;
}

std::optional<double> peers_median(const FleetSnapshot& fleet, std::size_t board) {
  const auto& model = fleet.boards[board].board.model;
  if (model.empty()) return std::nullopt;
  std::vector<double> scores;
  for (std::size_t i = 0; i < fleet.boards.size(); ++i) {
    const auto& view = fleet.boards[i];
    if (i != board && view.board.in_service && view.board.model == model && score_of(view)) scores.push_back(*score_of(view));
  }
  return percentile(scores, 50);
}

Json finding_json(const health::Finding& f, const health::Report& report) {
  return {{"rule", f.rule},
          {"lost", f.lost},
          {"value", f.value},
          {"reference", f.reference},
          {"at", format_rfc3339(moment(f.at))},
          {"text", health::sentence(f)},
          {"critical", is_critical(report, f.rule)}};
}

Json why_not_available(const health::Dimension& d) {
  if (d.score) return nullptr;
  return fmt::format("needs readings for 60 % of their window; too few of {}", fmt::join(d.missing, ", "));
}

Json dimension_json(const health::Dimension& d, const health::Report& report) {
  Json findings = Json::array();
  for (const auto& f : d.findings) findings.push_back(finding_json(f, report));
  const bool counts = d.score && report.overall;
  return {{"name", d.name},
          {"weight", d.weight_percent / 100.0},
          {"score", or_null(d.score)},
          {"lost", counts ? Json(share_of(d, report) * (100 - *d.score)) : Json()},
          {"band", band_of_score(d.score)},
          {"coverage", d.coverage},
          {"available", d.score.has_value()},
          {"note", why_not_available(d)},
          {"findings", std::move(findings)}};
}

Json why_no_score(const BoardView& view) {
  if (!view.health) return "not scored yet";
  if (view.health->overall) return nullptr;
  return fmt::format("not enough data: coverage {:.0f} %, a score needs 50 %", view.health->coverage * 100);
}

// One array per figure, as long as the grid; a bucket without a reading stays null.
class Figures {
 public:
  explicit Figures(std::size_t points) : avg_(points), min_(points), max_(points), last_(points), increase_(points) {}
  void put(std::size_t i, const store::Bucket& b) {
    avg_[i] = b.sum / static_cast<double>(b.count);
    min_[i] = b.min;
    max_[i] = b.max;
    last_[i] = b.last;
    if (b.increase) increase_[i] = *b.increase;
  }
  Json json(const std::string& unit, bool counter) && {
    Json all{
        {"unit", or_null(unit)}, {"avg", std::move(avg_)}, {"min", std::move(min_)}, {"max", std::move(max_)}, {"last", std::move(last_)}};
    if (counter) all["increase"] = std::move(increase_);
    return all;
  }

 private:
  std::vector<Json> avg_, min_, max_, last_, increase_;
};

Json number_of_seconds(std::chrono::milliseconds d) {
  if (d.count() % 1000 == 0) return d.count() / 1000;
  return static_cast<double>(d.count()) / 1000;
}

struct Grid {
  std::chrono::milliseconds first, width;
  std::size_t points = 0;
  // Buckets lie on multiples of the width since the epoch, as the store's do.
  Grid(TimeRange range, std::chrono::milliseconds w) : first(floor(range.from, w)), width(w) {
    if (range.to > range.from) points = static_cast<std::size_t>((range.to.time_since_epoch() - first + width - 1ms) / width);
  }
  static std::chrono::milliseconds floor(Timestamp t, std::chrono::milliseconds w) {
    const auto since = t.time_since_epoch();
    const auto rest = since % w;
    return since - (rest < 0ms ? rest + w : rest);
  }
  std::optional<std::size_t> index(Timestamp from) const {
    const auto i = (from.time_since_epoch() - first) / width;
    if (from.time_since_epoch() < first || static_cast<std::size_t>(i) >= points) return std::nullopt;
    return static_cast<std::size_t>(i);
  }
  Json times() const {
    Json t = Json::array();
    for (std::size_t i = 0; i < points; ++i) t.push_back(number_of_seconds(first + static_cast<std::int64_t>(i) * width));
    return t;
  }
};

Json column_json(const MetricColumn& column, const Grid& grid) {
  Figures figures(grid.points);
  for (const auto& b : column.buckets)
    if (const auto i = grid.index(b.from); i && b.count > 0) figures.put(*i, b);
  return std::move(figures).json(column.unit, column.counter);
}

}  // namespace

Json gpu_detail(const FleetSnapshot& fleet, std::size_t board, const std::vector<store::Latest>& latest) {
  Json detail = gpu_row(fleet.boards[board]);
  Json readings = Json::array();
  for (const auto& l : latest)
    if (!health::is_score(l.series.metric)) readings.push_back(reading(l));
  detail["readings"] = std::move(readings);
  detail["siblings"] = siblings(fleet, board);
  detail["as_of"] = format_rfc3339(fleet.as_of);
  return detail;
}

Json gpu_health(const FleetSnapshot& fleet, std::size_t board) {
  const auto& view = fleet.boards[board];
  const auto* report = view.health.get();
  Json dimensions = Json::array();
  if (report)
    for (const auto& d : report->dimensions) dimensions.push_back(dimension_json(d, *report));
  return {{"as_of", format_rfc3339(fleet.as_of)},
          {"profile", report ? report->profile : health::Report().profile},
          {"score", or_null(score_of(view))},
          {"class", report ? or_null(report->class_name) : Json()},
          {"band", band_of(view)},
          {"risk", report ? or_null(report->risk) : Json()},
          {"coverage", report ? Json(report->coverage) : Json()},
          {"scored_at", report ? Json(format_rfc3339(moment(report->at))) : Json()},
          {"note", why_no_score(view)},
          {"dimensions", std::move(dimensions)},
          {"critical", report ? Json(report->critical) : Json::array()},
          {"peers_median", or_null(peers_median(fleet, board))}};
}

Json gpu_metrics(const fleet::Board& board, TimeRange range, std::chrono::milliseconds interval, const std::vector<MetricColumn>& columns,
                 Timestamp as_of) {
  const Grid grid(range, interval);
  Json series = Json::object();
  for (const auto& c : columns) series[c.name] = column_json(c, grid);
  return {{"as_of", format_rfc3339(as_of)},
          {"gpu", id_of(board)},
          {"start", format_rfc3339(range.from)},
          {"end", format_rfc3339(range.to)},
          {"interval_s", number_of_seconds(interval)},
          {"t", grid.times()},
          {"series", std::move(series)}};
}

const std::vector<std::string>& default_metrics() {
  static const std::vector<std::string> names = {
      "DCGM_FI_DEV_GPU_TEMP",
      "DCGM_FI_DEV_MEMORY_TEMP",
      "DCGM_FI_DEV_POWER_USAGE",
      "DCGM_FI_DEV_SM_CLOCK",
      "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL",
      "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS",
      "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS",
      "DCGM_FI_DEV_GPU_UTIL",
  };
  return names;
}

}  // namespace ghm::views
