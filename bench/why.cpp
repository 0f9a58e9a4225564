// GET why over a fleet's months, and what incidents cost live: docs/benchmarks.md, `./dev bench why`.
//   why_bench FOLDER [GPUS 10000] [DAYS 90]
// Assumed rates (per GPU and day unless said): 0.5 anomalies with their end, 0.2 programs' Xids, 0.02 ledger events, 0.002 hardware
// Xids, a job; per host and day one slow page with its end; twenty boards that tell 55 corrected-error anomalies a day each.
// DAYS 0: no history, only what incidents cost live.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "adapters/sqlite/sqlite_store.h"
#include "pipeline/ledger_records.h"
#include "services/incidents.h"
#include "services/why.h"

namespace ghm {
namespace {

using Clock = std::chrono::steady_clock;
using store::Record;
constexpr auto kDay = std::chrono::days(1);
const Timestamp kNow = from_unix_ms(1'800'000'000'000);

double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

// Of this thread alone: other programs on the machine do not count.
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class T>
T must(Result<T> r) {
  if (!r) fmt::print(stderr, "{}\n", r.error().what), std::exit(1);
  if constexpr (!std::is_void_v<T>) return std::move(*r);
}

struct Bench {
  int gpus, days;
  std::unique_ptr<sqlite::SqliteStore> store;
  fleet::Ledger ledger;
  std::vector<fleet::BoardId> boards;
  std::mt19937_64 random{7};
  std::uint64_t sequence = 0;
  std::vector<Record> waiting;
  std::vector<std::string> jobs;
  std::size_t events = 0, intervals = 0;
  nlohmann::json figures;  // for run.py, on standard output

  double uniform() { return std::uniform_real_distribution<double>(0, 1)(random); }
  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random() % n); }

  void make_ledger() {
    for (int h = 0; h < gpus / 8; ++h) {
      fleet::Sighting s;
      s.host = fmt::format("gpu-host-{}", h + 1);
      s.source = s.host + ":9400";
      s.place = {"eu", "dc1", fmt::format("r{}", h / 4 + 1)};
      s.at = kNow - (days + 1) * kDay;
      std::vector<telemetry::GpuIdentity> ids(8);
      for (int g = 0; g < 8; ++g) {
        ids[g].serial = fmt::format("165{:07}{}", h, g);
        ids[g].model = "NVIDIA H100 80GB HBM3";
        ids[g].driver_version = "570.86.15";
        ids[g].pci_bus_id = fmt::format("00000000:{:02X}:00.0", g + 1);
      }
      for (const auto id : ledger.sight(s, ids)) boards.push_back(id);
    }
    auto changes = ledger.take_changes();
    changes.events.clear();
    must(store->put(pipeline::to_records(changes, ledger, kNow, sequence)));
  }

  Record event(Timestamp at, const char* kind, fleet::BoardId id, const std::string& host, std::string detail, int code = 0) {
    const auto* board = ledger.find(id);
    fleet::FleetEvent e{at, kind, id, board != nullptr ? board->host : host, std::move(detail)};
    e.code = code;
    ++events;
    return pipeline::to_record(e, board, ++sequence);
  }

