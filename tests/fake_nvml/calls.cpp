// The exported functions. GHM_FAKE_OLD leaves out what drivers before 470 did not have.
#include <cstring>

#include "adapters/nvml/nvml_library.h"
#include "fake_nvml.h"

using namespace ghm::nvml::abi;
using ghm::fake_nvml::Gpu;
using ghm::fake_nvml::Player;

namespace {

// MIG instances are devices too: an instance's address is told from a GPU's by its owner's list.
struct Which {
  Gpu* gpu = nullptr;
  const Gpu::Instance* instance = nullptr;
};

Which which(Device device) {
  for (Gpu* gpu : Player::get().counted()) {
    if (reinterpret_cast<Device>(gpu) == device) return {gpu, nullptr};
    for (const auto& instance : gpu->instances)
      if (reinterpret_cast<Device>(const_cast<Gpu::Instance*>(&instance)) == device) return {gpu, &instance};
  }
  return {};
}

Code enter(const char* symbol, Device device, Gpu*& gpu) {
  gpu = which(device).gpu;
  return gpu ? Player::get().enter(symbol, gpu) : kInvalidArgument;
}

Code give_text(const char* symbol, Device device, const char* fact, const char* otherwise, char* out, unsigned length) {
  Gpu* gpu = nullptr;
  if (const Code code = enter(symbol, device, gpu)) return code;
  const auto found = gpu->facts.find(fact);
  const std::string text = found == gpu->facts.end() ? otherwise : found->second;
  if (text.empty()) return kNotSupported;
  if (text.size() + 1 > length) return kInsufficientSize;
  std::memcpy(out, text.c_str(), text.size() + 1);
  return kSuccess;
}

template <class Number>
Code give(const char* symbol, Device device, const char* key, double otherwise, Number* out) {
  Gpu* gpu = nullptr;
  if (const Code code = enter(symbol, device, gpu)) return code;
  *out = static_cast<Number>(Player::get().value(*gpu, key, otherwise));
  return kSuccess;
}

unsigned links_of(const Gpu& gpu) {
  const auto found = gpu.facts.find("links");
  return found == gpu.facts.end() ? 18 : static_cast<unsigned>(std::stoul(found->second));
}

#ifndef GHM_FAKE_OLD
struct Default {
  unsigned field;
  double value;
};
constexpr Default kFields[] = {{3, 0},  {4, 0},  {5, 0},   {6, 0},        {11, 0},       {12, 0},  {22, 0},  {23, 0},  {74, 5e9},
                               {75, 0}, {76, 0}, {77, 0},  {78, 0},       {79, 0},       {80, 0},  {81, 0},  {82, 52}, {83, 1e9},
                               {52, 0}, {59, 0}, {173, 2}, {185, 310000}, {186, 342000}, {230, 0}, {269, 0}, {270, 0}, {271, 0}};

void answer(const Gpu& gpu, FieldValue& f) {
  const auto& player = Player::get();
  f.code = kSuccess, f.type = 3, f.timestamp_us = 1;
  const auto put = [&](double v) { f.value.as_unsigned_long_long = static_cast<unsigned long long>(v); };
  const std::string scope = f.scope == kAllLinks ? "@all" : "@" + std::to_string(f.scope);
  for (const auto& key : {"field:" + std::to_string(f.field) + scope, "field:" + std::to_string(f.field)})
    if (player.has(gpu, key)) return put(player.value(gpu, key, 0));
  if (f.field == 91) return put(links_of(gpu));
  if (f.field == 165 && f.scope < links_of(gpu)) return put(player.value(gpu, "link_up@" + std::to_string(f.scope), 1));
  if (f.field == 83) return put(1e9 + 3e6 * player.round);
  for (const auto& [field, value] : kFields)
    if (field == f.field && f.scope == 0) return put(value);
  f.code = kNotSupported;
}
#endif

}  // namespace

extern "C" {

Code nvmlInit_v2() {
  return Player::get().init_code;
}
Code nvmlShutdown() {
  return kSuccess;
}

Code nvmlSystemGetDriverVersion(char* out, unsigned length) {
  std::strncpy(out, Player::get().driver.c_str(), length);
  return kSuccess;
}

Code nvmlDeviceGetCount_v2(unsigned* count) {
  return Player::get().next_round(*count);
}

Code nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* out) {
  const auto all = Player::get().counted();
  if (index >= all.size()) return kInvalidArgument;
  *out = reinterpret_cast<Device>(all[index]);
  return Player::get().enter("nvmlDeviceGetHandleByIndex_v2", all[index]);
}

