// A site's ears: what it would hear of a failure is read off the simulated board after the strike, not written down per cause.
#include "services/simulated_incidents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "domain/anomaly/watched_metrics.h"
#include "domain/simulation/birth.h"
#include "domain/simulation/faults.h"
#include "domain/simulation/mode_facts.h"

namespace ghm::services {
namespace {

using namespace simulation;
using anomaly::Slot;

// How well a site hears. Kernel lines are lost to overrun buffers and reboots; detectors need a change that stands out; jobs are
// known where a scheduler tells. The delays of kernel lines are the simulator's own (median 6 s, 1 % over 10 min).
constexpr double kLineLost = 0.06, kReadingMissed = 0.15, kSilenceMissed = 0.03, kJobKnown = 0.7, kJobFailureTold = 0.65;
constexpr double kFirstDetection = 120, kLastDetection = 1200;  // seconds until a detector speaks
constexpr double kHeatDelay = 2400;
constexpr double kStray = 0.12;  // of incidents have an unrelated sign near by
constexpr double kEverySeconds = 1200, kQuietSeconds = 4 * 86400;
constexpr std::size_t kRack = 4, kFeedHosts = 8;

double seconds(Timestamp t) {
  return to_unix_seconds(t);
}

Timestamp moment(double t) {
  return from_unix_ms(std::llround(t * 1000));
}

/// What one incident is made of.
class Story {
 public:
  Story(std::uint64_t seed, std::size_t number, std::size_t host, double t, const Scenario& scenario, double noise)
      : random_(hash_of(seed, 0x1C1D, number)), number_(number), host_(host), t_(t), noise_(noise), scenario_(scenario) {
    if (random_.uniform() < kJobKnown) job_ = fmt::format("job-{}", number);
    told_.at = moment(t);
  }

  SimulatedIncident tell(std::string kind, std::string truth, std::vector<std::size_t> hosts) && {
    stray();
    std::ranges::stable_sort(told_.rumours, {}, [](const Rumour& r) { return r.heard.at; });
    told_.kind = std::move(kind);
    told_.truth = std::move(truth);
    told_.hosts = std::move(hosts);
    return std::move(told_);
  }

  /// A fault of one board; `sign` came before it, if it did.
  void board_fails(const Mode& mode) {
    const int gpu = some_gpu();
    if (mode.failure != mode.sign && random_.uniform() < mode.precursor) {
      const double lead = std::min(random_.lognormal(mode.lead_hours, mode.lead_sigma), 72.0) * 3600;
      strike(mode.sign, host_, gpu, t_ - lead);
    }
    strike(mode.failure, host_, gpu, t_);
  }

  void strike(Fault fault, std::size_t host, int gpu, double t) {
    auto board = board_of(9, host, gpu, scenario_);
    auto around = surroundings_of(9, host, scenario_);
    const auto before = board;
    const auto quiet = around;
    simulation::strike(fault, board, around, t);
    for (double s = t + 1; s <= t + 60; s += 1) live_through(board, around, scenario_, s);
    hear_kernel(board, host, gpu);
    hear_counters(before, board, host, gpu, t);
    hear_silence(before, board, host, gpu, t);
    hear_host(quiet, around, host, t);
    if (around.idle_until > quiet.idle_until) job_fails(host, gpu, t);
  }

  /// A program's error takes all GPUs of its job along.
  void job_bursts(std::size_t hosts) {
    for (std::size_t h = 0; h < hosts; ++h)
      for (int g = 0; g < kGpusPerHost; ++g) {
        const double at = t_ + random_.uniform() * 60;
        if (random_.uniform() < 0.3) strike(Fault::app_xid31, host_ + h, g, at);
        line(host_ + h, g, at + random_.uniform() * 30, random_.uniform() < 0.5 ? 43 : 45, "python");
      }
  }

