#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/host_facts/pci_gpu.h"
#include "domain/transport/host_round.h"

namespace ghm::host_facts {

struct HostFactsConfig {
  std::filesystem::path root = "/";
  // A service manager's copies of what root alone may read: files named product_serial and so on. Empty: none.
  std::filesystem::path credentials;
};

/// What the host itself says, with or without a driver. Facts: hostname, kernel, boot_id, boot_time, machine_id, vendor,
/// product, serial (DMI), driver. GPUs: address, UUID, model, VBIOS, firmware from /proc/driver/nvidia. Readings: PCIe
/// generation and lanes, now and at most (metrics 235-238). Events: PciGpu's, and pci_gpu_gone, pci_gpu_new.
/// The serial numbers of DMI can be read by root alone: an agent that is nobody finds them among its credentials.
/// Cost: 3 small reads per GPU and round, 4 more each kSlowEvery rounds, a walk over the bus each kWalkEvery rounds.
class HostFactsSource final : public transport::AgentSource {
 public:
  static constexpr unsigned kSlowEvery = 6, kWalkEvery = 60;

  explicit HostFactsSource(HostFactsConfig config);
  std::string_view name() const override { return "host_facts"; }
  transport::SourceRound collect(Timestamp now) override;
  /// fault_scene.h
  transport::Testimony testify(const transport::GpuName& gpu, Timestamp now) override;

 private:
  void read_firmware();
  void read_kernel();
  void read_driver();
  void walk_bus(Timestamp now, std::vector<transport::AgentEvent>& out);
  transport::GpuName name_of(const PciGpu& gpu) const;
  telemetry::GpuIdentity identity_of(const PciGpu& gpu) const;
  std::optional<telemetry::PageReading> readings(const std::vector<PciLink>& links);

  HostFactsConfig config_;
  telemetry::LabelMap facts_;
  std::string driver_;
  std::map<std::string, telemetry::GpuIdentity> identities_;  // by address, from the driver
  std::vector<PciGpu> gpus_;
  unsigned round_ = 0;
  std::shared_ptr<const telemetry::PageLayout> layout_;
};

}  // namespace ghm::host_facts
