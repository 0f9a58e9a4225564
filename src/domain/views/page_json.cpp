#include "domain/views/page_json.h"

#include <fmt/format.h>

#include <iterator>

namespace ghm::views {

std::string name_of(const telemetry::GpuIdentity& gpu) {
  if (!gpu.uuid.empty()) return gpu.uuid;
  if (!gpu.pci_bus_id.empty()) return gpu.pci_bus_id;
  return fmt::format("index:{}", gpu.index);
}

namespace {

using Json = nlohmann::ordered_json;

Json gpu_of(const telemetry::PageLayout& layout, int gpu) {
  if (gpu < 0 || static_cast<std::size_t>(gpu) >= layout.gpus.size()) return nullptr;
  return name_of(layout.gpus[static_cast<std::size_t>(gpu)]);
}

Json labels_of(const telemetry::SeriesTable& table, std::uint32_t column) {
  Json out = Json::object();
  if (const auto it = table.labels.find(column); it != table.labels.end())
    for (const auto& [name, value] : it->second) out[name] = value;
  return out;
}

std::string metric_name(const telemetry::MetricCatalogue& metrics, telemetry::MetricId id) {
  const auto* spec = metrics.find(id);
  return spec ? spec->name : "";
}

/// Calls `each(column, series, spec)` for every column that has a value.
template <class F>
void for_each_reading(const telemetry::PageReading& reading, const telemetry::MetricCatalogue& metrics, F each) {
  const auto& series = reading.layout->table->series;
  for (std::uint32_t i = 0; i < series.size(); ++i)
    if (!telemetry::is_absent(reading.values[i]))
      if (const auto* spec = metrics.find(series[i].metric)) each(i, series[i], *spec);
}

}  // namespace

Json page_json(const telemetry::PageReading& reading, const telemetry::MetricCatalogue& metrics) {
  Json readings = Json::array(), refused = Json::array();
  for_each_reading(reading, metrics, [&](std::uint32_t column, const telemetry::PageSeries& s, const telemetry::MetricSpec& spec) {
    readings.push_back({{"gpu", gpu_of(*reading.layout, s.gpu)},
                        {"metric", spec.name},
                        {"value", reading.values[column]},
                        {"unit", spec.unit},
                        {"labels", labels_of(*reading.layout->table, column)}});
  });
  for (const auto& r : reading.refused) {
    const auto name = metric_name(metrics, r.metric);
    refused.push_back({{"gpu", gpu_of(*reading.layout, r.gpu ? *r.gpu : -1)},
                       {"metric", name.empty() ? Json(nullptr) : Json(name)},
                       {"value", r.value},
                       {"reason", telemetry::to_string(r.reason)}});
  }
  return {{"readings", std::move(readings)}, {"refused", std::move(refused)}};
}

std::string page_text(const telemetry::PageReading& reading, const telemetry::MetricCatalogue& metrics) {
  std::string out;
  std::size_t count = 0;
  const auto& layout = *reading.layout;
  const auto who = [&](int gpu) { return gpu < 0 ? std::string("host") : name_of(layout.gpus[static_cast<std::size_t>(gpu)]); };
  for_each_reading(reading, metrics, [&](std::uint32_t column, const telemetry::PageSeries& s, const telemetry::MetricSpec& spec) {
    ++count;
    auto name = spec.name + (s.entity == telemetry::Entity{} ? "" : "@" + to_string(s.entity));
    fmt::format_to(std::back_inserter(out), "{:<44} {:<52} {:>16} {}\n", who(s.gpu), name, reading.values[column], spec.unit);
  });
  for (const auto& r : reading.refused)
    fmt::format_to(std::back_inserter(out), "{:<44} {:<52} {:>16} refused: {}\n", who(r.gpu ? *r.gpu : -1), metric_name(metrics, r.metric),
                   r.value, telemetry::to_string(r.reason));
  fmt::format_to(std::back_inserter(out), "{} GPUs, {} readings, {} refused, {} lines of unknown metrics, {} repeated lines\n",
                 layout.gpus.size(), count, reading.refused.size(), reading.unknown_lines, reading.repeated_lines);
  return out;
}

}  // namespace ghm::views
