#include "adapters/dcgm_exporter/row_meaning.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/decimal.h"
#include "core/utf8.h"

namespace ghm::dcgm_exporter {
namespace {

using telemetry::Entity;
using telemetry::GpuIdentity;
using telemetry::MetricId;

constexpr MetricId kNameField{50}, kUuidField{54}, kPciField{57};
// One row can stand for one of these at most: a GPU's health watch, its peer. They tell event-like rows apart but are
// not among the labels that readings carry.
constexpr std::array<std::string_view, 3> kApartOnly{"health_watch", "health_error_code", "peer_gpu"};
constexpr std::array<std::string_view, 4> kEventLabels{"err_code", "xid", "clock_event", "window_size_in_ms"};
constexpr unsigned kMostSwitches = 256, kMostLinks = 256;

const std::string* find(std::span<const Label> labels, std::string_view name) {
  const auto it = std::ranges::find(labels, name, &Label::name);
  return it == labels.end() ? nullptr : &it->value;
}

// "4", "nvswitch4", "nvidia4": the number at the end, if there is nothing but `word` before it.
std::optional<std::uint16_t> number_after(std::string_view word, std::string_view text) {
  if (text.starts_with(word)) text.remove_prefix(word.size());
  std::uint16_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<std::uint16_t> number_of(std::span<const Label> labels, std::string_view name, std::string_view word = {}) {
  const auto* text = find(labels, name);
  return text ? number_after(word, *text) : std::nullopt;
}

bool has_uuid_prefix(std::string_view text) {
  return text.starts_with("GPU-") || text.starts_with("MIG-");
}

// Exporters print what the driver says, which is not always UTF-8; what the ledger keeps for life must be.
// Of two labels that say the same thing differently the smaller counts: their order on the line must not matter.
void note(std::string& field, std::string_view said) {
  if (says_nothing(said)) return;
  auto text = to_utf8(said);
  if (field.empty() || text < field) field = std::move(text);
}

void note_field(GpuIdentity& id, MetricId field, std::string_view text) {
  if (field == telemetry::field::serial) note(id.serial, text);
  if (field == telemetry::field::driver_version) note(id.driver_version, text);
  if (field == telemetry::field::vbios_version) note(id.vbios_version, text);
  if (field == kNameField) note(id.model, text);
  if (field == kUuidField && has_uuid_prefix(text)) note(id.uuid, text);
  if (field == kPciField) note(id.pci_bus_id, telemetry::normalise_pci_bus_id(text));
}

void note_label(GpuIdentity& id, const Label& label, const telemetry::MetricCatalogue& catalogue) {
  const auto& [name, value] = label;
  if ((name == "UUID" || name == "uuid" || name == "gpu_uuid") && has_uuid_prefix(value)) note(id.uuid, value);
  else if (name == "pci_bus_id") note(id.pci_bus_id, telemetry::normalise_pci_bus_id(value));
  else if (name == "modelName" || name == "model_name") note(id.model, value);
  else if (name == "Hostname" || name == "hostname") note(id.hostname, value);
  else if (const auto* field = catalogue.spelling(name)) note_field(id, field->id, value);
}

GpuIdentity identity(std::span<const Label> labels, const telemetry::MetricCatalogue& catalogue) {
  GpuIdentity id;
  for (const auto& label : labels) note_label(id, label, catalogue);
  auto index = number_of(labels, "gpu");
  if (!index) index = number_of(labels, "device", "nvidia");
  if (index) id.index = *index;
  return id;
}

// The n of NAME_Ln and NAME_Ln_TX_BYTES: before DCGM had link entities, each link was a field of its own.
std::optional<std::uint16_t> link_of_name(std::string_view name) {
  const auto at = name.rfind("_L");
  if (at == name.npos) return std::nullopt;
  const auto tail = name.substr(at + 2);
  return number_after({}, tail.substr(0, std::min(tail.find('_'), tail.size())));
}

std::optional<Entity> gpu_entity(std::span<const Label> labels, const telemetry::MetricSpec& spec, std::string_view printed_name) {
  if (find(labels, "nvlink")) {
    const auto link = number_of(labels, "nvlink");
    return link ? std::optional(Entity{Entity::Kind::nvlink, *link}) : std::nullopt;
  }
  if (spec.entity == Entity::Kind::nvlink)
    if (const auto link = link_of_name(printed_name)) return Entity{Entity::Kind::nvlink, *link};
  if (spec.per_instance)
    if (const auto instance = number_of(labels, "GPU_I_ID")) return Entity{Entity::Kind::mig, *instance};
  return Entity{};
}

std::optional<Entity> switch_entity(std::span<const Label> labels) {
  const auto number = number_of(labels, "nvswitch", "nvswitch");
  if (!number) return std::nullopt;
  if (!find(labels, "nvlink")) return Entity{Entity::Kind::nvswitch, *number};
  const auto link = number_of(labels, "nvlink");
  if (!link || *number >= kMostSwitches || *link >= kMostLinks) return std::nullopt;
  return Entity{Entity::Kind::switch_link, static_cast<std::uint16_t>(*number * kMostLinks + *link)};
}

std::optional<Entity> host_entity(std::span<const Label> labels, const telemetry::MetricSpec& spec) {
  if (const auto core = number_of(labels, "cpucore")) return Entity{Entity::Kind::cpu_core, *core};
  if (const auto cpu = number_of(labels, "cpu")) return Entity{Entity::Kind::cpu, *cpu};
  if (find(labels, "nvswitch")) return switch_entity(labels);
  if (spec.entity == Entity::Kind::node) return Entity{Entity::Kind::node, 0};
  return std::nullopt;
}

void place(RowMeaning& row, std::span<const Label> labels, const telemetry::MetricSpec& spec) {
  // A node's field is printed under each GPU's labels, the same value each time: it is the host's.
  row.of_gpu = names_gpu(row.says) && spec.entity != Entity::Kind::node;
  const auto entity = row.of_gpu ? gpu_entity(labels, spec, row.spelling->name) : host_entity(labels, spec);
  row.kind = entity ? RowKind::reading : RowKind::nobody;
  if (entity) row.entity = *entity;
}

void keep_label(RowMeaning& row, std::span<const Label> labels, std::string_view name) {
  if (const auto* value = find(labels, name); value && !says_nothing(*value)) row.labels.emplace(name, *value);
}

void keep_labels(RowMeaning& row, std::span<const Label> labels) {
  if (row.entity.kind == Entity::Kind::nvlink || row.entity.kind == Entity::Kind::switch_link) keep_label(row, labels, "nvlink");
  for (const auto name : kEventLabels) keep_label(row, labels, name);
  for (const auto& [name, value] : row.labels) ((row.apart += name) += '=').append(value) += '\n';
  if (row.event_like)
    for (const auto name : kApartOnly)
      if (const auto* value = find(labels, name)) ((row.apart += name) += '=').append(*value) += '\n';
  if (row.entity.kind != Entity::Kind::mig) return;  // a card's value repeats for each instance: it is none of theirs
  keep_label(row, labels, "GPU_I_ID");
  keep_label(row, labels, "GPU_I_PROFILE");
}

// Scraped by Prometheus without honor_labels, the exporter's own labels are the exported_ ones, and the plain ones name
// the exporter's pod.
std::string attribute(std::span<const Label> labels, const std::string& name) {
  for (const auto& spelling : {"exported_" + name, name == "pod" ? "pod_name" : "pod_" + name, name + "_name", name})
    if (const auto* value = find(labels, spelling); value && !says_nothing(*value)) return *value;
  return {};
}

std::string pod_of(std::span<const Label> labels) {
  auto pod = attribute(labels, "pod");
  if (pod.empty()) return pod;
  if (const auto space = attribute(labels, "namespace"); !space.empty()) pod = space + "/" + pod;
  if (const auto container = attribute(labels, "container"); !container.empty()) pod += "/" + container;
  return pod;
}

}  // namespace

bool says_nothing(std::string_view text) {
  return text.empty() || (text.starts_with("<<<") && text.ends_with(">>>"));
}

bool names_gpu(const GpuIdentity& id) {
  return !id.uuid.empty() || !id.pci_bus_id.empty() || id.index >= 0;
}

RowMeaning describe(const ParsedPrefix& prefix, const telemetry::MetricCatalogue& catalogue) {
  RowMeaning row;
  row.spelling = catalogue.spelling(prefix.name);
  if (!row.spelling) {
    row.kind = prefix.name.empty() ? RowKind::broken : RowKind::unknown_family;
    return row;
  }
  row.says = identity(prefix.labels, catalogue);
  const auto& spec = *catalogue.find(row.spelling->id);
  row.event_like = spec.event_like;
  if (spec.kind == telemetry::MetricKind::label) row.kind = RowKind::label;
  else place(row, prefix.labels, spec);
  if (!prefix.whole) row.kind = RowKind::broken;
  if (row.kind != RowKind::reading) return row;
  keep_labels(row, prefix.labels);
  if (row.of_gpu) {
    row.pod = pod_of(prefix.labels);
    row.job = attribute(prefix.labels, "hpc_job");
  }
  return row;
}

void note_label_value(RowMeaning& row, std::string_view value) {
  // 0 and 1 are what an exporter prints for a field it shows as a label elsewhere.
  if (value != "0" && value != "1") note_field(row.says, row.spelling->id, value);
}

}  // namespace ghm::dcgm_exporter
