#include "core/csv.h"
#include "core/embedded.h"
#include "domain/faults/catalogue.h"
#include "domain/health/health.h"
#include "domain/telemetry/metric_catalogue.h"
#include "domain/telemetry/page.h"
#include "domain/views/board_facts.h"
#include "domain/views/json_views.h"

namespace ghm::views {
namespace {

using telemetry::MetricCatalogue;
using telemetry::MetricKind;

std::string_view word(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter: return "counter";
    case MetricKind::info: return "info";
    case MetricKind::label: return "label";
    case MetricKind::gauge: break;
  }
  return "gauge";
}

Json bands() {
  return {{{"name", "healthy"}, {"from", 80}, {"to", 100}},
          {{"name", "watch"}, {"from", 70}, {"to", 80}},
          {{"name", "degraded"}, {"from", 50}, {"to", 70}},
          {{"name", "critical"}, {"from", 0}, {"to", 50}}};
}

Json classes() {
  Json out = Json::array();
  for (const int from : {90, 80, 70, 60, 50, 40, 0}) out.push_back({{"name", health::class_of(from)}, {"from", from}});
  return out;
}

Json dimensions_of(const health::Profile& profile) {
  Json out = Json::array();
  for (const auto& d : health::dimensions(profile))
    out.push_back({{"name", d.name}, {"weight", d.weight_percent / 100.0}, {"available", true}});
  return out;
}

Json metrics() {
  Json out = Json::array();
  for (const auto& m : MetricCatalogue::built_in().all())
    out.push_back({{"name", m.name},
                   {"field_id", static_cast<unsigned>(m.id)},
                   {"unit", or_null(m.unit)},
                   {"kind", word(m.kind)},
                   {"meaning", m.meaning},
                   {"used_for", m.used_for}});
  return out;
}

Json reasons() {
  Json out = Json::array();
  for (std::size_t i = 0; i < telemetry::kReasons; ++i) out.push_back(telemetry::to_string(static_cast<telemetry::Reason>(i)));
  return out;
}

// The words of data/event_kinds.csv.
Json event_kinds() {
  const auto table = CsvTable::parse(embedded::file("data/event_kinds.csv"), "data/event_kinds.csv");
  Json out = Json::array();
  for (std::size_t r = 0; table && r < table->size(); ++r)
    out.push_back({{"kind", table->cell(r, "kind")}, {"weight", table->cell(r, "weight")}, {"says", table->cell(r, "says")}});
  return out;
}

Json xids(const faults::FaultCatalogue& codes) {
  Json out = Json::array();
  for (const auto* xid : codes.all(faults::CodeKind::xid))
    out.push_back({{"code", xid->code},
                   {"name", xid->name},
                   {"component", xid->component},
                   {"origin", to_string(xid->origin)},
                   {"severity", to_string(xid->severity)},
                   {"first_action", to_string(xid->first_action)}});
  return out;
}

}  // namespace

Json meta(Timestamp as_of, const health::Profile& profile, const faults::FaultCatalogue& codes) {
  return {{"as_of", format_rfc3339(as_of)},
          {"version", GHM_VERSION},
          {"bands", bands()},
          {"classes", classes()},
          {"profile", health::name_of(profile)},
          {"dimensions", dimensions_of(profile)},
          {"metrics", metrics()},
          {"reasons", reasons()},
          {"severities", {"info", "warning", "error", "critical"}},
          {"event_kinds", event_kinds()},
          {"fault_catalogue", codes.version()},
          {"xids", xids(codes)}};
}

}  // namespace ghm::views
