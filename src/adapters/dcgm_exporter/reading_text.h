#pragma once
#include <fmt/format.h>

#include <string>

#include "domain/telemetry/page.h"

/// A reading as text, every bit of every value in it: what tests compare, and what golden files hold.
namespace ghm::dcgm_exporter {

inline std::string text_of(const telemetry::GpuIdentity& g) {
  return fmt::format("index={} uuid={} pci={} model={} host={} serial={} driver={} vbios={}", g.index, g.uuid, g.pci_bus_id, g.model,
                     g.hostname, g.serial, g.driver_version, g.vbios_version);
}

inline std::string column_text(const telemetry::PageReading& r, std::uint32_t column) {
  const auto& s = r.layout->table->series[column];
  auto out = fmt::format("gpu{} {} {}{}", s.gpu, to_string(s.entity), static_cast<int>(s.metric), s.event_like ? " event" : "");
  if (const auto it = r.layout->table->labels.find(column); it != r.layout->table->labels.end())
    for (const auto& [name, value] : it->second) out += fmt::format(" {}={}", name, value);
  const double v = r.values[column];
  out += telemetry::is_absent(v) ? " = absent" : fmt::format(" = {}", v);
  if (const auto it = r.stamps.find(column); it != r.stamps.end()) out += fmt::format(" @{}", to_unix_ms(it->second));
  return out;
}

inline std::string text_of(const telemetry::Refusal& r) {
  return fmt::format("{} {} {} {} \"{}\"", r.gpu ? fmt::format("gpu{}", *r.gpu) : "gpu?", to_string(r.entity), static_cast<int>(r.metric),
                     to_string(r.reason), r.value);
}

inline std::string text_of(const telemetry::PageReading& r) {
  std::string out;
  for (const auto& g : r.layout->gpus) out += "gpu: " + text_of(g) + '\n';
  for (std::uint32_t i = 0; i < r.values.size(); ++i) out += column_text(r, i) + '\n';
  for (const auto& refusal : r.refused) out += "refused: " + text_of(refusal) + '\n';
  return out + fmt::format("unknown {} repeated {}\n", r.unknown_lines, r.repeated_lines);
}

}  // namespace ghm::dcgm_exporter