  void keep(Record r) {
    waiting.push_back(std::move(r));
    if (waiting.size() >= 20'000) flush();
  }
  void flush() {
    must(store->put(waiting));
    waiting.clear();
  }

  // A day's jobs: blocks of hosts, 1 to 64 of them.
  void run_jobs(Timestamp day) {
    const std::size_t hosts = boards.size() / 8;
    for (std::size_t h = 0; h < hosts;) {
      const auto width = std::min(hosts - h, std::size_t{1} << pick(7));
      const auto name = std::to_string(100'000 + jobs.size());
      const auto from = day + std::chrono::minutes(pick(60)), to = day + 23h - std::chrono::minutes(pick(600));
      for (std::size_t b = 8 * h; b < 8 * (h + width); ++b, ++intervals)
        keep(pipeline::to_record(fleet::Interval{boards[b], "job", name, {{"user", "ana"}, {"partition", "train"}}, from, to}));
      jobs.push_back(name);
      h += width;
    }
  }

  std::vector<Record> day_of_events(Timestamp day) {
    std::vector<Record> all;
    const auto some = [&](double rate, auto make) {
      const auto n = static_cast<std::size_t>(rate * static_cast<double>(boards.size()) + uniform());
      for (std::size_t k = 0; k < n; ++k) make(boards[pick(boards.size())], day + std::chrono::milliseconds(pick(86'400'000)));
    };
    some(0.5, [&](auto b, Timestamp t) {
      const auto sentence =
          fmt::format("board {}: SM clock: 1,410 MHz against 1,755 MHz of its peers, for the last five minutes", static_cast<int>(b));
      all.push_back(event(t, "anomaly", b, "", sentence));
      all.push_back(event(t + 20min, "anomaly_cleared", b, "", fmt::format("board {}: over after 20m: SM clock", static_cast<int>(b))));
    });
    some(0.2, [&](auto b, Timestamp t) { all.push_back(event(t, "xid", b, "", "Xid 31: MMU fault in a user's process", 31)); });
    some(0.02, [&](auto b, Timestamp t) { all.push_back(event(t, "driver_note", b, "", "driver 570.86.15 was loaded again")); });
    constexpr int kHard[] = {48, 63, 74, 79, 95, 119};
    some(0.002, [&](auto b, Timestamp t) { all.push_back(event(t, "xid", b, "", "a hardware Xid", kHard[pick(6)])); });
    for (std::size_t h = 0; h < boards.size() / 8; ++h) {
      const auto host = fmt::format("gpu-host-{}", h + 1);
      const auto t = day + std::chrono::minutes(pick(1400));
      all.push_back(event(t, "source_slow", fleet::BoardId::none, host, "its page took 4 s"));
      all.push_back(event(t + 5min, "source_quick", fleet::BoardId::none, host, "its page is quick again"));
    }
    for (std::size_t n = 0; n < 20; ++n)
      for (int k = 0; k < 55; ++k)
        all.push_back(event(day + std::chrono::milliseconds(pick(86'400'000)), "anomaly", boards[n * 17], "",
                            "board: corrected errors: 40 in ten minutes"));
    std::ranges::stable_sort(all, {}, &Record::at);
    return all;
  }

  void build() {
    auto started = Clock::now();
    make_ledger();
    services::Incidents incidents(ledger, std::make_shared<faults::FaultCatalogue>(faults::FaultCatalogue::built_in()), Log::off());
    double taking = 0;
    for (int d = 0; d < days; ++d) {
      const auto day = kNow - (days - d) * kDay;
      run_jobs(day);
      auto all = day_of_events(day);
      for (std::size_t n = 0; n < all.size(); n += 200) {
        std::vector<Record> batch(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(n)),
                                  std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(std::min(n + 200, all.size()))));
        const auto t = cpu_seconds();
        incidents.take(batch, batch.back().at);
        taking += cpu_seconds() - t;
        for (auto& r : batch) keep(std::move(r));
      }
      incidents.tick({}, day + kDay);
    }
    flush();
    const auto counts = incidents.book().counts();
    figures.update({{"events", events},
                    {"intervals", intervals},
                    {"incidents", counts.opened},
                    {"take_us", 1e6 * taking / static_cast<double>(events)}});
    fmt::print(stderr, "built  {} events, {} job intervals, {} incidents in {:.1f} s; incidents took {:.1f} µs per event\n", events,
               intervals, counts.opened, seconds_since(started), 1e6 * taking / static_cast<double>(events));
  }

  views::FleetSnapshot snapshot() const {
    views::FleetSnapshot f;
    f.as_of = kNow;
    std::map<std::string, std::vector<std::size_t>> of_host;
    for (const auto& [id, b] : ledger.boards()) {
      of_host[b.host].push_back(f.boards.size());
      f.boards.emplace_back().board = b;
    }
    for (const auto& [name, h] : ledger.hosts()) f.hosts.push_back({h, false, of_host[name]});
    return f;
  }

  template <class Make>
  void measure(const char* what, int times, Make make) {
    const auto fleet = snapshot();
    std::vector<double> ms, cpu;
    std::size_t bytes = 0;
    for (int n = 0; n < times; ++n) {
      services::WhyQuestion q = make(n);
      q.days = days;
      const auto t = Clock::now();
      const auto c = cpu_seconds();
      const auto facts = must(services::why_facts(*store, *store, fleet, q, kNow));
      bytes = std::max(bytes, views::causal_answer(facts).dump().size());
      ms.push_back(1000 * seconds_since(t));
      cpu.push_back(1000 * (cpu_seconds() - c));
    }
    std::ranges::sort(ms);
    std::ranges::sort(cpu);
    figures["why"][what] = {{"median_ms", ms[ms.size() / 2]},
                            {"worst_ms", ms.back()},
                            {"cpu_ms", cpu[cpu.size() / 2]},
                            {"worst_cpu_ms", cpu.back()},
                            {"of", ms.size()}};
    fmt::print(stderr, "why    {:<22} median {:7.1f} ms, worst {:7.1f} ms; CPU {:6.1f} and {:6.1f} ms; of {}, largest answer {} kB\n", what,
               ms[ms.size() / 2], ms.back(), cpu[cpu.size() / 2], cpu.back(), ms.size(), bytes / 1000);
  }

