#include "domain/simulation/part.h"

#include <cassert>

namespace ghm::simulation {
namespace {

constexpr std::array<int, 8> kA100Buses{0x07, 0x0F, 0x47, 0x4E, 0x87, 0x90, 0xB7, 0xBD};
constexpr std::array<int, 8> kHopperBuses{0x18, 0x2A, 0x3A, 0x5D, 0x9A, 0xAB, 0xBA, 0xDB};
constexpr std::array<int, 8> kBlackwellBuses{0x1B, 0x43, 0x52, 0x61, 0x9D, 0xC3, 0xD1, 0xDF};

constexpr Part kParts[] = {
    {"A100-SXM4-80GB", 0.25, 1410, 210, 1593, 1290, 60, 66, 0.088, 81920, 733, 131072, 1280, 8 << 16, 23841, "1562", "92.00.9E.00.01",
     "550.127.08", kA100Buses},
    {"H100-SXM5-80GB", 0.45, 1980, 345, 2619, 1545, 70, 110, 0.060, 81559, 551, 131072, 1280, 9 << 16, 25331, "1650", "96.00.74.00.1A",
     "570.86.15", kHopperBuses},
    {"H200-SXM5-141GB", 0.18, 1980, 345, 3201, 1545, 75, 115, 0.059, 143771, 622, 262144, 2256, 9 << 16, 25331, "1654", "96.00.A5.00.01",
     "570.124.06", kHopperBuses},
    {"B200-SXM6-180GB", 0.12, 1965, 120, 3996, 1665, 125, 160, 0.042, 183359, 1010, 262144, 2880, 10 << 16, 50664, "1660", "97.00.82.00.18",
     "580.65.06", kBlackwellBuses},
};

}  // namespace

std::span<const Part> parts() {
  return kParts;
}

const telemetry::ModelSpec& spec_of(const Part& part) {
  const auto* spec = telemetry::ModelCatalogue::built_in().find(part.model);
  assert(spec != nullptr && spec->tdp_w && spec->memory_gib && spec->pcie_gen);
  return *spec;
}

double slowdown_c(const telemetry::ModelSpec& spec) {
  return spec.slowdown_temp_c.value_or(89);
}

double max_memory_c(const telemetry::ModelSpec& spec) {
  return spec.max_mem_temp_c.value_or(95);
}

}  // namespace ghm::simulation