Code nvmlDeviceGetMinorNumber(Device d, unsigned* out) {
  return give("nvmlDeviceGetMinorNumber", d, "minor", 0, out);
}
Code nvmlDeviceGetUUID(Device d, char* out, unsigned n) {
  if (const auto found = which(d); found.instance) {
    const auto text = "MIG-00000000-0000-0000-0000-0000000000" + std::to_string(10 + found.instance->id);
    std::memcpy(out, text.c_str(), text.size() + 1);
    return kSuccess;
  }
  return give_text("nvmlDeviceGetUUID", d, "uuid", "", out, n);
}
Code nvmlDeviceGetSerial(Device d, char* out, unsigned n) {
  return give_text("nvmlDeviceGetSerial", d, "serial", "", out, n);
}
Code nvmlDeviceGetVbiosVersion(Device d, char* out, unsigned n) {
  return give_text("nvmlDeviceGetVbiosVersion", d, "vbios", "96.00.74.00.01", out, n);
}
Code nvmlDeviceGetName(Device d, char* out, unsigned n) {
  return give_text("nvmlDeviceGetName", d, "name", "NVIDIA H100 80GB HBM3", out, n);
}

Code nvmlDeviceGetPciInfo_v3(Device d, PciInfo* out) {
  return give_text("nvmlDeviceGetPciInfo_v3", d, "pci", "", out->bus_id, sizeof out->bus_id);
}

Code nvmlDeviceGetTemperature(Device d, int, unsigned* out) {
  return give("nvmlDeviceGetTemperature", d, "temperature", 41, out);
}
Code nvmlDeviceGetPowerUsage(Device d, unsigned* out) {
  return give("nvmlDeviceGetPowerUsage", d, "power", 300000, out);
}
Code nvmlDeviceGetTotalEnergyConsumption(Device d, unsigned long long* out) {
  return give("nvmlDeviceGetTotalEnergyConsumption", d, "energy", 5e8, out);
}
Code nvmlDeviceGetPowerManagementLimit(Device d, unsigned* out) {
  return give("nvmlDeviceGetPowerManagementLimit", d, "power_limit", 700000, out);
}
Code nvmlDeviceGetPowerManagementDefaultLimit(Device d, unsigned* out) {
  return give("nvmlDeviceGetPowerManagementDefaultLimit", d, "power_default", 700000, out);
}
Code nvmlDeviceGetEnforcedPowerLimit(Device d, unsigned* out) {
  return give("nvmlDeviceGetEnforcedPowerLimit", d, "power_enforced", 700000, out);
}

Code nvmlDeviceGetClockInfo(Device d, int clock, unsigned* out) {
  constexpr const char* kKeys[] = {"graphics_clock", "sm_clock", "memory_clock", "video_clock"};
  constexpr double kClocks[] = {1980, 1980, 2619, 1545};
  return give("nvmlDeviceGetClockInfo", d, kKeys[clock & 3], kClocks[clock & 3], out);
}
Code nvmlDeviceGetMaxClockInfo(Device d, int clock, unsigned* out) {
  constexpr double kClocks[] = {1980, 1980, 2619, 1545};
  return give("nvmlDeviceGetMaxClockInfo", d, "max_clock", kClocks[clock & 3], out);
}
Code nvmlDeviceGetCurrentClocksThrottleReasons(Device d, unsigned long long* out) {
  return give("nvmlDeviceGetCurrentClocksThrottleReasons", d, "reasons", 0, out);
}
Code nvmlDeviceGetPerformanceState(Device d, int* out) {
  return give("nvmlDeviceGetPerformanceState", d, "pstate", 0, out);
}

Code nvmlDeviceGetUtilizationRates(Device d, Utilisation* out) {
  Gpu* gpu = nullptr;
  if (const Code code = enter("nvmlDeviceGetUtilizationRates", d, gpu)) return code;
  if (gpu->mig) return kNotSupported;
  *out = {static_cast<unsigned>(Player::get().value(*gpu, "utilisation", 97)),
          static_cast<unsigned>(Player::get().value(*gpu, "memory_utilisation", 55))};
  return kSuccess;
}

