#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "domain/faults/heard.h"

/// Incidents with a known cause, for judging the ranking of causes. A failure mode of the simulator strikes a simulated board; what
/// that leaves on board and host (Xids, counters, links, lanes, heat, silence) is what a site would hear, with lines lost, readings
/// missed, delays, unknown jobs and unrelated signs beside it. Nothing of the ranking's tables is used here.
namespace ghm::services {

/// One thing that was heard, in the words of events.
struct Rumour {
  faults::Heard heard;
  bool stray = false;  // it has nothing to do with the incident
};

struct SimulatedIncident {
  std::string kind;   // the failure mode or decoy: "hbm_uncorrectable", "rack_heat"
  std::string truth;  // its cause in the words of the ranking; "unknown": none that a site could know
  Timestamp at{};
  std::vector<Rumour> rumours;  // in order of arrival
  std::vector<std::size_t> hosts;
};

struct IncidentPlan {
  std::uint64_t seed = 1;
  std::size_t incidents = 1000;
  std::size_t hosts = 4096;  // of 8 GPUs, racks of 4, feeds of 2 racks
  double noise = 1;          // lost lines, missed readings and stray signs against the usual; at most 5
  Timestamp start = from_unix_ms(1'772'409'600'000);
};

/// Pure in its plan; one incident every 20 minutes, each on hosts that are quiet for four days, so that several are open at a time.
std::vector<SimulatedIncident> simulate_incidents(const IncidentPlan& plan);

/// Where things stand in the plan's fleet.
faults::Where where_of(std::size_t host, int gpu, const std::string& job);
std::string simulated_host_name(std::size_t host);
faults::BoardId simulated_board(std::size_t host, int gpu);

}  // namespace ghm::services
