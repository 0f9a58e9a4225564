// How often the anomaly detectors cry wolf on healthy fleets, and what they see of each injected fault, when.
//   build/release/anomaly_bench [GPU-DAYS] [BOARDS PER FAULT] [SEED] [--verbose]
// Boards live by the second and are looked at once a minute. False alarms: racks of four hosts of scenario `healthy`, each rack with a seed
// of its own, 20 days long; a fifth as many with gaps, and a fifth as hosts of two boards, whose only peers are the rack's. In a rack of
// two models nobody hears two other hosts of his own, so that the rack is no peer: seeds of such racks are left out. Faults: a host
// that has lived 30 hours; each fault from there on, 4 hours long. The bound is the exact Poisson one: half a chi-square quantile (Garwood,
// Biometrika 28, 1936).
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <thread>

#include "pipeline/watched_host_for_test.h"

namespace ghm {
namespace {

using anomaly::AnomalyChange;
using pipeline::test::WatchedHost;
using pipeline::test::WatchedRack;
using simulation::Fleet;

const Timestamp kBirth = from_unix_ms(1'770'000'000'000);
constexpr int kGpus = 8, kDays = 20;

/// The largest mean under which `events` or fewer still have a chance of 5 % (one-sided 95 % bound): by bisection.
double poisson_bound(std::uint64_t events) {
  double low = 0, high = static_cast<double>(events) * 2 + 20;
  for (int i = 0; i < 100; ++i) {
    const double mean = (low + high) / 2;
    double term = std::exp(-mean), sum = term;
    for (std::uint64_t n = 1; n <= events; ++n) sum += term *= mean / static_cast<double>(n);
    (sum > 0.05 ? low : high) = mean;
  }
  return high;
}

WatchedHost host_of(std::uint64_t seed, std::string_view scenario = "healthy") {
  return {std::move(*Fleet::create({kGpus, seed, std::string(scenario), kBirth})), 0};
}

std::string name_of(const anomaly::Anomaly& a) {
  for (const auto& w : anomaly::watched_metrics())
    if (w.fields[0] == a.metric)
      return fmt::format("{}: {}{}", anomaly::to_string(a.detector), w.word, a.board == telemetry::BoardId::none ? ", host" : "");
  return "?";
}

struct Alarms {
  double gpu_days = 0;
  std::uint64_t opened = 0, gaps = 0;
  std::map<std::string, int> by;
  void add(const Alarms& o) {
    gpu_days += o.gpu_days, opened += o.opened, gaps += o.gaps;
    for (const auto& [name, n] : o.by) by[name] += n;
  }
};

bool verbose = false;

struct Way {
  bool gaps = false;
  std::size_t boards = kGpus;  // of a host
};

Alarms live_healthy(std::uint64_t seed, Way way) {
  Alarms out;
  WatchedRack rack(seed, "healthy", kBirth, way.boards);
  for (int minute = 0; minute < kDays * 24 * 60; ++minute)
    for (std::size_t h = 0; h < WatchedRack::kHosts; ++h) {
      const auto now = kBirth + std::chrono::minutes(minute);
      for (const auto& change : rack[h].live(now, !way.gaps || !pipeline::test::is_gap(seed, h, now))) {
        if (!change.opened) continue;
        ++out.opened;
        ++out.by[name_of(change.anomaly)];
        if (verbose)
          fmt::print(stderr, "seed {} host {} minute {} board {}: {}\n", seed, h, minute, static_cast<int>(change.anomaly.board),
                     change.anomaly.sentence);
      }
    }
  out.gpu_days = static_cast<double>(WatchedRack::kHosts * way.boards * kDays);
  for (std::size_t h = 0; h < WatchedRack::kHosts; ++h) out.gaps += rack[h].watch().counts().gaps;
  return out;
}

struct Seen {
  int boards = 0, seen = 0, others = 0;
  std::vector<double> delay;
  std::map<std::string, int> by;
  void add(const Seen& o) {
    boards += o.boards, seen += o.seen, others += o.others;
    delay.insert(delay.end(), o.delay.begin(), o.delay.end());
    for (const auto& [name, n] : o.by) by[name] += n;
  }
};

void suffer(WatchedHost host, Timestamp from, int board, std::string_view fault, Seen& out) {
  (void)host.fleet().inject(std::to_string(board), fault, from);
  ++out.boards;
  const bool host_wide = fault == "fan_fail" || fault == "power_brake";  // all boards of the host have it
  double first = -1;
  for (int minute = 1; minute <= 240; ++minute)
    for (const auto& change : host.live(from + std::chrono::minutes(minute))) {
      if (!change.opened) continue;
      const auto about = static_cast<int>(change.anomaly.board);
      if (about != 0 && about != board + 1 && !host_wide) {
        ++out.others;
        if (verbose) fmt::print(stderr, "{} of board {}: board {}: {}\n", fault, board + 1, about, change.anomaly.sentence);
        continue;
      }
      ++out.by[name_of(change.anomaly)];
      if (first < 0) first = minute;
    }
  if (first < 0) return;
  ++out.seen;
  out.delay.push_back(first);
}

using Faults = std::map<std::string, Seen>;

Faults suffer_all(std::uint64_t seed) {
  constexpr int kWarm = 30 * 60;
  auto host = host_of(seed);
  for (int minute = 0; minute <= kWarm; ++minute) (void)host.live(kBirth + std::chrono::minutes(minute));
  Faults out;
  for (const auto fault : Fleet::faults())
    suffer(host, kBirth + std::chrono::minutes(kWarm), static_cast<int>(seed % kGpus), fault, out[std::string(fault)]);
  return out;
}

bool is_of_one_model(std::uint64_t seed) {
  WatchedRack rack(seed, "healthy", kBirth, 1);
  std::set<std::string> models;
  for (std::size_t h = 0; h < WatchedRack::kHosts; ++h) {
    (void)rack[h].live(kBirth);
    for (const auto& seat : rack[h].watch().seats()) models.insert(seat.model);
  }
  return models.size() == 1;
}

using Seeds = std::vector<std::uint64_t>;

/// The next `count` seeds from `from` on whose rack is of one model; `from` is then behind them.
Seeds next_racks(std::uint64_t& from, std::uint64_t count) {
  Seeds seeds;
  for (; seeds.size() < count; ++from)
    if (is_of_one_model(from)) seeds.push_back(from);
  return seeds;
}

/// One job per seed, on all cores.
template <class T, class Job>
T over_seeds(const Seeds& seeds, Job job, void (*add)(T&, const T&)) {
  std::vector<T> all(seeds.size());
  std::atomic<std::uint64_t> next{0};
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); ++t)
    threads.emplace_back([&] {
      for (auto n = next++; n < seeds.size(); n = next++) all[n] = job(seeds[n]);
    });
  threads.clear();
  T out;
  for (const auto& one : all) add(out, one);
  return out;
}

