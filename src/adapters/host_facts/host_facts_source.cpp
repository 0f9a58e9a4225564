#include "adapters/host_facts/host_facts_source.h"

#include <algorithm>
#include <array>

#include "adapters/host_facts/fault_scene.h"

namespace ghm::host_facts {
namespace {

namespace fs = std::filesystem;
using telemetry::MetricId;
using transport::AgentEvent;

// The columns of each GPU, in the order in which they are written below.
constexpr std::array<MetricId, 4> kColumns = {telemetry::MetricId{237}, telemetry::MetricId{238}, telemetry::MetricId{235},
                                              telemetry::MetricId{236}};

std::string trimmed_line(const fs::path& path) {
  const auto text = read_small(path, 512);
  return text ? text->substr(0, text->find_first_of("\r\n")) : std::string();
}

AgentEvent event(const char* kind, transport::GpuName gpu, const char* text, Timestamp now) {
  AgentEvent e;
  e.at = now;
  e.kind = kind;
  e.gpu = std::move(gpu);
  e.text = text;
  e.fields["witness"] = "pci";
  return e;
}

}  // namespace

HostFactsSource::HostFactsSource(HostFactsConfig config) : config_(std::move(config)) {
  read_firmware();
  read_kernel();
}

void HostFactsSource::read_firmware() {
  const auto dmi = config_.root / "sys/class/dmi/id";
  constexpr std::pair<const char*, const char*> kFacts[] = {
      {"vendor", "sys_vendor"},         {"product", "product_name"},          {"serial", "product_serial"},
      {"board_serial", "board_serial"}, {"chassis_serial", "chassis_serial"}, {"bios", "bios_version"}};
  for (const auto& [fact, file] : kFacts) {
    auto text = read_small(dmi / file, 256);
    if (!text && !config_.credentials.empty()) text = read_small(config_.credentials / file, 256);
    if (text)
      if (auto value = dmi_value(*text); !value.empty()) facts_[fact] = std::move(value);
  }
}

void HostFactsSource::read_kernel() {
  constexpr std::pair<const char*, const char*> kFacts[] = {{"hostname", "proc/sys/kernel/hostname"},
                                                            {"kernel", "proc/sys/kernel/osrelease"},
                                                            {"boot_id", "proc/sys/kernel/random/boot_id"},
                                                            {"machine_id", "etc/machine-id"}};
  for (const auto& [fact, file] : kFacts)
    if (auto value = trimmed_line(config_.root / file); !value.empty()) facts_[fact] = std::move(value);
  constexpr std::size_t kStat = 256 << 10;  // btime stands behind a line per CPU and one of all interrupts
  if (const auto stat = read_small(config_.root / "proc/stat", kStat))
    if (const auto boot = boot_seconds(*stat)) facts_["boot_time"] = format_rfc3339(Timestamp(std::chrono::seconds(*boot)));
}

// A driver can come, go and be exchanged while the agent runs.
void HostFactsSource::read_driver() {
  const auto proc = config_.root / "proc/driver/nvidia";
  const auto version = read_small(proc / "version");
  driver_ = version ? driver_version(*version) : std::string();
  facts_.erase("driver");
  if (!driver_.empty()) facts_["driver"] = driver_;
  identities_.clear();
  for (const auto& gpu : gpus_) {
    const auto text = read_small(proc / "gpus" / gpu.folder().filename() / "information");
    if (!text) continue;
    telemetry::GpuIdentity id;
    id.pci_bus_id = gpu.address();
    const auto uuid = information_value(*text, "GPU UUID"), vbios = information_value(*text, "Video BIOS");
    if (telemetry::is_gpu_uuid(uuid)) id.uuid = uuid;  // a GPU that is not initialised shows '?'
    if (vbios.find('?') == std::string::npos) id.vbios_version = vbios;
    id.model = information_value(*text, "Model");
    id.driver_version = driver_;
    identities_[gpu.address()] = std::move(id);
  }
}

telemetry::GpuIdentity HostFactsSource::identity_of(const PciGpu& gpu) const {
  if (const auto found = identities_.find(gpu.address()); found != identities_.end()) return found->second;
  telemetry::GpuIdentity id;
  id.pci_bus_id = gpu.address();
  return id;
}

transport::GpuName HostFactsSource::name_of(const PciGpu& gpu) const {
  const auto id = identity_of(gpu);
  return {id.uuid, id.serial, id.pci_bus_id};
}

void HostFactsSource::walk_bus(Timestamp now, std::vector<AgentEvent>& out) {
  auto found = find_gpus(config_.root);
  const auto stands_in = [](const std::vector<PciGpu>& list, const PciGpu& gpu) {
    return std::ranges::find(list, gpu.address(), &PciGpu::address) != list.end();
  };
  const bool first = round_ == 0;
  for (const auto& gpu : gpus_)
    if (!stands_in(found, gpu))
      out.push_back(event("pci_gpu_gone", name_of(gpu), "the kernel no longer lists the GPU on the PCI bus", now));
  std::erase_if(gpus_, [&](const PciGpu& gpu) { return !stands_in(found, gpu); });
  for (auto& gpu : found) {
    if (stands_in(gpus_, gpu)) continue;
    if (!first) out.push_back(event("pci_gpu_new", name_of(gpu), "the kernel lists a GPU on the PCI bus that was not there before", now));
    gpus_.push_back(std::move(gpu));
  }
  std::ranges::sort(gpus_, {}, &PciGpu::address);
}

// Only of GPUs that the driver has: others are handed to virtual machines, or drive a screen.
std::optional<telemetry::PageReading> HostFactsSource::readings(const std::vector<PciLink>& links) {
  std::vector<telemetry::GpuIdentity> gpus;
  telemetry::PageReading page;
  for (std::size_t i = 0; i < gpus_.size(); ++i) {
    const auto known = identities_.find(gpus_[i].address());
    if (known == identities_.end()) continue;
    gpus.push_back(known->second);
    for (const auto& value : {links[i].generation, links[i].width, links[i].max_generation, links[i].max_width})
      page.values.push_back(value ? *value : telemetry::absent());
  }
  if (gpus.empty()) return std::nullopt;
  if (!layout_ || layout_->gpus != gpus) {
    auto table = std::make_shared<telemetry::SeriesTable>();
    for (std::size_t i = 0; i < gpus.size(); ++i)
      for (const auto metric : kColumns) table->series.push_back({static_cast<std::int16_t>(i), {}, metric, false});
    const auto count = gpus.size();
    layout_ = std::make_shared<telemetry::PageLayout>(
        telemetry::PageLayout{std::move(table), std::move(gpus), std::vector<telemetry::Workload>(count)});
  }
  page.layout = layout_;
  return page;
}

transport::SourceRound HostFactsSource::collect(Timestamp now) {
  transport::SourceRound out;
  if (round_ % kWalkEvery == 0) walk_bus(now, out.events);
  if (round_ % kSlowEvery == 0) read_driver();
  std::vector<PciLink> links;
  for (auto& gpu : gpus_) {
    links.push_back(gpu.look(now, name_of(gpu), out.events));
    if (round_ % kSlowEvery == 0) gpu.look_at_errors(now, name_of(gpu), out.events);
  }
  ++round_;
  out.host = facts_;
  for (const auto& gpu : gpus_) out.gpus.push_back(identity_of(gpu));
  out.readings = readings(links);
  return out;
}

transport::Testimony HostFactsSource::testify(const transport::GpuName& gpu, Timestamp) {
  if (gpu.is_host()) return host_scene(config_.root);
  if (!gpu.pci_bus_id.empty()) return pci_scene(config_.root, gpu.pci_bus_id);
  for (const auto& [address, identity] : identities_)
    if (identity.uuid == gpu.uuid) return pci_scene(config_.root, address);
  return pci_scene(config_.root, {});
}

}  // namespace ghm::host_facts
