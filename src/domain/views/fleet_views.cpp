#include <algorithm>
#include <map>
#include <tuple>

#include "domain/views/board_facts.h"
#include "domain/views/headline.h"
#include "domain/views/json_views.h"

namespace ghm::views {
namespace {

Json zeros(std::initializer_list<const char*> names) {
  Json counts = Json::object();
  for (const auto* n : names) counts[n] = 0;
  return counts;
}

void count_one(Json& counts, const std::string& name) {
  counts[name] = counts[name].get<std::size_t>() + 1;
}

std::string or_else(const std::string& text, const char* otherwise) {
  return text.empty() ? otherwise : text;
}

// One walk over the boards gathers all that the summary says.
struct Tally {
  FleetFigures figures;
  bool simulated = false;
  std::vector<double> scores;
  double coverage_sum = 0;
  std::size_t reports = 0;
  Json classes = zeros({"excellent", "good", "fair", "degraded", "poor", "critical", "failed", "not_available"});
  Json bands = zeros({"healthy", "watch", "degraded", "critical", "out_of_service", "no_data"});
  Json risk = zeros({"low", "medium", "high", "critical", "unknown"});

  explicit Tally(const FleetSnapshot& fleet) {
    for (const auto& b : fleet.boards) add(b);
    figures.hosts = fleet.hosts.size();
    figures.silent_hosts = static_cast<std::size_t>(std::ranges::count_if(fleet.hosts, &HostView::silent));
  }

  void add(const BoardView& b) {
    simulated |= b.board.simulated;
    count_one(bands, band_of(b));
    if (!b.board.in_service) return;
    ++figures.gpus;
    figures.silent_gpus += b.silent ? 1 : 0;
    count_one(classes, or_else(b.health ? b.health->class_name : "", "not_available"));
    count_one(risk, or_else(b.health ? b.health->risk : "", "unknown"));
    if (b.health) add_report(*b.health);
  }

  void add_report(const health::Report& r) {
    ++reports;
    coverage_sum += r.coverage;
    if (r.overall) scores.push_back(*r.overall);
    figures.scored = scores.size();
    if (r.risk == "critical") ++figures.need_action;
    else if (r.overall && *r.overall < 70) ++figures.below_70;
  }

  std::optional<double> mean_coverage() const {
    if (reports == 0) return std::nullopt;
    return coverage_sum / static_cast<double>(reports);
  }
  std::optional<double> mean_score() const {
    if (scores.empty()) return std::nullopt;
    double sum = 0;
    for (const double s : scores) sum += s;
    return sum / static_cast<double>(scores.size());
  }
};

// One host's slots in the layout.
struct Row {
  std::string_view region, datacenter, rack, host;
  bool silent = false;
  Json slots = Json::array();
  auto place() const { return std::tie(region, datacenter, rack, host); }
};

std::map<std::string_view, bool> silent_hosts(const FleetSnapshot& fleet) {
  std::map<std::string_view, bool> silent;
  for (const auto& h : fleet.hosts) silent[h.host.name] = h.silent;
  return silent;
}

// Boards in their own order, so that the n-th slot of the layout is the n-th cell; hosts without a board where they stand.
std::vector<Row> layout_rows(const FleetSnapshot& fleet) {
  std::vector<Row> rows;
  auto silent = silent_hosts(fleet);
  for (const auto& v : fleet.boards) {
    const auto& b = v.board;
    Row row{b.place.region, b.place.datacenter, b.place.rack, b.host, silent[b.host]};
    if (rows.empty() || rows.back().place() != row.place()) rows.push_back(std::move(row));
    rows.back().slots.push_back(id_of(b));
  }
  for (const auto& h : fleet.hosts)
    if (h.boards.empty()) rows.push_back({h.host.place.region, h.host.place.datacenter, h.host.place.rack, h.host.name, h.silent});
  std::ranges::stable_sort(rows, [](const Row& a, const Row& b) { return a.place() < b.place(); });
  return rows;
}

}  // namespace

Json fleet_summary(const FleetSnapshot& fleet) {
  Tally t(fleet);
  const auto& f = t.figures;
  const auto index = t.mean_score();
  return {{"as_of", format_rfc3339(fleet.as_of)},
          {"simulated", t.simulated},
          {"total_gpus", f.gpus},
          {"reporting_gpus", f.gpus - f.silent_gpus},
          {"hosts", f.hosts},
          {"silent_hosts", f.silent_hosts},
          {"coverage", or_null(t.mean_coverage())},
          {"index", or_null(index)},
          {"median", or_null(percentile(t.scores, 50))},
          {"worst5", or_null(percentile(t.scores, 5))},
          {"classes", t.classes},
          {"bands", t.bands},
          {"risk", t.risk},
          {"need_action", f.need_action},
          {"headline", headline(f)},
          {"headline_detail", or_null(headline_detail(f, fleet))},
          {"ingest",
           {{"scrapes_ok", fleet.scrapes_ok},
            {"scrapes_failed", fleet.scrapes_failed},
            {"accepted_values", fleet.accepted},
            {"refused_values", fleet.refused}}}};
}

Json fleet_layout(const FleetSnapshot& fleet) {
  Json sites = Json::array();
  const Row* last = nullptr;
  const auto rows = layout_rows(fleet);
  for (const auto& r : rows) {
    const bool new_site = !last || std::tie(last->region, last->datacenter) != std::tie(r.region, r.datacenter);
    if (new_site) sites.push_back({{"name", r.datacenter}, {"region", r.region}, {"racks", Json::array()}});
    auto& racks = sites.back()["racks"];
    if (new_site || last->rack != r.rack) racks.push_back({{"name", r.rack}, {"hosts", Json::array()}});
    racks.back()["hosts"].push_back({{"name", r.host}, {"silent", r.silent}, {"slots", r.slots}});
    last = &r;
  }
  return {{"as_of", format_rfc3339(fleet.as_of)}, {"layout_version", layout_version(fleet)}, {"sites", std::move(sites)}};
}

}  // namespace ghm::views
