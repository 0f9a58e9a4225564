#include "adapters/host_facts/pci_gpu.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/telemetry/identity.h"

namespace ghm::host_facts {
namespace {

namespace fs = std::filesystem;
using transport::AgentEvent;
using transport::GpuName;

constexpr std::size_t kMostGpus = 64;
constexpr std::array<const char*, 3> kErrorFiles = {"aer_dev_correctable", "aer_dev_nonfatal", "aer_dev_fatal"};
constexpr std::array<const char*, 3> kErrorWords = {"correctable", "nonfatal", "fatal"};

AgentEvent event(const char* kind, const GpuName& gpu, std::string text, Timestamp now) {
  AgentEvent e;
  e.at = now;
  e.kind = kind;
  e.gpu = gpu;
  e.text = std::move(text);
  e.fields["witness"] = "pci";
  return e;
}

bool is_gpu(const fs::path& device) {
  const auto vendor = read_small(device / "vendor", 16), kind = read_small(device / "class", 16);
  if (!vendor || !kind) return false;
  return vendor->starts_with("0x10de") && (kind->starts_with("0x0300") || kind->starts_with("0x0302"));
}

std::string grown(const AerCounts& before, const AerCounts& now) {
  std::string text;
  for (const auto& [name, count] : now.by_name) {
    const auto found = before.by_name.find(name);
    const auto old = found == before.by_name.end() ? 0 : found->second;
    if (count > old) text += fmt::format("{}{} +{}", text.empty() ? "" : ", ", name, count - old);
  }
  return text;
}

}  // namespace

bool PciGpu::answers() {
  const auto head = config_.read(4);
  return !head || head->size() < 4 || *head != "\xff\xff\xff\xff";
}

PciLink PciGpu::look(Timestamp now, const GpuName& name, std::vector<AgentEvent>& out) {
  const bool silent = !answers();
  if (silent != std::exchange(silent_, silent))
    out.push_back(silent ? event("pcie_no_answer", name, "the GPU's PCI configuration space reads as all ones: it is off the bus", now)
                         : event("pcie_answers", name, "the GPU answers on the PCI bus again", now));
  if (silent) return {};
  PciLink link;
  if (const auto text = speed_.read(64)) link.generation = pcie_generation(*text);
  if (const auto text = width_.read(64)) link.width = pcie_lanes(*text);
  if (!max_generation_)
    if (const auto text = read_small(folder_ / "max_link_speed", 64)) max_generation_ = pcie_generation(*text);
  if (!max_width_)
    if (const auto text = read_small(folder_ / "max_link_width", 64)) max_width_ = pcie_lanes(*text);
  link.max_generation = max_generation_, link.max_width = max_width_;
  if (!link.width || !link.max_width) return link;
  const bool narrow = *link.width < *link.max_width;
  if (narrow != std::exchange(narrow_, narrow)) {
    auto e = event(narrow ? "pcie_width_reduced" : "pcie_width_restored", name,
                   fmt::format("the GPU's PCIe link has {} of {} lanes", *link.width, *link.max_width), now);
    e.fields["width"] = std::to_string(*link.width);
    e.fields["max_width"] = std::to_string(*link.max_width);
    out.push_back(std::move(e));
  }
  return link;
}

void PciGpu::look_at_errors(Timestamp now, const GpuName& name, std::vector<AgentEvent>& out) {
  if (silent_) return;
  for (std::size_t i = 0; i < kErrorFiles.size(); ++i) {
    const auto text = read_small(folder_ / kErrorFiles[i]);
    if (!text) continue;  // kernels without AER
    auto counts = read_aer(*text);
    const auto before = std::exchange(errors_[i], counts);
    // The first look is the base line; a fall is a device that was removed and found again.
    if (!before || counts.total <= before->total) continue;
    auto e = event("pcie_aer", name,
                   fmt::format("{} {} PCIe errors: {}", counts.total - before->total, kErrorWords[i], grown(*before, counts)), now);
    e.text.resize(std::min(e.text.size(), transport::kLongestEventText));
    e.fields["severity"] = kErrorWords[i];
    e.fields["more"] = std::to_string(counts.total - before->total);
    e.fields["total"] = std::to_string(counts.total);
    out.push_back(std::move(e));
  }
}

std::vector<PciGpu> find_gpus(const fs::path& root) {
  std::vector<PciGpu> all;
  std::error_code error;
  for (fs::directory_iterator at(root / "sys/bus/pci/devices", error), end; !error && at != end && all.size() < kMostGpus;
       at.increment(error)) {
    const auto address = telemetry::normalise_pci_bus_id(at->path().filename().string());
    if (!address.empty() && is_gpu(at->path())) all.emplace_back(at->path(), address);
  }
  std::ranges::sort(all, {}, &PciGpu::address);
  return all;
}

}  // namespace ghm::host_facts
