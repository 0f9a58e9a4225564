#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "adapters/nvml/nvml_abi.h"
#include "core/result.h"

namespace ghm::nvml {

// clang-format off
/// Every function that is used: our name, its symbol, its parameters. A driver may lack any of them.
#define GHM_NVML_FUNCTIONS(X)                                                                                    \
  X(init, nvmlInit_v2, (void))                                                                                   \
  X(shutdown, nvmlShutdown, (void))                                                                              \
  X(driver_version, nvmlSystemGetDriverVersion, (char*, unsigned))                                               \
  X(library_version, nvmlSystemGetNVMLVersion, (char*, unsigned))                                                \
  X(device_count, nvmlDeviceGetCount_v2, (unsigned*))                                                            \
  X(device_by_index, nvmlDeviceGetHandleByIndex_v2, (unsigned, abi::Device*))                                    \
  X(uuid, nvmlDeviceGetUUID, (abi::Device, char*, unsigned))                                                     \
  X(serial, nvmlDeviceGetSerial, (abi::Device, char*, unsigned))                                                 \
  X(vbios, nvmlDeviceGetVbiosVersion, (abi::Device, char*, unsigned))                                            \
  X(model_name, nvmlDeviceGetName, (abi::Device, char*, unsigned))                                               \
  X(minor_number, nvmlDeviceGetMinorNumber, (abi::Device, unsigned*))                                            \
  X(pci_info, nvmlDeviceGetPciInfo_v3, (abi::Device, abi::PciInfo*))                                             \
  X(field_values, nvmlDeviceGetFieldValues, (abi::Device, int, abi::FieldValue*))                                \
  X(temperature, nvmlDeviceGetTemperature, (abi::Device, int, unsigned*))                                        \
  X(temperature_v, nvmlDeviceGetTemperatureV, (abi::Device, abi::Temperature*))                                  \
  X(margin, nvmlDeviceGetMarginTemperature, (abi::Device, abi::Margin*))                                         \
  X(temperature_threshold, nvmlDeviceGetTemperatureThreshold, (abi::Device, int, unsigned*))                     \
  X(power, nvmlDeviceGetPowerUsage, (abi::Device, unsigned*))                                                    \
  X(energy, nvmlDeviceGetTotalEnergyConsumption, (abi::Device, unsigned long long*))                             \
  X(power_limit, nvmlDeviceGetPowerManagementLimit, (abi::Device, unsigned*))                                    \
  X(power_limits, nvmlDeviceGetPowerManagementLimitConstraints, (abi::Device, unsigned*, unsigned*))             \
  X(power_default, nvmlDeviceGetPowerManagementDefaultLimit, (abi::Device, unsigned*))                           \
  X(power_enforced, nvmlDeviceGetEnforcedPowerLimit, (abi::Device, unsigned*))                                   \
  X(clock, nvmlDeviceGetClockInfo, (abi::Device, int, unsigned*))                                                \
  X(max_clock, nvmlDeviceGetMaxClockInfo, (abi::Device, int, unsigned*))                                         \
  X(clock_reasons, nvmlDeviceGetCurrentClocksEventReasons, (abi::Device, unsigned long long*))                   \
  X(throttle_reasons, nvmlDeviceGetCurrentClocksThrottleReasons, (abi::Device, unsigned long long*))             \
  X(performance_state, nvmlDeviceGetPerformanceState, (abi::Device, int*))                                       \
  X(utilisation, nvmlDeviceGetUtilizationRates, (abi::Device, abi::Utilisation*))                                \
  X(memory, nvmlDeviceGetMemoryInfo_v2, (abi::Device, abi::Memory*))                                             \
  X(ecc_mode, nvmlDeviceGetEccMode, (abi::Device, int*, int*))                                                   \
  X(memory_errors, nvmlDeviceGetMemoryErrorCounter, (abi::Device, int, int, int, unsigned long long*))           \
  X(sram_status, nvmlDeviceGetSramEccErrorStatus, (abi::Device, abi::SramStatus*))                               \
  X(remapped_rows, nvmlDeviceGetRemappedRows, (abi::Device, unsigned*, unsigned*, unsigned*, unsigned*))         \
  X(remap_histogram, nvmlDeviceGetRowRemapperHistogram, (abi::Device, abi::RemapHistogram*))                     \
  X(pcie_generation, nvmlDeviceGetCurrPcieLinkGeneration, (abi::Device, unsigned*))                              \
  X(pcie_width, nvmlDeviceGetCurrPcieLinkWidth, (abi::Device, unsigned*))                                        \
  X(pcie_max_generation, nvmlDeviceGetMaxPcieLinkGeneration, (abi::Device, unsigned*))                           \
  X(pcie_max_width, nvmlDeviceGetMaxPcieLinkWidth, (abi::Device, unsigned*))                                     \
  X(pcie_replays, nvmlDeviceGetPcieReplayCounter, (abi::Device, unsigned*))                                      \
  X(nvlink_state, nvmlDeviceGetNvLinkState, (abi::Device, unsigned, int*))                                       \
  X(nvlink_errors, nvmlDeviceGetNvLinkErrorCounter, (abi::Device, unsigned, int, unsigned long long*))           \
  X(fabric, nvmlDeviceGetGpuFabricInfoV, (abi::Device, abi::FabricInfo*))                                        \
  X(mig_mode, nvmlDeviceGetMigMode, (abi::Device, unsigned*, unsigned*))                                         \
  X(mig_most, nvmlDeviceGetMaxMigDeviceCount, (abi::Device, unsigned*))                                          \
  X(mig_device, nvmlDeviceGetMigDeviceHandleByIndex, (abi::Device, unsigned, abi::Device*))                      \
  X(gpu_instance, nvmlDeviceGetGpuInstanceId, (abi::Device, unsigned*))                                          \
  X(processes, nvmlDeviceGetComputeRunningProcesses_v3, (abi::Device, unsigned*, abi::Process*))
// clang-format on

/// The functions by number, for the progress that the agent watches.
enum class Call : unsigned {
#define GHM_NVML_ONE(name, symbol, parameters) name,
  GHM_NVML_FUNCTIONS(GHM_NVML_ONE)
#undef GHM_NVML_ONE
      count_
};
/// The symbol's name, "nvmlDeviceGetUUID"; "nothing" for a number that is none.
std::string_view to_string(Call call);

/// libnvidia-ml.so.1, loaded. A function that this driver lacks is nullptr.
struct Library {
#define GHM_NVML_ONE(name, symbol, parameters) abi::Code(*name) parameters = nullptr;
  GHM_NVML_FUNCTIONS(GHM_NVML_ONE)
#undef GHM_NVML_ONE

  /// not_found when there is none (no driver on this host); unavailable when it lacks what nothing works without.
  /// It stays loaded for the life of the process: unloading NVIDIA's libraries leaves threads behind.
  static Result<Library> load(const std::string& path);
};

/// "GPU_IS_LOST": NVML's word for a code, or "code 47".
std::string code_name(abi::Code code);

}  // namespace ghm::nvml
