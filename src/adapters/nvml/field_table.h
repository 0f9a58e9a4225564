#pragma once
#include <span>

#include "adapters/nvml/nvml_abi.h"
#include "domain/telemetry/identity.h"

namespace ghm::nvml {

/// One value that nvmlDeviceGetFieldValues gives for a whole GPU: canonical = read / divide.
struct Field {
  unsigned field;
  unsigned scope;  // 0, or abi::kAllLinks for the totals of NVLink 5
  telemetry::MetricId metric;
  double divide = 1;
  bool slow = false;  // error counters and life totals: once a minute is enough, and many of them cost a trip to the firmware
};
/// Source: NVML API Reference Guide, "Field Value Enums"; the pairing with DCGM's ids is ours, by meaning.
std::span<const Field> fields();

inline constexpr unsigned kFieldLinkCount = 91, kFieldLinkState = 165;

}  // namespace ghm::nvml
