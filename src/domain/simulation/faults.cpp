#include "domain/simulation/faults.h"

#include <algorithm>
#include <array>

#include "domain/simulation/links.h"
#include "domain/simulation/memory_errors.h"

namespace ghm::simulation {
namespace {

constexpr double kRestart = 480;      // seconds from a job's death to its next iteration
constexpr double kUntilDropped = 30;  // the exporter prints a lost GPU's last values for a while
constexpr double kDemonstration = 4 * 3600;
constexpr double kStorm = 40;       // corrected errors per second
constexpr double kCrcBurst = 150;   // per second; 100 fails DCGM's check
constexpr double kTimFailed = 2.3;  // of the healthy resistance: pumped out
constexpr double kTimDrifted = 1.35;
constexpr double kAirWithoutFan = 1.7;
constexpr int kBlackwellLinkXid = 149, kLinkXid = 74;

void job_dies(Surroundings& around, double t) {
  around.idle_until = std::max(around.idle_until, t + kRestart);
}

void log_xid(Board& b, double t, int code) {
  b.last_xid = code;
  b.xids.push_back({t, code});
}

void later(Board& b, double at, int code) {
  plan(b, {.kind = Event::Kind::xid, .at = at, .fault = {}, .code = code});
}

void strike_hbm(Board& b, Surroundings& around, double t) {
  hbm_uncorrectable(b.memory);
  b.memory.remapped_uncorrectable += 1;
  b.memory.remap_pending = true;
  b.ill.recovery_action = 1;
  log_xid(b, t, 48);
  later(b, t + 1, 63);
  later(b, t + 2, 94);
  job_dies(around, t);
}

void strike_sram(Board& b, Surroundings& around, double t) {
  b.memory.sram_dbe += 1;
  b.memory.sram_dbe_aggregate += 1;
  b.ill.recovery_action = 1;
  log_xid(b, t, 48);
  later(b, t + 1, 95);
  job_dies(around, t);
}

void strike_storm(Board& b, Surroundings&, double t) {
  b.ill.corrected_per_s = kStorm;
  later(b, t + 5, 92);
}

void strike_pending(Board& b, Surroundings&, double t) {
  mark_row(b.memory);
  log_xid(b, t, 63);
}

void strike_remap_fail(Board& b, Surroundings& around, double t) {
  hbm_uncorrectable(b.memory);
  fail_remap(b.memory);
  log_xid(b, t, 48);
  later(b, t + 1, 64);
  job_dies(around, t);
}

void strike_off_bus(Board& b, Surroundings& around, double t) {
  b.ill.frozen = true;
  log_xid(b, t, 79);
  plan(b, {.kind = Event::Kind::vanish, .at = t + kUntilDropped, .fault = {}, .code = 0});
  job_dies(around, t);
}

void strike_gsp(Board& b, Surroundings& around, double t) {
  b.ill.frozen = b.ill.profiling_blank = true;
  b.ill.recovery_action = 1;
  log_xid(b, t, 119);
  job_dies(around, t);
}

int some_link(Board& b) {
  return b.spec->nvlinks == 0 ? 0 : static_cast<int>(b.random.next() % static_cast<std::uint64_t>(b.spec->nvlinks));
}

void strike_link_down(Board& b, Surroundings& around, double t) {
  take_down(b.links, some_link(b));
  log_xid(b, t, b.spec->architecture == "Blackwell" ? kBlackwellLinkXid : kLinkXid);
  job_dies(around, t);
}

void strike_link_crc(Board& b, Surroundings&, double) {
  b.ill.bad_link = some_link(b);
  b.ill.crc_per_s = kCrcBurst;
}

void strike_tim(Board& b, Surroundings&, double) {
  b.ill.cooling_target = kTimFailed;
  b.ill.cooling_per_s = (kTimFailed - 1) / 5;
}

// A month's pump-out of the paste: theta grows until the next failure or repair.
void strike_drift(Board& b, Surroundings&, double) {
  b.ill.cooling_target = kTimDrifted;
  b.ill.cooling_per_s = (kTimDrifted - 1) / (30 * 86400.0);
}

void strike_fan(Board&, Surroundings& around, double) {
  around.air = kAirWithoutFan;
}

void strike_brake(Board&, Surroundings& around, double t) {
  around.brake_from = t;
}

void strike_width(Board& b, Surroundings&, double) {
  b.links.pcie_width = 8;
  b.ill.pcie_replays_per_s = 0.5;
}

void strike_replays(Board& b, Surroundings&, double) {
  b.ill.pcie_replays_per_s = 0.8;
}

void strike_app(Board& b, Surroundings& around, double t) {
  log_xid(b, t, 31);
  job_dies(around, t);
}

void strike_sensor(Board& b, Surroundings&, double) {
  b.ill.sensor_stuck = true;
  b.ill.stuck_at_c = b.thermal.gpu_c;
}

void strike_driver(Board& b, Surroundings& around, double t) {
  b.ill.recovery_action = 1;
  log_xid(b, t, 109);
  job_dies(around, t);
}

void strike_500(Board&, Surroundings& around, double) {
  around.page_500 = true;
}
void strike_page_hang(Board&, Surroundings& around, double) {
  around.page_hangs = true;
}
void strike_vanish(Board& b, Surroundings&, double) {
  b.ill.gone = true;
}
void strike_silently(Board&, Surroundings& around, double t) {
  job_dies(around, t);
}

struct FaultRow {
  Fault fault;
  std::string_view word, says;
  void (*strike)(Board&, Surroundings&, double);
  bool needs_load = false;
};

constexpr FaultRow kFaults[] = {
    {Fault::hbm_ue, "hbm_ue", "an uncorrectable HBM error: Xid 48, 63 and 94, its row waits for a reset", strike_hbm},
    {Fault::ce_storm, "ce_storm", "a storm of corrected memory errors began: Xid 92", strike_storm},
    {Fault::row_remap_pending, "row_remap_pending", "a memory row waits for a reset to be remapped: Xid 63", strike_pending},
    {Fault::row_remap_fail, "row_remap_fail", "a memory row could not be remapped: Xid 48 and 64, a bank has no spare row",
     strike_remap_fail},
    {Fault::off_bus, "off_bus", "it fell off the bus: Xid 79, its last values for 30 s, then nothing", strike_off_bus},
    {Fault::gsp_hang, "gsp_hang", "its GSP firmware hangs: Xid 119, its values stand still", strike_gsp},
    {Fault::nvlink_down, "nvlink_down", "an NVLink went down: its series vanish", strike_link_down},
    {Fault::nvlink_crc, "nvlink_crc", "an NVLink has CRC errors and replays", strike_link_crc},
    {Fault::thermal_tim, "thermal_tim",
     "its thermal paste gave way: it heats up within half a minute under the full load that its host now gets", strike_tim, true},
    {Fault::fan_fail, "fan_fail", "a fan of its host failed: all GPUs of the host heat up under the full load that it now gets", strike_fan,
     true},
    {Fault::power_brake, "power_brake", "the power brake is pulled now and then for its whole host, which now gets full load", strike_brake,
     true},
    {Fault::pcie_width, "pcie_width", "its PCIe link runs on 8 of 16 lanes and replays", strike_width},
    {Fault::app_xid31, "app_xid31", "its program made a page fault: Xid 31, the job restarts", strike_app},
    {Fault::sensor_stuck, "sensor_stuck", "its temperature sensor stands still", strike_sensor},
    {Fault::page_500, "page_500", "its host's exporter answers with HTTP 500", strike_500},
    {Fault::page_hang, "page_hang", "its host's exporter accepts connections and never answers", strike_page_hang},
    {Fault::gpu_vanish, "gpu_vanish", "it is no longer on its host's page", strike_vanish},
    {Fault::sram_ue, "sram_ue", "an uncorrectable SRAM error: Xid 48 and 95", strike_sram},
    {Fault::pcie_replays, "pcie_replays", "its PCIe link replays", strike_replays},
    {Fault::warm_drift, "warm_drift", "its thermal paste dries slowly", strike_drift},
    {Fault::driver_hang, "driver_hang", "the driver hangs on it: Xid 109", strike_driver},
    {Fault::silent_stop, "silent_stop", "its job stopped without a word", strike_silently},
};

const FaultRow& row_of(Fault fault) {
  return kFaults[static_cast<std::size_t>(fault)];
}

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(kFaults); ++i)
    if (static_cast<std::size_t>(kFaults[i].fault) != i) return false;
  return true;
}
static_assert(in_order());

