#pragma once
#include <cstdint>

/// The few facts of NVML's binary interface that we use, in our own words: codes, structures, field numbers, function types.
/// Source: NVML API Reference Guide (NVIDIA), 11 to 13. Layouts are those of 64-bit Linux and are asserted below.
namespace ghm::nvml::abi {

/// What a call returns. Not an enum class: drivers newer than this list return other numbers.
using Code = int;
inline constexpr Code kSuccess = 0, kUninitialized = 1, kInvalidArgument = 2, kNotSupported = 3, kNoPermission = 4, kNotFound = 6,
                      kInsufficientSize = 7, kInsufficientPower = 8, kDriverNotLoaded = 9, kTimeout = 10, kIrqIssue = 11,
                      kLibraryNotFound = 12, kFunctionNotFound = 13, kCorruptedInforom = 14, kGpuIsLost = 15, kResetRequired = 16,
                      kLibraryMismatch = 18, kArgumentVersionMismatch = 25, kDeprecated = 26, kGpuNotFound = 28, kUnknown = 999;

using Device = struct OpaqueDevice*;

struct PciInfo {
  char legacy_bus_id[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};
static_assert(sizeof(PciInfo) == 68);

union AnyValue {
  double as_double;
  int as_int;
  unsigned as_unsigned;
  unsigned long as_unsigned_long;
  unsigned long long as_unsigned_long_long;
  long long as_long_long;
  unsigned short as_unsigned_short;
};
struct FieldValue {
  unsigned field, scope;
  long long timestamp_us, latency_us;
  int type;  // 0 double, 1 unsigned, 2 unsigned long, 3 unsigned long long, 4 long long, 5 int, 6 unsigned short
  Code code;
  AnyValue value;
};
static_assert(sizeof(FieldValue) == 40);

struct Memory {
  unsigned version;
  unsigned long long total, reserved, free, used;  // bytes
};
static_assert(sizeof(Memory) == 40);

struct Utilisation {
  unsigned gpu, memory;  // percent
};
struct Process {
  unsigned pid;
  unsigned long long memory;  // bytes; all ones: not known
  unsigned gpu_instance, compute_instance;
};
static_assert(sizeof(Process) == 24);

struct Temperature {
  unsigned version;
  int sensor;
  int celsius;
};
struct Margin {
  unsigned version;
  int celsius;
};
struct RemapHistogram {
  unsigned max, high, partial, low, none;  // banks
};
struct FabricInfo {
  unsigned version;
  unsigned char cluster[16];
  Code status;
  unsigned clique;
  unsigned char state;
  unsigned health_mask;
};
static_assert(sizeof(FabricInfo) == 36);
struct SramStatus {
  unsigned version;
  unsigned long long counts[11];
  unsigned threshold_exceeded;
};
static_assert(sizeof(SramStatus) == 104);

/// Structures that begin with a version want it as size and number.
template <class Versioned>
constexpr unsigned version_of(unsigned n) {
  return static_cast<unsigned>(sizeof(Versioned)) | n << 24;
}

inline constexpr unsigned kAllLinks = 0xFFFFFFFF;  // a field's scope: the total over all links (NVLink 5)
inline constexpr int kClockSm = 1, kClockMemory = 2, kClockVideo = 3;
inline constexpr int kSensorGpu = 0;
inline constexpr int kCorrected = 0, kUncorrected = 1, kVolatile = 0, kAggregate = 1, kLocationSram = 7;
inline constexpr unsigned kMostLinks = 36;

}  // namespace ghm::nvml::abi
