#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "domain/simulation/part.h"
#include "domain/simulation/random.h"
#include "domain/simulation/scenario.h"
#include "domain/simulation/workload.h"

namespace ghm::simulation {

inline constexpr int kMostLinks = 18;

/// The bits of field 112 that the simulator uses.
namespace reason {
inline constexpr unsigned idle = 0x1, power_cap = 0x4, hw_slowdown = 0x8, sw_thermal = 0x20, hw_thermal = 0x40, power_brake = 0x80;
}

struct BoardIdentity {
  int index = 0;  // in its host
  std::string serial, uuid, pci_bus_id;
};

/// What a board was born with and keeps.
struct Traits {
  double resistance = 1;  // of its cooler, against its part's
  double leakage = 1;     // power at the same work
  double idle_w = 70;
  double preheat_c = 0;  // air already warmed by the boards in front
  double corrected_per_day = 0;
  double hazard = 1;       // failures against the mean
  double site_hazard = 1;  // likewise, where sites differ
};

struct Thermals {
  double gpu_c = 35, memory_c = 46, inlet_c = 25;
  double power_w = 70, peak_w = 70;
  double energy_mj = 0;
  double sm_mhz = 0;
  double clock_limit = 1;   // of the maximum, held down by heat
  double slowed_until = 0;  // firmware holds a slowdown for some time
  unsigned reasons = 0;
  double power_cap_ns = 0, sw_thermal_ns = 0, hw_thermal_ns = 0, brake_ns = 0, low_use_ns = 0;
};

struct MemoryErrors {
  double sbe_volatile = 0, sbe_aggregate = 0, dbe_volatile = 0, dbe_aggregate = 0;  // HBM
  double sram_sbe = 0, sram_dbe = 0, sram_dbe_aggregate = 0;
  double remapped_uncorrectable = 0, remapped_correctable = 0;
  bool remap_pending = false, remap_failed = false;
  std::array<int, 5> banks{};  // by spare rows left: max, high, partial, low, none
  double next_corrected = 0;   // Unix seconds of the next corrected error; 0: never
};

struct Links {
  std::array<bool, kMostLinks> up{};
  std::array<double, kMostLinks> replays{};
  double crc = 0, recoveries = 0;
  double pcie_replays = 0, pcie_correctable = 0, next_pcie_replay = 0;
  int pcie_width = 16;
};

/// What a fault does to a board until it is repaired.
struct Afflictions {
  double cooling = 1, cooling_target = 1;  // factor of the thermal resistance, now and where it is going
  double cooling_per_s = 0;
  double corrected_per_s = 0;
  double crc_per_s = 0;
  double pcie_replays_per_s = 0;
  int bad_link = 0;
  bool frozen = false;  // the driver does not answer: the last values stay
  bool gone = false;    // not on the page
  bool profiling_blank = false;
  bool sensor_stuck = false;
  double stuck_at_c = 0;
  int recovery_action = 0;  // field 1523
};

struct XidSeen {
  double at;
  int code;
};

/// Something that will happen to a board at a time: a fault strikes, an Xid is logged, it vanishes, it is repaired.
struct Event {
  enum class Kind : std::uint8_t { strike, xid, vanish, repair } kind{};
  double at = 0;
  Fault fault{};
  int code = 0;  // of an Xid
};

struct Board {
  const Part* part = nullptr;
  const telemetry::ModelSpec* spec = nullptr;
  BoardIdentity id;
  Traits traits;
  Demand demand;
  Thermals thermal;
  MemoryErrors memory;
  Links links;
  Afflictions ill;
  Random random;
  std::vector<Event> events;  // the soonest last
  std::vector<XidSeen> xids;  // of the exporter's window
  int last_xid = 0;

  double tdp() const { return *spec->tdp_w; }
};

/// What the boards of one host share: air, power, job and exporter.
struct Surroundings {
  std::size_t number = 0, rack = 0;
  double inlet_c = 24;    // mean of its rack
  double air = 1;         // factor of the thermal resistance when fans or pumps fail
  double brake_from = 0;  // rack power pulls the brake line from here on, now and then; 0 never
  double idle_until = 0;  // the job stands still
  Job job;
  double busy_until = 0;  // a demonstration keeps the job at full load
  bool page_500 = false, page_hangs = false;
};

}  // namespace ghm::simulation
