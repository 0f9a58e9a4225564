#pragma once
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adapters/host_facts/sysfs_text.h"
#include "domain/transport/host_round.h"

namespace ghm::host_facts {

/// The PCI link of a GPU at one instant; nullopt: the kernel does not say.
struct PciLink {
  std::optional<unsigned> generation, width, max_generation, max_width;
};

/// One NVIDIA GPU on the PCI bus, as the kernel sees it: also when the driver does not, or no longer.
/// Events, once at each change: pcie_no_answer (its configuration space reads as all ones: off the bus), pcie_answers,
/// pcie_width_reduced (fewer lanes than both ends could; never normal), pcie_width_restored; and pcie_aer for each look that
/// found more errors than the one before.
class PciGpu {
 public:
  PciGpu(std::filesystem::path folder, std::string address)
      : folder_(std::move(folder)),
        address_(std::move(address)),
        config_(folder_ / "config"),
        speed_(folder_ / "current_link_speed"),
        width_(folder_ / "current_link_width") {}

  const std::string& address() const { return address_; }
  const std::filesystem::path& folder() const { return folder_; }

  /// Three small reads. A device that does not answer is asked nothing more: each further read may cost a time-out.
  PciLink look(Timestamp now, const transport::GpuName& name, std::vector<transport::AgentEvent>& out);
  /// Three more, of the error counters.
  void look_at_errors(Timestamp now, const transport::GpuName& name, std::vector<transport::AgentEvent>& out);

 private:
  bool answers();

  std::filesystem::path folder_;
  std::string address_;  // normalised
  KeptFile config_, speed_, width_;
  bool silent_ = false, narrow_ = false;
  std::optional<unsigned> max_generation_, max_width_;
  std::array<std::optional<AerCounts>, 3> errors_;  // correctable, nonfatal, fatal
};

/// NVIDIA's display and 3D controllers below root/sys/bus/pci/devices; at most 64.
std::vector<PciGpu> find_gpus(const std::filesystem::path& root);

}  // namespace ghm::host_facts