  void many_hosts_hang(std::size_t fleet_hosts) {
    const auto n = 5 + random_.next() % 12;
    const int code = random_.uniform() < 0.5 ? 119 : 109;
    const bool after_update = random_.uniform() < 0.5;
    for (std::size_t i = 0; i < n; ++i) {
      const auto host = (host_ + i * 17) % fleet_hosts;
      const double at = t_ + random_.uniform() * 180;
      const int gpu = some_gpu();
      job_ = random_.uniform() < kJobKnown ? fmt::format("job-{}-{}", number_, i) : "";
      new_driver_ = after_update;
      if (code == 109) strike(Fault::driver_hang, host, gpu, at);
      else strike(Fault::gsp_hang, host, gpu, at);
      used_.push_back(host);
    }
  }

  void rack_gets_hot() {
    const auto first = host_ / kRack * kRack;
    for (std::size_t h = first; h < first + kRack; ++h) {
      used_.push_back(h);
      for (int g = 0; g < kGpusPerHost; ++g)
        if (random_.uniform() < 0.5) anomaly(Slot::gpu_temp, h, g, t_ + random_.uniform() * kHeatDelay);
    }
  }

  void feed_sags() {
    const auto first = host_ / kFeedHosts * kFeedHosts;
    for (std::size_t h = first; h < first + kFeedHosts; ++h) {
      used_.push_back(h);
      const double down = t_ + random_.uniform() * 20;
      if (random_.uniform() >= noise_ * kSilenceMissed)
        event("source_silent", h, -1, down + 20 + random_.uniform() * 20,
              "no connection within 10s: check the host's power and the firewall");
      event("host_reboot", h, -1, down + 400 + random_.uniform() * 400, {});
      if (random_.uniform() < kJobFailureTold)
        for (int g = 0; g < kGpusPerHost; ++g) event("job_failed", h, g, down + 60 + random_.uniform() * 60, {});
      if (random_.uniform() < facts::kSagFailure) strike(Fault::off_bus, h, some_gpu(), down + 900);
    }
  }

  void errors_are_corrected() {
    const int gpu = some_gpu();
    anomaly(Slot::corrected, host_, gpu, t_);
    if (random_.uniform() < 0.5) anomaly(Slot::corrected, host_, gpu, t_ + 7200);
  }

  std::vector<std::size_t> used() const { return used_.empty() ? std::vector{host_} : used_; }

 private:
  int some_gpu() { return static_cast<int>(random_.next() % kGpusPerHost); }

  void event(std::string kind, std::size_t host, int gpu, double at, std::string detail, int code = 0, std::string process = {},
             bool is_stray = false) {
    faults::Heard h;
    h.id = fmt::format("{}-{}", number_, told_.rumours.size());
    h.at = moment(at);
    h.kind = std::move(kind);
    h.host = simulated_host_name(host);
    h.board = gpu < 0 ? faults::BoardId::none : simulated_board(host, gpu);
    h.detail = std::move(detail);
    h.code = code;
    h.process = std::move(process);
    if (!is_stray && gpu >= 0) h.job = job_;
    told_.rumours.push_back({std::move(h), is_stray});
    if (new_driver_) told_.rumours.back().heard.detail += " (new driver)";
  }

  void line(std::size_t host, int gpu, double at, int code, const std::string& process) {
    if (random_.uniform() < noise_ * kLineLost) return;
    const double late = std::min(900.0, random_.lognormal(facts::kLogDelayMinutes, facts::kLogDelaySigma) * 60);
    event("xid", host, gpu, at + late, fmt::format("the driver reported Xid {}", code), code, random_.uniform() < 0.6 ? process : "");
  }

  void anomaly(Slot slot, std::size_t host, int gpu, double from, double longest = kLastDetection) {
    if (random_.uniform() < noise_ * kReadingMissed) return;
    event("anomaly", host, gpu, from + random_.uniform(kFirstDetection, longest),
          fmt::format("board {}: {}: out of the ordinary (against its own past, warning)",
                      static_cast<unsigned>(simulated_board(host, gpu)), anomaly::watched(slot).word));
  }

