#include "adapters/nvml/nvml_library.h"

#include <dlfcn.h>

#include <array>

namespace ghm::nvml {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Call::count_)> kSymbols = {
#define GHM_NVML_ONE(name, symbol, parameters) #symbol,
    GHM_NVML_FUNCTIONS(GHM_NVML_ONE)
#undef GHM_NVML_ONE
};

struct CodeName {
  abi::Code code;
  std::string_view name;
};
constexpr CodeName kCodes[] = {
    // source: NVML API Reference Guide, nvmlReturn_t
    {0, "SUCCESS"},
    {1, "UNINITIALIZED"},
    {2, "INVALID_ARGUMENT"},
    {3, "NOT_SUPPORTED"},
    {4, "NO_PERMISSION"},
    {6, "NOT_FOUND"},
    {7, "INSUFFICIENT_SIZE"},
    {8, "INSUFFICIENT_POWER"},
    {9, "DRIVER_NOT_LOADED"},
    {10, "TIMEOUT"},
    {11, "IRQ_ISSUE"},
    {12, "LIBRARY_NOT_FOUND"},
    {13, "FUNCTION_NOT_FOUND"},
    {14, "CORRUPTED_INFOROM"},
    {15, "GPU_IS_LOST"},
    {16, "RESET_REQUIRED"},
    {17, "OPERATING_SYSTEM"},
    {18, "LIB_RM_VERSION_MISMATCH"},
    {19, "IN_USE"},
    {20, "MEMORY"},
    {21, "NO_DATA"},
    {23, "INSUFFICIENT_RESOURCES"},
    {25, "ARGUMENT_VERSION_MISMATCH"},
    {26, "DEPRECATED"},
    {27, "NOT_READY"},
    {28, "GPU_NOT_FOUND"},
    {29, "INVALID_STATE"},
    {999, "UNKNOWN"},
};

}  // namespace

std::string_view to_string(Call call) {
  const auto n = static_cast<std::size_t>(call);
  return n < kSymbols.size() ? kSymbols[n] : "nothing";
}

std::string code_name(abi::Code code) {
  for (const auto& [known, name] : kCodes)
    if (known == code) return std::string(name);
  return "code " + std::to_string(code);
}

Result<Library> Library::load(const std::string& path) {
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* why = ::dlerror();
    return Error{Errc::not_found, path + ": " + (why ? why : "cannot be loaded") + ": is NVIDIA's driver installed?"};
  }
  Library all;
#define GHM_NVML_ONE(name, symbol, parameters) all.name = reinterpret_cast<decltype(all.name)>(::dlsym(handle, #symbol));
  GHM_NVML_FUNCTIONS(GHM_NVML_ONE)
#undef GHM_NVML_ONE
  if (!all.init || !all.device_count || !all.device_by_index)
    return Error{Errc::unavailable, path + ": lacks nvmlInit_v2, nvmlDeviceGetCount_v2 or nvmlDeviceGetHandleByIndex_v2: too old a driver"};
  return all;
}

}  // namespace ghm::nvml