  void ask() {
    measure("a board", 200, [&](int) {
      services::WhyQuestion q;
      q.board = pick(boards.size());
      return q;
    });
    measure("a board that babbles", 20, [&](int n) {
      services::WhyQuestion q;
      q.board = static_cast<std::size_t>(n) * 17;
      return q;
    });
    measure("a host", 200, [&](int) {
      services::WhyQuestion q;
      q.host = fmt::format("gpu-host-{}", pick(boards.size() / 8) + 1);
      return q;
    });
    measure("a job, 8 to 512 GPUs", 200, [&](int) {
      services::WhyQuestion q;
      q.job = jobs[pick(jobs.size())];
      return q;
    });
    measure("a board, long ago", 200, [&](int) {
      services::WhyQuestion q;
      q.board = pick(boards.size());
      q.at = kNow - (days / 2) * kDay;
      return q;
    });
  }

  // What the ingest thread pays: an hour of a normal fleet, then 10,000 signs at once, host by host as their pages come.
  void live() {
    services::Incidents incidents(ledger, std::make_shared<faults::FaultCatalogue>(faults::FaultCatalogue::built_in()), Log::off());
    auto t = cpu_seconds();
    must(incidents.restore(*store, kNow));
    fmt::print(stderr, "live   restart reads the incidents in {:.1f} s\n", (cpu_seconds() - t));
    auto day = day_of_events(kNow);
    const auto hour = std::min(day.size(), day.size() / 24);
    t = cpu_seconds();
    for (std::size_t n = 0; n < hour; ++n) {
      std::vector<Record> one{day[n]};
      incidents.take(one, day[n].at);
    }
    const double normal = (cpu_seconds() - t);
    figures["hour_ms"] = 1000 * normal;
    const auto fleet = snapshot();
    t = cpu_seconds();
    for (int n = 0; n < 100; ++n) incidents.tick(fleet, kNow + n * 16s);
    fmt::print(stderr, "live   a normal hour: {} events, {:.1f} ms of the ingest thread; a look every 15 s {:.2f} ms\n", hour,
               1000 * normal, 10 * (cpu_seconds() - t));
    storm(incidents, "the same Xid on every board", [](std::size_t) { return 119; });
    storm(incidents, "an own fault on every board", [](std::size_t n) { return n % 2 == 0 ? 48 : 79; });
  }

  template <class Code>
  void storm(services::Incidents& incidents, const char* what, Code code) {
    double worst = 0, all = 0;
    std::size_t bytes = 0;
    const auto at = kNow + (sequence % 7) * 1h;
    for (std::size_t h = 0; h < boards.size() / 8; ++h) {
      std::vector<Record> page;
      for (std::size_t g = 8 * h; g < 8 * h + 8; ++g)
        page.push_back(event(at + std::chrono::milliseconds(h * 8), "xid", boards[g], "", "storm", code(g)));
      const auto t = cpu_seconds();
      incidents.take(page, at);
      const auto took = (cpu_seconds() - t);
      worst = std::max(worst, took);
      all += took;
      for (const auto& r : page) bytes += r.body.size();
    }
    figures["storm"][what] = {{"seconds", all}, {"worst_page_ms", 1000 * worst}, {"signs", boards.size()}};
    fmt::print(stderr, "live   storm, {}: {} signs in {:.2f} s, worst page {:.1f} ms, {:.1f} MB of records, {} open incidents\n", what,
               boards.size(), all, 1000 * worst, static_cast<double>(bytes) / 1e6, incidents.book().counts().open);
  }
};

}  // namespace
}  // namespace ghm

int main(int argc, char** argv) {
  if (argc < 2) return fmt::print(stderr, "why_bench FOLDER [GPUS 10000] [DAYS 90]\n"), 2;
  ghm::Bench bench;
  bench.gpus = argc > 2 ? std::atoi(argv[2]) : 10'000;
  bench.days = argc > 3 ? std::atoi(argv[3]) : 90;
  bench.store = ghm::must(ghm::sqlite::SqliteStore::open(argv[1], {}, ghm::Log::off()));
  if (bench.days > 0) bench.build();
  else bench.make_ledger();
  std::uintmax_t bytes = 0;
  for (const auto& f : std::filesystem::directory_iterator(argv[1])) bytes += f.file_size();
  fmt::print(stderr, "size   {:.0f} MB on disk\n", static_cast<double>(bytes) / 1e6);
  bench.figures["mb"] = static_cast<double>(bytes) / 1e6;
  if (bench.days > 0) bench.ask();
  bench.live();
  fmt::print("{}\n", bench.figures.dump());
}
