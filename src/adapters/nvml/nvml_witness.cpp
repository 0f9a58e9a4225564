#include "adapters/nvml/nvml_witness.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::nvml {
namespace {

constexpr std::size_t kMostHeard = 64;

bool is_same(const transport::GpuName& a, const transport::GpuName& b) {
  if (!a.uuid.empty() && !b.uuid.empty()) return a.uuid == b.uuid;
  if (!a.serial.empty() && !b.serial.empty()) return a.serial == b.serial;
  const auto pci = telemetry::normalise_pci_bus_id(a.pci_bus_id);
  return !pci.empty() && pci == telemetry::normalise_pci_bus_id(b.pci_bus_id);
}

void fill(std::string& known, const std::string& said) {
  if (!said.empty()) known = said;
}

std::string name_of(const Value& v) {
  const auto* spec = telemetry::MetricCatalogue::built_in().find(v.metric);
  auto name = spec ? spec->name : fmt::format("field {}", static_cast<unsigned>(v.metric));
  return v.entity == telemetry::Entity{} ? name : name + "@" + telemetry::to_string(v.entity);
}

}  // namespace

std::string status_text(abi::Code status) {
  switch (status) {
    case abi::kSuccess: return "answers";
    case abi::kGpuIsLost: return "NVML says that the GPU is lost";
    case abi::kResetRequired: return "NVML says that the GPU needs a reset";
    case kSkipped: return "left alone, for a call on it hung before";
    default: return fmt::format("NVML answers with code {}", status);
  }
}

// A GPU that is lost no longer says its name: what is known of that index fills it.
void NvmlWitness::note(const ReadRound& round, Timestamp now) {
  for (const auto& b : round.boards) {
    transport::GpuName name{b.uuid, b.serial, b.pci_bus_id};
    const auto by_name = [&](const Heard& h) { return is_same(h.name, name) || (name.is_host() && h.index == b.index); };
    auto known = std::ranges::find_if(heard_, by_name);
    if (known == heard_.end()) {
      if (heard_.size() >= kMostHeard) continue;
      known = heard_.insert(known, Heard{});
    }
    fill(known->name.uuid, b.uuid);
    fill(known->name.serial, b.serial);
    fill(known->name.pci_bus_id, b.pci_bus_id);
    known->index = b.index;
    known->status = b.status;
    known->errors = b.errors;
    known->not_permitted = b.not_permitted;
    known->at = now;
    known->in_look = wanted_;
    if (wanted_) known->values = b.values;
  }
  looked_ = wanted_;
}

void NvmlWitness::want() {
  forget_values();
  wanted_ = true;
}

void NvmlWitness::forget_values() {
  wanted_ = looked_ = false;
  for (auto& h : heard_) h.in_look = false, h.values = {};
}

const NvmlWitness::Heard* NvmlWitness::find(const transport::GpuName& gpu) const {
  const auto found = std::ranges::find_if(heard_, [&](const Heard& h) { return is_same(h.name, gpu); });
  return found == heard_.end() ? nullptr : &*found;
}

transport::Testimony NvmlWitness::of(const transport::GpuName& gpu) const {
  transport::Testimony out;
  const auto* h = find(gpu);
  if (h == nullptr) {
    out.missing = "NVML has not named this GPU since the agent was started";
    return out;
  }
  out.facts = {{"index", std::to_string(h->index)}, {"state", status_text(h->status)}, {"state_at", format_rfc3339(h->at)}};
  if (h->errors > 0) out.facts["failed_calls"] = std::to_string(h->errors);
  if (h->not_permitted > 0) out.facts["calls_not_permitted"] = std::to_string(h->not_permitted);
  if (h->status != abi::kSuccess) out.missing = status_text(h->status);
  return out;
}

transport::Testimony NvmlWitness::looked_at(const transport::GpuName& gpu) const {
  auto out = of(gpu);
  const auto* h = find(gpu);
  if (h == nullptr) return out;
  if (!h->in_look && out.missing.empty()) out.missing = "the round that was begun at the fault broke off before NVML got to this GPU";
  for (const auto& v : h->values) out.facts[name_of(v)] = fmt::format("{}", v.value);
  return out;
}

}  // namespace ghm::nvml
