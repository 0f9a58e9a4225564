#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

/// What an archive's lives need to know of each failure mode beyond the scenario's rate, share of signs and lead.
namespace ghm::simulation {

/// What telemetry shows of a coming failure.
enum class Sign : std::uint8_t {
  none,
  ce_storm,         // bursts of corrected memory errors
  ce_ramp,          // ... ever more of them
  remap_staircase,  // row after row is remapped
  pcie_replays,     // bursts of PCIe replays
  replay_creep,     // ... ever more of them
  scrape_decay,     // ever more samples are missing
  crc_burst,        // bursts of NVLink CRC errors and replays
  link_replays,     // ever more NVLink replays
  tim_drift,        // the thermal paste dries: more degrees per watt, slowly
  fan,              // a step in degrees per watt
  flow,             // a larger step
  power_brake,      // the power brake is pulled now and then
  width_drop        // the PCIe link runs on half of its lanes
};
std::string_view word_of(Sign sign);

struct SignShape {
  Sign sign = Sign::none;
  double share = 0;        // of the mode's signs
  double lead_factor = 1;  // of the mode's median lead
  double lead_sigma = 0;   // 0: the mode's
  bool sudden = false;     // left out where everything wears out visibly
};

struct ModeFacts {
  std::string_view name;            // as in the scenario
  std::string_view type, severity;  // as failures.csv says
  int xid = 0;                      // logged with the failure; 0: nothing is
  double activation_ev = 0;         // Arrhenius; 0: heat does not matter
  bool of_place = false;            // varies from rack to rack and with the height in it
  double repeat = 0;                // chance of another one on the same board
  double least = 0, most = 0;       // plausible failures per 1000 GPU-days of an H100
  int first_remedy = 0;             // place in the ladder reset, reboot, reseat
  std::array<SignShape, 3> shapes{};
};

/// In the order of the scenario's modes. Source: failure statistics, section 7 (`modes`).
std::span<const ModeFacts> mode_facts();

/// Numbers of section 7 that belong to no mode. `assumed` there means: no field number exists.
namespace facts {
inline constexpr double kLemonHosts = 0.012, kLemonHazard = 10;                           // node_lemon
inline constexpr double kSiteSigma = 0.8;                                                 // site_factor
inline constexpr double kRackSigma = 0.45;                                                // rack_random_effect
inline constexpr double kTopOverBottom = 1.9, kTopOverBottomBadLot = 10;                  // cage_effect, air cooled
inline constexpr double kHistory = 15, kHistoryDays = 20;                                 // history_hazard_multiplier, assumed
inline constexpr double kRepeatGapHours = 20, kRepeatGapSigma = 2.5;                      // hbm_uncorrectable.repeat
inline constexpr double kSameNode = 0.04;                                                 // co_failures
inline constexpr double kInfant = 2.0, kInfantDays = 20;                                  // ageing.infant
inline constexpr double kWeibullShape = 1.02;                                             // ageing.wearout_good_lot
inline constexpr double kBadLots = 0.04, kBadLotOnset = 1.7, kBadLotStep = 0.5;           // ageing.bad_lot, years
inline constexpr std::array kBadLotHazard{0.016, 0.080, 0.163, 0.143};                    // ... per year
inline constexpr double kBadDriverPerYear = 0.15, kBadDriverDays = 45, kBadDriver = 200;  // gsp_hang.bad_driver
inline constexpr double kHotRacks = 0.05, kHotRackC = 6, kHotDays = 20, kHotSigma = 1.0;  // correlated.hot_rack
inline constexpr double kSagsPerYear = 0.3, kSagFailure = 0.05;                           // correlated.power_feed_sag, assumed
inline constexpr double kSummer = 1.2;                                                    // correlated.seasonal, assumed
inline constexpr double kActivePerYear = 0.045, kActiveDays = 12, kActiveSigma = 0.6;     // healthy.ce, with room for signs
inline constexpr double kEventsPerDay = 2, kErrorsPerEvent = 8, kErrorsSigma = 2.6;       // healthy.ce
inline constexpr double kMissing = 0.02, kMissingElsewhere = 0.07, kGapsPerMonth = 0.3;   // healthy.missing; shifted
inline constexpr double kLogDelayMinutes = 0.1, kLogDelaySigma = 1.98;                    // xid_logging_delay_min: p50 0.1, p99 10
inline constexpr double kShiftsPerYear = 1.5, kShift = 3, kShiftSigma = 1.5;              // software_shift
inline constexpr double kBurstsPerThousandHosts = 3, kBurstShare = 0.4;                   // driver_hang.cluster_burst, as events
inline constexpr double kOfflineA100 = 0.9, kOffline = 2.2, kOfflineMost = 23;            // repair.node_offline_h
inline constexpr double kSwapDays = 10, kSwapSigma = 0.6;                                 // repair.rma_turnaround_days, assumed
inline constexpr double kFalseClear = 0.15;                                               // repair.false_clear, assumed
inline constexpr std::array kRemedyWorks{0.60, 0.80, 0.70};                               // repair_success: reset, reboot, reseat; assumed
}  // namespace facts

}  // namespace ghm::simulation