  void hear_kernel(const Board& b, std::size_t host, int gpu) {
    // The exporter's gauge and window hold what the kernel logged.
    for (const auto& x : b.xids) line(host, gpu, x.at, x.code, x.code == 31 || x.code == 13 ? "python" : "");
  }

  void hear_counters(const Board& a, const Board& b, std::size_t host, int gpu, double t) {
    const auto rose = [](double before, double after) { return after > before; };
    if (rose(a.memory.dbe_volatile, b.memory.dbe_volatile)) anomaly(Slot::uncorrected, host, gpu, t);
    if (b.memory.remap_pending && !a.memory.remap_pending) anomaly(Slot::remap_pending, host, gpu, t);
    if (b.memory.remap_failed && !a.memory.remap_failed) anomaly(Slot::remap_failure, host, gpu, t);
    if (b.memory.banks[4] > a.memory.banks[4]) anomaly(Slot::banks_without_spares, host, gpu, t);
    if (b.ill.corrected_per_s > 0) anomaly(Slot::corrected, host, gpu, t);
    if (b.links.up != a.links.up) anomaly(Slot::links_up, host, gpu, t);
    if (b.ill.crc_per_s > 0) anomaly(Slot::nvlink_crc, host, gpu, t);
    if (b.links.pcie_width < a.links.pcie_width) anomaly(Slot::pcie_width, host, gpu, t);
    if (b.ill.pcie_replays_per_s > 0) anomaly(Slot::pcie_replays, host, gpu, t);
    if (b.ill.cooling_target > 1) {
      anomaly(Slot::gpu_temp, host, gpu, t, kHeatDelay);
      if (b.ill.cooling_target > 2) anomaly(Slot::heat_slowdown, host, gpu, t);
    }
    if (b.ill.sensor_stuck && random_.uniform() >= noise_ * kReadingMissed)
      event("anomaly", host, gpu, t + 1200,
            "board: GPU temperature: no change for 20 min although the power moved (against its own past, warning)");
  }

  void hear_silence(const Board& a, const Board& b, std::size_t host, int gpu, double t) {
    if (b.ill.gone && !a.ill.gone && random_.uniform() >= noise_ * kSilenceMissed)
      event("gpu_missing", host, gpu, t + 30 + random_.uniform() * 20, "is no longer on its host's page");
    if (b.ill.frozen && !b.ill.gone && random_.uniform() < 0.6) event("readings_frozen", host, gpu, t + 60 + random_.uniform() * 120, {});
  }

  void hear_host(const Surroundings& quiet, const Surroundings& around, std::size_t host, double t) {
    if (around.air > quiet.air)
      for (int g = 0; g < kGpusPerHost; ++g) anomaly(Slot::gpu_temp, host, g, t);
    if (around.brake_from > 0)
      for (int g = 0; g < kGpusPerHost; ++g) anomaly(Slot::power_brake, host, g, t);
    if (around.page_500)
      event("source_silent", host, -1, t + 30, "does not answer: http://h:9400/metrics: answered 500 Internal Server Error");
    if (around.page_hangs)
      event("source_silent", host, -1, t + 40,
            random_.uniform() < 0.8 ? "does not answer: connected, but no answer within 10s" : "does not answer: no connection within 10s");
  }

  void job_fails(std::size_t host, int gpu, double t) {
    if (random_.uniform() >= kJobFailureTold) return;
    const double at = t + 10 + random_.uniform() * 110;
    // Where a scheduler tells, it tells of all GPUs of the job on that host.
    for (int g = 0; g < kGpusPerHost; ++g)
      if (g == gpu || !job_.empty()) event("job_failed", host, g, at, {});
  }

