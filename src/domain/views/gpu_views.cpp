#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/views/board_facts.h"
#include "domain/views/json_views.h"

namespace ghm::views {
namespace {

using telemetry::MetricCatalogue;

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

Json peers_json(const PeerBand& band, const Grid& grid) {
  std::vector<Json> p10(grid.points), p50(grid.points), p90(grid.points);
  for (const auto& at : band.points)
    if (const auto i = grid.index(at.from)) {
      p10[*i] = at.p10;
      p50[*i] = at.p50;
      p90[*i] = at.p90;
    }
  return {{"of", band.host + band.rack + band.fleet},
          {"from", {{"host", band.host}, {"rack", band.rack}, {"fleet", band.fleet}}},
          {"under_load", band.under_load},
          {"figure", band.increases ? "increase" : "avg"},
          {"p10", std::move(p10)},
          {"p50", std::move(p50)},
          {"p90", std::move(p90)}};
}

Json column_json(const MetricColumn& column, const Grid& grid) {
  Figures figures(grid.points);
  for (const auto& b : column.buckets)
    if (const auto i = grid.index(b.from); i && b.count > 0) figures.put(*i, b);
  auto out = std::move(figures).json(column.unit, column.counter);
  if (column.peers) out["peers"] = peers_json(*column.peers, grid);
  return out;
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
