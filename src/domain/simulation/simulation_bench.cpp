// What a scrape costs the simulator: ten seconds of life of eight boards, and the page. Bytes per second of `Page` say how
// far the rendering is from copying.
#include <benchmark/benchmark.h>

#include "domain/simulation/fleet.h"

namespace ghm::simulation {
namespace {

constexpr Timestamp kBirth{std::chrono::milliseconds(1'770'000'000'000)};

Fleet many(int hosts) {
  return std::move(*Fleet::create({8 * hosts, 1, "healthy", kBirth}));
}

// The hosts take turns, so that caches are as cold as in a fleet.
void advance_and_render(benchmark::State& state) {
  const auto hosts = static_cast<std::size_t>(state.range(0));
  auto fleet = many(static_cast<int>(hosts));
  std::string page;
  std::int64_t bytes = 0;
  std::size_t n = 0;
  for (auto _ : state) {
    const auto host = n % hosts;
    fleet.advance(host, kBirth + std::chrono::seconds(10 * (n++ / hosts)));
    page.clear();
    fleet.render(host, page);
    bytes += static_cast<std::int64_t>(page.size());
    benchmark::DoNotOptimize(page.data());
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(advance_and_render)->Name("Scrape")->Arg(1)->Arg(1250);

void only_advance(benchmark::State& state) {
  auto fleet = many(1);
  std::int64_t n = 0;
  for (auto _ : state) fleet.advance(0, kBirth + std::chrono::seconds(10 * n++));
}
BENCHMARK(only_advance)->Name("Advance");

void only_render(benchmark::State& state) {
  auto fleet = many(1);
  fleet.advance(0, kBirth);
  std::string page;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    page.clear();
    fleet.render(0, page);
    bytes += static_cast<std::int64_t>(page.size());
    benchmark::DoNotOptimize(page.data());
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(only_render)->Name("Page");

}  // namespace
}  // namespace ghm::simulation
