#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/telemetry/page.h"

namespace ghm::views {

/// `ghm read --json`: {"readings":[{"gpu","metric","value","unit","labels"}],"refused":[{"gpu","metric","value","reason"}]}.
/// `metric` is canonical, `value` in its unit. `gpu` is the UUID, else the PCI bus id, else "index:N"; null for node,
/// switch and CPU rows. O(columns).
nlohmann::ordered_json page_json(const telemetry::PageReading& reading, const telemetry::MetricCatalogue& metrics);

/// A GPU as the page names it: its UUID, else PCI bus id, else "index:N".
std::string name_of(const telemetry::GpuIdentity& gpu);

/// The same for a person: a table of readings, then what was refused and why, then the counts.
std::string page_text(const telemetry::PageReading& reading, const telemetry::MetricCatalogue& metrics);

}  // namespace ghm::views