Code nvmlDeviceGetCurrPcieLinkGeneration(Device d, unsigned* out) {
  return give("nvmlDeviceGetCurrPcieLinkGeneration", d, "pcie_gen", 5, out);
}
Code nvmlDeviceGetCurrPcieLinkWidth(Device d, unsigned* out) {
  return give("nvmlDeviceGetCurrPcieLinkWidth", d, "pcie_width", 16, out);
}
Code nvmlDeviceGetMaxPcieLinkGeneration(Device d, unsigned* out) {
  return give("nvmlDeviceGetMaxPcieLinkGeneration", d, "pcie_max_gen", 5, out);
}
Code nvmlDeviceGetMaxPcieLinkWidth(Device d, unsigned* out) {
  return give("nvmlDeviceGetMaxPcieLinkWidth", d, "pcie_max_width", 16, out);
}
Code nvmlDeviceGetPcieReplayCounter(Device d, unsigned* out) {
  return give("nvmlDeviceGetPcieReplayCounter", d, "pcie_replays", 0, out);
}

Code nvmlDeviceGetEccMode(Device d, int* current, int* pending) {
  *pending = 1;
  return give("nvmlDeviceGetEccMode", d, "ecc", 1, current);
}
Code nvmlDeviceGetMemoryErrorCounter(Device d, int, int, int, unsigned long long* out) {
  return give("nvmlDeviceGetMemoryErrorCounter", d, "sram_errors", 0, out);
}

Code nvmlDeviceGetNvLinkState(Device d, unsigned link, int* up) {
  Gpu* gpu = nullptr;
  if (const Code code = enter("nvmlDeviceGetNvLinkState", d, gpu)) return code;
  if (link >= links_of(*gpu)) return kInvalidArgument;
  *up = static_cast<int>(Player::get().value(*gpu, "link_up@" + std::to_string(link), 1));
  return kSuccess;
}
Code nvmlDeviceGetNvLinkErrorCounter(Device d, unsigned link, int counter, unsigned long long* out) {
  return give("nvmlDeviceGetNvLinkErrorCounter", d, ("link_error@" + std::to_string(link) + ":" + std::to_string(counter)).c_str(), 0, out);
}

#ifndef GHM_FAKE_OLD
Code nvmlSystemGetNVMLVersion(char* out, unsigned length) {
  std::strncpy(out, "12.570.86.15", length);
  return kSuccess;
}

Code nvmlDeviceGetFieldValues(Device d, int count, FieldValue* values) {
  Gpu* gpu = nullptr;
  if (const Code code = enter("nvmlDeviceGetFieldValues", d, gpu)) return code;
  for (int i = 0; i < count; ++i) answer(*gpu, values[i]);
  return kSuccess;
}

Code nvmlDeviceGetMarginTemperature(Device d, Margin* out) {
  if (out->version != version_of<Margin>(1)) return kArgumentVersionMismatch;
  return give("nvmlDeviceGetMarginTemperature", d, "margin", 46, &out->celsius);
}
Code nvmlDeviceGetTemperatureV(Device d, Temperature* out) {
  if (out->version != version_of<Temperature>(1)) return kArgumentVersionMismatch;
  return give("nvmlDeviceGetTemperatureV", d, "temperature", 41, &out->celsius);
}
Code nvmlDeviceGetTemperatureThreshold(Device d, int threshold, unsigned* out) {
  constexpr double kThresholds[] = {95, 92, 95, 87};
  return give("nvmlDeviceGetTemperatureThreshold", d, "threshold", kThresholds[threshold & 3], out);
}
Code nvmlDeviceGetPowerManagementLimitConstraints(Device d, unsigned* least, unsigned* most) {
  *least = 200000;
  return give("nvmlDeviceGetPowerManagementLimitConstraints", d, "power_most", 700000, most);
}
Code nvmlDeviceGetCurrentClocksEventReasons(Device d, unsigned long long* out) {
  return give("nvmlDeviceGetCurrentClocksEventReasons", d, "reasons", 0, out);
}