// Reset, reboot or swap: the board is as it was born, but InfoROM remembers.
void repair(Board& b, Surroundings& around) {
  const bool remap_failed = b.memory.remap_failed;
  b.ill = {};
  reset_memory(b.memory);
  b.memory.remap_failed = remap_failed;
  reset_links(b.links, b.spec->nvlinks);
  b.thermal.energy_mj = 0;
  b.last_xid = 0;
  b.xids.clear();
  around.brake_from = 0;
}

}  // namespace

std::span<const std::string_view> fault_words() {
  static const auto words = [] {
    std::array<std::string_view, kInjectable> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = kFaults[i].word;
    return out;
  }();
  return words;
}

std::optional<Fault> fault_named(std::string_view word) {
  const auto words = fault_words();
  const auto it = std::ranges::find(words, word);
  if (it == words.end()) return std::nullopt;
  return static_cast<Fault>(it - words.begin());
}

std::string_view sentence_of(Fault fault) {
  return row_of(fault).says;
}

void strike(Fault fault, Board& b, Surroundings& around, double t) {
  row_of(fault).strike(b, around, t);
}

void strike_visibly(Fault fault, Board& b, Surroundings& around, double t) {
  strike(fault, b, around, t);
  if (!row_of(fault).needs_load) return;
  around.job = full_load(around.number, around.rack, static_cast<std::int64_t>(t), static_cast<std::int64_t>(kDemonstration));
  around.busy_until = t + kDemonstration;
  around.idle_until = 0;
}

void plan(Board& b, Event event) {
  const auto at = std::ranges::find_if(b.events, [&](const Event& e) { return e.at <= event.at; });
  b.events.insert(at, event);
}

void live_through(Board& b, Surroundings& around, const Scenario& scenario, double t) {
  while (!b.events.empty() && b.events.back().at <= t) {
    const Event e = b.events.back();
    b.events.pop_back();
    switch (e.kind) {
      case Event::Kind::strike: strike(e.fault, b, around, e.at); break;
      case Event::Kind::xid: log_xid(b, e.at, e.code); break;
      case Event::Kind::vanish: b.ill.gone = true; break;
      case Event::Kind::repair:
        repair(b, around);
        std::erase_if(b.events, [](const Event& other) { return other.kind != Event::Kind::xid; });
        draw_failures(b, scenario, e.at);
        break;
    }
  }
}

void forget_old_xids(Board& b, double t) {
  std::erase_if(b.xids, [&](const XidSeen& x) { return x.at <= t - kXidWindow; });
}

}  // namespace ghm::simulation
