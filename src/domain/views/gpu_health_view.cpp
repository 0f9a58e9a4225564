// GET gpus/{id}/health: the waterfall from 100 down, each point with its reason, its unit and where to look.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "domain/health/rules.h"
#include "domain/views/board_facts.h"
#include "domain/views/gpu_health_view.h"
#include "domain/views/links.h"
#include "domain/views/rule_facts.h"

namespace ghm::views {
namespace {

Timestamp moment(double unix_seconds) {
  return from_unix_ms(std::llround(unix_seconds * 1000));
}

/// Scores of the other boards of its model, whole and by dimension.
struct Peers {
  std::vector<double> overall;
  std::map<std::string_view, std::vector<double>> dimensions;

  Peers(const FleetSnapshot& fleet, std::size_t board) {
    const auto& model = fleet.boards[board].board.model;
    for (std::size_t i = 0; i < fleet.boards.size() && !model.empty(); ++i) {
      const auto& view = fleet.boards[i];
      if (i == board || !view.board.in_service || view.board.model != model || !view.health) continue;
      if (view.health->overall) overall.push_back(*view.health->overall);
      for (const auto& d : view.health->dimensions)
        if (d.score) dimensions[d.name].push_back(*d.score);
    }
  }
  Json median(std::string_view dimension) const {
    const auto found = dimensions.find(dimension);
    return found == dimensions.end() ? Json() : or_null(percentile(found->second, 50));
  }
};

bool is_cap(const health::Profile& profile, std::string_view rule) {
  for (const auto& scorer : profile.scorers)
    for (const auto& r : scorer.rules)
      if (r.name == rule) return r.effect == health::Effect::cap;
  return false;
}

// Findings stand in the order in which they were taken, so what is left after a cap that took something is its level.
Json cap_of(const health::Dimension& d, std::string_view profile_name) {
  const auto* profile = health::find_profile(profile_name);
  Json cap;
  double left = 100;
  for (const auto& f : d.findings) {
    left -= f.lost;
    if (f.lost > 0 && profile && is_cap(*profile, f.rule)) cap = {{"rule", f.rule}, {"level", left}};
  }
  return cap;
}

struct Context {
  const fleet::Board& board;
  const health::Report& report;
  const Peers& peers;
};

Json finding_json(const health::Finding& f, double share, const Context& c) {
  return {{"rule", f.rule},
          {"lost", f.lost},
          {"lost_overall", share * f.lost},
          {"value", f.value},
          {"reference", f.reference},
          {"unit", or_null(unit_of(f))},
          {"window", or_null(facts_of(f.rule).window)},
          {"at", format_rfc3339(moment(f.at))},
          {"text", health::sentence(f)},
          {"critical", is_critical(c.report, f.rule)},
          {"evidence", evidence_link(c.board, f)}};
}

Json why_not_available(const health::Dimension& d) {
  if (d.score) return nullptr;
  return fmt::format("needs readings for 60 % of their window; too few of {}", fmt::join(d.missing, ", "));
}

Json dimension_json(const health::Dimension& d, const Context& c) {
  const bool counts = d.score && c.report.overall;
  const double share = counts ? share_of(d, c.report) : 0;
  Json findings = Json::array();
  for (const auto& f : d.findings) findings.push_back(finding_json(f, share, c));
  return {{"name", d.name},
          {"weight", d.weight_percent / 100.0},
          {"score", or_null(d.score)},
          {"lost", counts ? Json(share * (100 - *d.score)) : Json()},
          {"band", band_of_score(d.score)},
          {"peers_median", c.peers.median(d.name)},
          {"coverage", d.coverage},
          {"available", d.score.has_value()},
          {"cap", cap_of(d, c.report.profile)},
          {"note", why_not_available(d)},
          {"findings", std::move(findings)}};
}

Json why_no_score(const health::Report* report) {
  if (report == nullptr) return "not scored yet";
  if (report->overall) return nullptr;
  return fmt::format("not enough data: coverage {:.0f} %, a score needs 50 %", report->coverage * 100);
}

}  // namespace

Json gpu_health_of(const FleetSnapshot& fleet, std::size_t board, const health::Report* report) {
  const auto& view = fleet.boards[board];
  const Peers peers(fleet, board);
  Json dimensions = Json::array();
  if (report)
    for (const auto& d : report->dimensions) dimensions.push_back(dimension_json(d, {view.board, *report, peers}));
  const auto score = report ? report->overall : std::nullopt;
  return {{"as_of", format_rfc3339(fleet.as_of)},
          {"profile", report ? std::string_view(report->profile) : health::name_of(health::default_profile())},
          {"fault_catalogue", report ? or_null(report->codes) : Json()},
          {"score", or_null(score)},
          {"class", report ? or_null(report->class_name) : Json()},
          {"band", view.board.in_service ? band_of_score(score) : "out_of_service"},
          {"risk", report ? or_null(report->risk) : Json()},
          {"trend_7d", report ? or_null(report->trend_7d) : Json()},
          {"trend_30d", report ? or_null(report->trend_30d) : Json()},
          {"coverage", report ? Json(report->coverage) : Json()},
          {"scored_at", report ? Json(format_rfc3339(moment(report->at))) : Json()},
          {"note", why_no_score(report)},
          {"dimensions", std::move(dimensions)},
          {"critical", report ? Json(report->critical) : Json::array()},
          {"peers_median", or_null(percentile(peers.overall, 50))}};
}

Json gpu_health(const FleetSnapshot& fleet, std::size_t board) {
  return gpu_health_of(fleet, board, fleet.boards[board].health.get());
}

Json gpu_health_at(const FleetSnapshot& fleet, std::size_t board, const PastScore& past) {
  auto out = gpu_health_of(fleet, board, past.report ? &*past.report : nullptr);
  out["at"] = format_rfc3339(past.at);
  out["kept_score"] = or_null(past.kept);
  out["readings"] = past.readings;
  if (!past.report) out["note"] = past.note;
  return out;
}

}  // namespace ghm::views
