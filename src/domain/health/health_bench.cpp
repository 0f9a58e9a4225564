// One board's score from scratch: 31 days of readings at 10 s, every input there. Arithmetic only, no store.
#include <benchmark/benchmark.h>

#include <cmath>

#include "domain/health/inputs.h"
#include "domain/health/rules.h"
#include "domain/health/sheet.h"

namespace ghm::health {
namespace {

constexpr double kT = 1'790'006'400, kStep = 10;

template <class Value>
Series readings(double days, Value value) {
  Series s;
  for (double at = kT - days * kDay + kStep; at <= kT; at += kStep) s.push_back({at, value(static_cast<std::size_t>(at / kStep))});
  return s;
}

// As a service would give it: each metric over the window that it is needed for.
Input busy_board(double days) {
  Input in;
  in.t = kT;
  in.interval_s = kStep;
  in.source_silent.emplace();
  in.events.emplace();
  in.links_expected = 18;
  double energy = 0;
  for (const auto& need : needs(baseline())) {
    const double window = std::min(days, Seconds(need.window).count() / kDay);
    const std::string name(need.metric);
    if (!need.instead_of.empty()) in.metrics[name] = std::nullopt;
    else if (need.per_link)
      for (int n = 0; n < 18; ++n) in.metrics[name + "@nvlink" + std::to_string(n)] = readings(window, [](std::size_t) { return 1.0; });
    else if (name.ends_with("GPU_TEMP"))
      in.metrics[name] = readings(window, [](std::size_t n) { return 60.0 + static_cast<double>(n % 7); });
    else if (name.ends_with("ENGINE_ACTIVE")) in.metrics[name] = readings(window, [](std::size_t n) { return n % 100 < 80 ? 0.95 : 0.1; });
    else if (name.ends_with("DEV_SM_CLOCK"))
      in.metrics[name] = readings(window, [](std::size_t n) { return 1700.0 + 15 * static_cast<double>(n % 4); });
    else if (name.ends_with("ENERGY_CONSUMPTION")) in.metrics[name] = readings(window, [&](std::size_t) { return energy += 5e6; });
    else in.metrics[name] = readings(window, [](std::size_t) { return 0.0; });
  }
  return in;
}

void BM_Score(benchmark::State& state, const Profile& profile) {
  const auto in = busy_board(static_cast<double>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(score(profile, in));
  std::size_t all = 0;
  for (const auto& [name, series] : in.metrics) all += series ? series->size() : 0;
  state.counters["readings"] = static_cast<double>(all);
}
BENCHMARK_CAPTURE(BM_Score, baseline, baseline())->Arg(1)->Arg(8)->Arg(31)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Score, v1, v1())->Arg(1)->Arg(8)->Arg(31)->Unit(benchmark::kMillisecond);

void BM_Dimension(benchmark::State& state) {
  const auto in = busy_board(31);
  const auto& scorer = baseline().scorers[static_cast<std::size_t>(state.range(0))];
  const Evidence evidence(in);
  state.SetLabel(std::string(scorer.name));
  for (auto _ : state) benchmark::DoNotOptimize(score(scorer, evidence));
}
BENCHMARK(BM_Dimension)->DenseRange(0, 4)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ghm::health