void print(const char* what, const Alarms& a) {
  fmt::print("| {} | {:.0f} | {} | {} | {:.2f} | {:.2f} |\n", what, a.gpu_days, a.gaps, a.opened,
             1000 * static_cast<double>(a.opened) / a.gpu_days, 1000 * poisson_bound(a.opened) / a.gpu_days);
  for (const auto& [name, n] : a.by) fmt::print(stderr, "  {}: {}\n", name, n);
}

void print(const std::string& fault, Seen s) {
  std::ranges::sort(s.delay);
  std::vector<std::pair<int, std::string>> by;
  for (const auto& [name, n] : s.by) by.emplace_back(-n, name);
  std::ranges::sort(by);
  std::string what;
  for (const auto& [n, name] : by) what += fmt::format("{}{} ({})", what.empty() ? "" : ", ", name, -n);
  const auto delay = s.delay.empty() ? std::string("–") : fmt::format("{:.0f} min", s.delay[s.delay.size() / 2]);
  const auto slow = s.delay.empty() ? std::string("–") : fmt::format("{:.0f} min", s.delay[s.delay.size() * 9 / 10]);
  fmt::print("| `{}` | {} of {} | {} | {} | {} | {} |\n", fault, s.seen, s.boards, delay, slow, s.others, what);
}

int run(double gpu_days, std::uint64_t boards, std::uint64_t seed) {
  const auto racks = static_cast<std::uint64_t>(std::ceil(gpu_days / (WatchedRack::kHosts * kGpus * kDays))), fifth = (racks + 4) / 5;
  const auto add = +[](Alarms& to, const Alarms& one) { to.add(one); };
  auto next = seed;
  const auto live = [&](const char* what, std::uint64_t count, Way way) {
    const auto job = [way](std::uint64_t s) { return live_healthy(s, way); };
    print(what, over_seeds<Alarms>(next_racks(next, count), job, add));
  };
  if (racks > 0) {
    fmt::print("| healthy fleet | GPU-days | gaps | false alarms | per 1,000 GPU-days | 95 % bound |\n|---|---|---|---|---|---|\n");
    live("without gaps", racks, {});
    live("with gaps", fifth, {.gaps = true});
    live("hosts of two boards", fifth, {.boards = 2});
  }
  Seeds hosts(boards);
  std::iota(hosts.begin(), hosts.end(), seed + 1'000'000);
  const auto faults = over_seeds<Faults>(
      hosts, suffer_all, +[](Faults& to, const Faults& one) {
        for (const auto& [fault, seen] : one) to[fault].add(seen);
      });
  fmt::print("\n| fault | seen | median delay | 90 % | of healthy neighbours | by |\n|---|---|---|---|---|---|\n");
  for (const auto fault : Fleet::faults())
    if (const auto it = faults.find(std::string(fault)); it != faults.end()) print(it->first, it->second);
  return 0;
}

}  // namespace
}  // namespace ghm

int main(int argc, char** argv) {
  const auto number = [&](int n, double otherwise) { return argc > n ? std::atof(argv[n]) : otherwise; };
  ghm::verbose = argc > 4;
  return ghm::run(number(1, 20'000), static_cast<std::uint64_t>(number(2, 50)), static_cast<std::uint64_t>(number(3, 5'000)));
}
