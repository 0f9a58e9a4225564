// What the detectors cost per watched value: 24 of each board, 8 boards a host, a page every 10 s, of which every sixth ends a
// minute. Four hosts share a rack and hear each other. The hosts take turns: the four of one rack with warm caches, 1,250 with
// caches as cold as in a fleet.
#include <benchmark/benchmark.h>

#include "domain/anomaly/anomaly_watch.h"

namespace ghm::anomaly {
namespace {

constexpr std::size_t kBoards = 8;

struct Host {
  Host() : values(kBoards * kSlots) {
    std::vector<Seat> seats(kBoards);
    for (std::size_t b = 0; b < kBoards; ++b) {
      seats[b].board = BoardId{static_cast<std::uint32_t>(b + 1)};
      for (std::size_t s = 0; s < kSlots; ++s) seats[b].columns.column[s] = static_cast<std::int32_t>(b * kSlots + s);
      set(b, Slot::power_limit, 700);
      set(b, Slot::pcie_width, 16);
    }
    watch.seat(std::move(seats));
  }
  void set(std::size_t b, Slot s, double v) { values[b * kSlots + index_of(s)] = v; }
  void page(std::uint64_t n) {
    for (std::size_t b = 0; b < kBoards; ++b) {
      const double ripple = static_cast<double>((n * 7 + b * 3) % 5);
      set(b, Slot::gpu_temp, 60 + ripple);
      set(b, Slot::memory_temp, 70 + ripple);
      set(b, Slot::power, 600 + 5 * ripple);
      set(b, Slot::gpu_util, 99);
      set(b, Slot::sm_clock, 1900 + 15 * ripple);
      set(b, Slot::energy, 6e6 * static_cast<double>(n));
    }
  }
  std::vector<double> values;
  AnomalyWatch watch;
};

void watch_pages(benchmark::State& state) {
  std::vector<Host> hosts(static_cast<std::size_t>(state.range(0)));
  const auto exchange = std::make_shared<PeerExchange>();
  for (std::size_t h = 0; h < hosts.size(); ++h) hosts[h].watch.stand(exchange, "rack " + std::to_string(h / 4));
  const std::vector<bool> away(kBoards);
  std::uint64_t n = 0;
  for (auto _ : state) {
    auto& host = hosts[n % hosts.size()];
    const auto round = n++ / hosts.size();
    const auto now = from_unix_ms(1'700'000'000'000) + std::chrono::seconds(10 * round);
    host.page(round);
    if (host.watch.page(now, host.values, 10s)) benchmark::DoNotOptimize(host.watch.minute(now, host.values, away));
  }
  state.counters["per value"] = benchmark::Counter(static_cast<double>(state.iterations() * kBoards * kSlots),
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes a board"] = static_cast<double>(sizeof(BoardWatch));
}
BENCHMARK(watch_pages)->Name("Pages")->Arg(4)->Arg(1250)->MinTime(2);

}  // namespace
}  // namespace ghm::anomaly
