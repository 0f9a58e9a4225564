// What the embedded store promises at 10,000 GPUs: answers within a chart's patience, a restart within a supervisor's.
// Rows are a simulated host's, given to every host; GHM_BENCH_GPUS and GHM_BENCH_MINUTES change the size of the head.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "adapters/sqlite/sqlite_store.h"
#include "contract/simulated_rows.h"
#include "domain/views/json_views.h"

namespace ghm::store {
namespace {

namespace fs = std::filesystem;
namespace field = telemetry::field;
using telemetry::BoardId;

constexpr Timestamp kNoon = Timestamp(std::chrono::milliseconds(1'770'638'400'000));  // 2026-02-09T12:00:00Z
constexpr auto kEvery = 10s;

int from_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}

class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "ghm-bench-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Scratch() {
    store_.reset();
    fs::remove_all(folder_);
  }
  void open() {
    store_.reset();
    auto opened = sqlite::SqliteStore::open(folder_, {}, Log::off());
    if (!opened) throw std::runtime_error(opened.error().what);
    store_ = std::move(*opened);
  }
  void append(const std::vector<RowBatch>& rows) {
    if (auto done = store_->append(rows); !done) throw std::runtime_error(done.error().what);
  }
  void maintain(Timestamp now) {
    while (store_->maintain(now).value()) {
    }
  }
  sqlite::SqliteStore& store() { return *store_; }

 protected:
  fs::path folder_;
  std::unique_ptr<sqlite::SqliteStore> store_;
};

/// The columns of a host, as another host's: its boards are numbered on.
Columns moved(const Columns& columns, std::uint32_t host) {
  auto keys = *columns;
  for (auto& k : keys) {
    const auto board = static_cast<std::uint32_t>(k.board);
    k.board = BoardId{board >= SimulatedRows::kFirstHost ? SimulatedRows::kFirstHost + host : board + 8 * host};
  }
  return std::make_shared<const std::vector<SeriesKey>>(std::move(keys));
}

/// A fleet whose last hour is not sealed.
struct FullHead : Scratch {
  explicit FullHead(int gpus) {
    open();
    const auto minutes = from_environment("GHM_BENCH_MINUTES", 60);
    const auto hosts = static_cast<std::uint32_t>(gpus / 8);
    SimulatedRows one(8, kNoon);
    std::vector<Columns> columns;
    Columns known;
    for (auto t = kNoon; t < kNoon + std::chrono::minutes(minutes); t += kEvery) {
      const auto row = one.row(0, t);
      if (row.columns != known) {
        columns.clear();
        for (std::uint32_t h = 0; h < hosts; ++h) columns.push_back(moved(row.columns, h));
        known = row.columns;
      }
      // As the keeper gathers them: a tenth of a second each.
      std::vector<RowBatch> rows;
      for (std::uint32_t h = 0; h < hosts; ++h) {
        rows.push_back({fmt::format("host-{}:9400", h), columns[h], t + h * kEvery / hosts, row.values});
        if (rows.size() < std::max<std::size_t>(1, hosts / 100)) continue;
        append(rows);
        rows.clear();
      }
      append(rows);
      maintain(t);
    }
  }
  static FullHead& of(int gpus) {
    static std::map<int, std::unique_ptr<FullHead>> made;
    auto& slot = made[gpus];
    if (!slot) slot = std::make_unique<FullHead>(gpus);
    return *slot;
  }
};

/// One GPU's 30 days, all but the last hour sealed: a simulated day over and over.
struct Month : Scratch {
  Month() {
    open();
    SimulatedRows one(1, kNoon);
    std::vector<RowBatch> day;
    for (auto t = kNoon; t < kNoon + 24h; t += kEvery) day.push_back(one.row(0, t));
    for (int d = 0; d < kDays; ++d) {
      auto rows = day;
      for (auto& r : rows) r.at += d * 24h;
      append(rows);
      maintain(rows.back().at);
      maintain(rows.back().at + 2min);
    }
  }
  static constexpr int kDays = 30;
  static constexpr Timestamp kEnd = kNoon + kDays * 24h;
  static Month& once() {
    static Month month;
    return month;
  }
};

/// Times each round and reports the slowest of twenty.
template <class Work>
void rounds(benchmark::State& state, Work work) {
  std::vector<double> ms;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    work();
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::ranges::sort(ms);
  state.counters["p50_ms"] = ms[ms.size() / 2];
  state.counters["p95_ms"] = ms[ms.size() * 95 / 100];
}

std::size_t json_of_series(sqlite::SqliteStore& store, TimeRange range, std::chrono::milliseconds width) {
  const SeriesKey key{BoardId{1}, {}, field::power_usage};
  auto buckets = store.aggregate(key, range, width).value();
  const auto json = views::gpu_metrics({}, range, width, {{"DCGM_FI_DEV_POWER_USAGE", "W", std::move(buckets)}}, range.to);
  return json.dump().size();
}

void BM_LatestOfOneMetricOfAllGpus(benchmark::State& state) {
  auto& store = FullHead::of(static_cast<int>(state.range(0))).store();
  std::size_t found = 0;
  rounds(state, [&] {
    nlohmann::json all = {{"gpu", nlohmann::json::array()}, {"value", nlohmann::json::array()}};
    const auto latest = store.latest(field::gpu_temp);
    for (const auto& l : latest) {
      all["gpu"].push_back(static_cast<std::uint32_t>(l.series.board));
      all["value"].push_back(l.point.value);
    }
    found = latest.size();
    benchmark::DoNotOptimize(all.dump());
  });
  state.counters["gpus"] = static_cast<double>(found);
}

void BM_UnsealedHourOfOneSeries(benchmark::State& state) {
  auto& store = FullHead::of(static_cast<int>(state.range(0))).store();
  rounds(state, [&] { json_of_series(store, {kNoon, kNoon + 1h}, 1min); });
}

void BM_DayOfOneSeries(benchmark::State& state) {
  auto& store = Month::once().store();
  rounds(state, [&] { json_of_series(store, {Month::kEnd - 24h, Month::kEnd}, std::chrono::seconds(state.range(0))); });
}

// 30 days as 600 points are buckets of 72 min, which only minutes divide; as a chart rounds them, of 2 h.
void BM_MonthOfOneSeries(benchmark::State& state) {
  auto& store = Month::once().store();
  rounds(state, [&] { json_of_series(store, {kNoon, Month::kEnd}, std::chrono::minutes(state.range(0))); });
}

void BM_Restart(benchmark::State& state) {
  auto& fleet = FullHead::of(static_cast<int>(state.range(0)));
  rounds(state, [&] { fleet.open(); });
}

const int kGpus = from_environment("GHM_BENCH_GPUS", 10'000);
BENCHMARK(BM_DayOfOneSeries)->Arg(10)->Arg(300)->Unit(benchmark::kMillisecond)->Iterations(200);
BENCHMARK(BM_MonthOfOneSeries)->Arg(72)->Arg(120)->Unit(benchmark::kMillisecond)->Iterations(200);
BENCHMARK(BM_LatestOfOneMetricOfAllGpus)->Arg(kGpus)->Unit(benchmark::kMillisecond)->Iterations(200);
BENCHMARK(BM_UnsealedHourOfOneSeries)->Arg(kGpus)->Unit(benchmark::kMillisecond)->Iterations(200);
BENCHMARK(BM_Restart)->Arg(100)->Arg(kGpus)->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace ghm::store

BENCHMARK_MAIN();