Code nvmlDeviceGetMemoryInfo_v2(Device d, Memory* out) {
  if (out->version != version_of<Memory>(2)) return kArgumentVersionMismatch;
  const auto found = which(d);
  if (!found.gpu) return kInvalidArgument;
  if (const Code code = Player::get().enter("nvmlDeviceGetMemoryInfo_v2", found.gpu)) return code;
  const unsigned long long total = found.instance ? 9728ull << 20 : 81559ull << 20, used = found.instance ? 100ull << 20 : 60000ull << 20;
  out->total = total, out->used = used, out->reserved = 551ull << 20, out->free = total - used - out->reserved;
  return kSuccess;
}

Code nvmlDeviceGetSramEccErrorStatus(Device d, SramStatus* out) {
  if (out->version != version_of<SramStatus>(1)) return kArgumentVersionMismatch;
  return give("nvmlDeviceGetSramEccErrorStatus", d, "sram_threshold", 0, &out->threshold_exceeded);
}
Code nvmlDeviceGetRemappedRows(Device d, unsigned* corrected, unsigned* uncorrected, unsigned* pending, unsigned* failed) {
  Gpu* gpu = nullptr;
  if (const Code code = enter("nvmlDeviceGetRemappedRows", d, gpu)) return code;
  if (gpu->mig) return kNotSupported;
  const auto& player = Player::get();
  *corrected = static_cast<unsigned>(player.value(*gpu, "remapped_corrected", 0));
  *uncorrected = static_cast<unsigned>(player.value(*gpu, "remapped_uncorrected", 0));
  *pending = static_cast<unsigned>(player.value(*gpu, "remap_pending", 0));
  *failed = static_cast<unsigned>(player.value(*gpu, "remap_failed", 0));
  return kSuccess;
}
Code nvmlDeviceGetRowRemapperHistogram(Device d, RemapHistogram* out) {
  *out = {0, 0, 0, 0, 0};
  return give("nvmlDeviceGetRowRemapperHistogram", d, "banks", 1280, &out->max);
}

Code nvmlDeviceGetGpuFabricInfoV(Device d, FabricInfo* out) {
  if (out->version != version_of<FabricInfo>(2)) return kArgumentVersionMismatch;
  out->status = kSuccess, out->clique = 0, out->health_mask = 0;
  return give("nvmlDeviceGetGpuFabricInfoV", d, "fabric", 3, &out->state);
}

Code nvmlDeviceGetMigMode(Device d, unsigned* current, unsigned* pending) {
  Gpu* gpu = nullptr;
  if (const Code code = enter("nvmlDeviceGetMigMode", d, gpu)) return code;
  *current = *pending = gpu->mig;
  return kSuccess;
}
Code nvmlDeviceGetMaxMigDeviceCount(Device d, unsigned* count) {
  return give("nvmlDeviceGetMaxMigDeviceCount", d, "mig_most", 7, count);
}
Code nvmlDeviceGetMigDeviceHandleByIndex(Device d, unsigned index, Device* out) {
  Gpu* gpu = nullptr;
  if (const Code code = enter("nvmlDeviceGetMigDeviceHandleByIndex", d, gpu)) return code;
  if (index >= gpu->instances.size()) return kNotFound;
  *out = reinterpret_cast<Device>(&gpu->instances[index]);
  return kSuccess;
}
Code nvmlDeviceGetGpuInstanceId(Device d, unsigned* id) {
  const auto found = which(d);
  if (!found.instance) return kNotSupported;
  *id = found.instance->id;
  return kSuccess;
}

Code nvmlDeviceGetComputeRunningProcesses_v3(Device d, unsigned* count, Process* out) {
  Gpu* gpu = nullptr;
  if (const Code code = enter("nvmlDeviceGetComputeRunningProcesses_v3", d, gpu)) return code;
  const auto room = *count;
  *count = static_cast<unsigned>(gpu->processes.size());
  if (*count > room) return kInsufficientSize;
  for (unsigned i = 0; i < *count; ++i) out[i] = {gpu->processes[i], 1ull << 30, 0xFFFFFFFF, 0xFFFFFFFF};
  return kSuccess;
}
#endif

}  // extern "C"
