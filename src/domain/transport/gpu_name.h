#pragma once
#include <compare>
#include <string>

namespace ghm::transport {

/// How a witness names a GPU: what it does not know is empty. All empty: the sign is about the host.
struct GpuName {
  std::string uuid;  // "GPU-…"
  std::string serial;
  std::string pci_bus_id;  // any spelling; telemetry::normalise_pci_bus_id() is applied on the way
  bool is_host() const { return uuid.empty() && serial.empty() && pci_bus_id.empty(); }
  friend auto operator<=>(const GpuName&, const GpuName&) = default;
};

}  // namespace ghm::transport
