#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "adapters/dcgm_exporter/line_grammar.h"
#include "domain/telemetry/metric_catalogue.h"
#include "domain/telemetry/page.h"

/// What a sample line is about, told by its name and labels alone: never by its value, and never by other lines.
namespace ghm::dcgm_exporter {

enum class RowKind : std::uint8_t {
  unknown_family,  // not in the catalogue: ignored and counted
  broken,          // a strict parser rejects the line: refused
  label,           // a label-type field printed as a sample: says something of the GPU, is no reading
  nobody,          // a reading whose GPU, link or switch cannot be told: refused
  reading,
};

struct RowMeaning {
  RowKind kind{};
  const telemetry::Spelling* spelling = nullptr;  // null only for unknown families and nameless lines
  telemetry::GpuIdentity says;                    // what the labels say of the GPU
  bool of_gpu = false;                            // false: the host's own (node, switch, CPU)
  telemetry::Entity entity;
  bool event_like = false;
  telemetry::LabelMap labels;  // those that readings carry to the outside
  std::string pod, job;        // what runs there, as the labels say; "namespace/pod/container"
  std::string apart;           // all that tells this row from others of the same entity and metric
};

/// Whether `id` names a GPU at all: by UUID, PCI address or index.
bool names_gpu(const telemetry::GpuIdentity& id);

/// O(labels). `prefix` as parse_prefix cut it.
RowMeaning describe(const ParsedPrefix& prefix, const telemetry::MetricCatalogue& catalogue);

/// What a label-type row's value says of its GPU: serial, driver, VBIOS, model.
void note_label_value(RowMeaning& row, std::string_view value);

/// DCGM's blank strings and empty text say nothing.
bool says_nothing(std::string_view text);

}  // namespace ghm::dcgm_exporter