  // Things that happen anyway: a row remapped for good, corrected errors, a warm board, somebody else's page fault.
  void stray() {
    if (random_.uniform() >= noise_ * kStray) return;
    const double at = t_ + random_.uniform(-3600, 3600);
    const int gpu = some_gpu();
    const double u = random_.uniform();
    if (u < 0.4) event("xid", host_, gpu, at, {}, 31, "python", true);
    else if (u < 0.6) event("xid", host_, gpu, at, {}, 63, {}, true);
    else
      event("anomaly", host_, gpu, at,
            fmt::format("board 0: {}: out of the ordinary (against its own past, warning)",
                        anomaly::watched(u < 0.8 ? Slot::corrected : Slot::gpu_temp).word),
            0, {}, true);
  }

  Random random_;
  std::size_t number_, host_;
  double t_, noise_;
  const Scenario& scenario_;
  std::string job_;
  bool new_driver_ = false;
  SimulatedIncident told_;
  std::vector<std::size_t> used_;
};

/// Kinds beside the scenario's modes, and how often: as much as a middling mode, for a decoy matters as much as a failure.
enum class Decoy {
  app_fault,
  app_burst,
  page_500,
  page_hang,
  gpu_vanish,
  sensor_stuck,
  rack_heat,
  feed_sag,
  host_brake,
  fan,
  driver_burst,
  corrected,
  row
};
struct DecoyRow {
  Decoy decoy;
  const char* kind;
  const char* truth;
  double weight;
};
constexpr DecoyRow kDecoys[] = {
    {Decoy::app_fault, "app_fault", "application", 0.25},
    {Decoy::app_burst, "app_burst", "application", 0.25},
    {Decoy::page_500, "page_500", "monitoring", 0.12},
    {Decoy::page_hang, "page_hang", "monitoring", 0.12},
    {Decoy::gpu_vanish, "gpu_vanish", "unknown", 0.06},
    {Decoy::sensor_stuck, "sensor_stuck", "sensor", 0.10},
    {Decoy::rack_heat, "rack_heat", "rack_heat", 0.12},
    {Decoy::feed_sag, "feed_sag", "power_feed", 0.12},
    {Decoy::host_brake, "host_brake", "host_power", 0.10},
    {Decoy::fan, "fan_fail", "host_cooling", 0.12},
    {Decoy::driver_burst, "driver_burst", "driver_software", 0.12},
    {Decoy::corrected, "corrected_spell", "memory_ageing", 0.12},
    {Decoy::row, "row_remapped", "memory_row", 0.10},
};

/// The scenario's modes in the ranking's words.
struct ModeTruth {
  std::string_view mode, truth;
};
constexpr ModeTruth kTruths[] = {{"hbm_uncorrectable", "memory_error"},
                                 {"row_remap_exhaustion", "memory_worn_out"},
                                 {"fell_off_bus", "off_bus"},
                                 {"gsp_hang", "gsp_firmware"},
                                 {"nvlink", "nvlink_link"},
                                 {"thermal", "board_cooling"},
                                 {"power_vrm", "board_power"},
                                 {"pcie_degradation", "pcie_link"},
                                 {"sram_ecc", "sram_error"},
                                 {"sdc_compute", "unknown"},
                                 {"driver_hang", "driver_software"},
                                 {"unexplained", "unknown"}};

void happen(Decoy what, Story& story, std::size_t host, double t, std::size_t fleet, std::uint64_t draw) {
  const int gpu = static_cast<int>(draw % kGpusPerHost);
  switch (what) {
    case Decoy::app_fault: return story.strike(Fault::app_xid31, host, gpu, t);
    case Decoy::app_burst: return story.job_bursts(1 + draw % 4);
    case Decoy::page_500: return story.strike(Fault::page_500, host, gpu, t);
    case Decoy::page_hang: return story.strike(Fault::page_hang, host, gpu, t);
    case Decoy::gpu_vanish: return story.strike(Fault::gpu_vanish, host, gpu, t);
    case Decoy::sensor_stuck: return story.strike(Fault::sensor_stuck, host, gpu, t);
    case Decoy::rack_heat: return story.rack_gets_hot();
    case Decoy::feed_sag: return story.feed_sags();
    case Decoy::host_brake: return story.strike(Fault::power_brake, host, gpu, t);
    case Decoy::fan: return story.strike(Fault::fan_fail, host, gpu, t);
    case Decoy::driver_burst: return story.many_hosts_hang(fleet);
    case Decoy::corrected: return story.errors_are_corrected();
    case Decoy::row: return story.strike(Fault::row_remap_pending, host, gpu, t);
  }
}

constexpr std::size_t kH100 = 1;  // of a mode's rates

// The rarer half of the modes would hardly show: the square root keeps their order and lets each be judged.
double weight_of(const Mode& m) {
  return std::sqrt(m.rate[kH100]);
}

}  // namespace

std::string simulated_host_name(std::size_t host) {
  return fmt::format("sim-{:04}", host);
}

faults::BoardId simulated_board(std::size_t host, int gpu) {
  return static_cast<faults::BoardId>(host * 100 + static_cast<std::size_t>(gpu) + 1);
}

faults::Where where_of(std::size_t host, int gpu, const std::string& job) {
  faults::Where w;
  w.gpu = gpu < 0 ? "" : fmt::format("{}/{}", simulated_host_name(host), gpu);
  w.rack = fmt::format("rack-{}", host / kRack);
  w.feed = fmt::format("feed-{}", host / kFeedHosts);
  w.job = job;
  w.boards_on_host = kGpusPerHost;
  w.driver = "570.86.15";
  return w;
}

std::vector<SimulatedIncident> simulate_incidents(const IncidentPlan& plan) {
  const auto failing = scenario_named("literature", plan.seed);
  const auto healthy = scenario_named("healthy", plan.seed);
  Random random(hash_of(plan.seed, 0x1C1));
  std::vector<double> free_from(plan.hosts, 0);
  double all = 0;
  for (const auto& m : failing->modes) all += weight_of(m);
  for (const auto& d : kDecoys) all += d.weight;
  std::vector<SimulatedIncident> out;
  for (std::size_t n = 0; n < plan.incidents; ++n) {
    const double t = seconds(plan.start) + static_cast<double>(n) * kEverySeconds + random.uniform() * kEverySeconds;
    std::size_t host = 0;
    // Four hosts on end belong to one rack: a burst stays on quiet ones.
    for (int tries = 0; tries < 200; ++tries) {
      host = random.next() % (plan.hosts / kRack) * kRack;
      if (free_from[host] <= t) break;
    }
    Story story(plan.seed, n, host, t, *healthy, std::clamp(plan.noise, 0.0, 5.0));
    double u = random.uniform() * all;
    const auto draw = random.next();
    std::string kind, truth;
    for (const auto& m : failing->modes)
      if (kind.empty() && (u -= weight_of(m)) < 0) {
        kind = m.name;
        truth = std::ranges::find(kTruths, m.name, &ModeTruth::mode)->truth;
        story.board_fails(m);
      }
    for (const auto& d : kDecoys)
      if (kind.empty() && (u -= d.weight) < 0) {
        kind = d.kind;
        truth = d.truth;
        happen(d.decoy, story, host, t, plan.hosts, draw);
      }
    auto used = story.used();
    for (std::size_t h = host / kFeedHosts * kFeedHosts; h < std::min(plan.hosts, host / kFeedHosts * kFeedHosts + kFeedHosts); ++h)
      free_from[h] = t + kQuietSeconds;
    for (const auto h : used) free_from[h] = t + kQuietSeconds;
    out.push_back(std::move(story).tell(kind, truth, std::move(used)));
  }
  return out;
}

}  // namespace ghm::services
