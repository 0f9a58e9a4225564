#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "adapters/nvml/nvml_abi.h"
#include "domain/telemetry/identity.h"

namespace ghm::nvml {

struct Value {
  telemetry::MetricId metric{};
  telemetry::Entity entity;
  double value = 0;  // in the metric's canonical unit
  friend bool operator==(const Value&, const Value&) = default;
};

struct GpuProcess {
  std::uint32_t pid = 0;
  friend auto operator<=>(const GpuProcess&, const GpuProcess&) = default;
};

/// Not NVML's: the GPU is there and was left alone, as the agent asked.
inline constexpr abi::Code kSkipped = -1;

/// One GPU in one round. What it does not say was not supported, not permitted or not there: absent, never zero.
struct BoardReport {
  unsigned index = 0;
  std::string uuid, serial, pci_bus_id, model, vbios;
  abi::Code status = abi::kSuccess;  // kGpuIsLost, kResetRequired, kSkipped, or what kept the GPU from being opened
  std::uint32_t errors = 0;          // calls that failed with anything but "not supported" and "not permitted"
  std::uint32_t not_permitted = 0;
  std::vector<Value> values;
  std::vector<GpuProcess> processes;
  int minor = -1;                      // the n of /dev/nvidian; -1: not known
  std::vector<std::string> mig_uuids;  // of the instances on it
};

/// The whole host in one round.
struct HostReport {
  abi::Code status = abi::kSuccess;  // of nvmlInit and the count; otherwise no GPU was looked at
  std::string trouble;               // one sentence when status is not success or the library is not there
  std::string driver, library;
  std::uint32_t gpus = 0;  // that NVML counts
};

}  // namespace ghm::nvml
