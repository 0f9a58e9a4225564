// What belief costs per value of a page of 8 GPUs x 110 series, of which some 30 a GPU have a rate rule and 5 change.
#include <benchmark/benchmark.h>

#include "domain/validation/believe.h"

namespace ghm::validation {
namespace {

constexpr int kGpus = 8, kFamilies = 110;

struct Pages {
  Pages() {
    auto table = std::make_shared<telemetry::SeriesTable>();
    const auto& metrics = telemetry::MetricCatalogue::built_in();
    for (std::int16_t g = 0; g < kGpus; ++g) {
      int n = 0;
      for (const auto& spec : metrics.all()) {
        if (spec.kind == telemetry::MetricKind::label || spec.event_like || spec.entity != telemetry::Entity::Kind::gpu) continue;
        if (++n > kFamilies) break;
        table->series.push_back({g, {}, spec.id, false});
        reading.values.push_back(std::clamp(50.0, spec.min, spec.max));
        keys.push_back({telemetry::BoardId{static_cast<std::uint32_t>(g + 1)}, {}, spec.id});
      }
    }
    auto layout = std::make_shared<telemetry::PageLayout>();
    layout->table = table;
    layout->gpus.resize(kGpus);
    reading.layout = layout;
    rules = ColumnRules::build(*layout, {}, metrics, telemetry::ModelCatalogue::built_in());
    memory.adopt(rules.rates(), keys);
  }
  /// The next page: energy and times go on, temperatures move.
  void next() {
    now += 10s;
    int n = 0;
    for (const auto& r : rules.rates())
      if (r.per_second != kNoLimit && ++n % 3 == 0) reading.values[r.column] += r.kind == RateRule::Kind::level ? (odd ? 1 : -1) : 1;
    odd = !odd;
  }

  telemetry::PageReading reading;
  std::vector<telemetry::SeriesKey> keys;
  ColumnRules rules;
  RateMemory memory;
  Timestamp now = from_unix_ms(1'700'000'000'000);
  bool odd = false;
};

void count(benchmark::State& state, const Pages& pages) {
  const auto values = static_cast<double>(state.iterations()) * static_cast<double>(pages.reading.values.size());
  state.counters["values"] = benchmark::Counter(values, benchmark::Counter::kIsRate);
  state.counters["per_value"] = benchmark::Counter(values, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["rules"] = static_cast<double>(pages.rules.rates().size());
}

void BM_Bounds(benchmark::State& state) {
  Pages pages;
  for (auto _ : state) {
    pages.next();
    believe(pages.reading, pages.rules, pages.now);
  }
  if (!pages.reading.refused.empty()) state.SkipWithError("a value was refused");
  count(state, pages);
}
BENCHMARK(BM_Bounds);

void BM_BoundsAndRates(benchmark::State& state) {
  Pages pages;
  for (auto _ : state) {
    pages.next();
    believe(pages.reading, pages.rules, pages.now);
    benchmark::DoNotOptimize(pages.memory.check(pages.reading, pages.now).restarted.size());
  }
  if (!pages.reading.refused.empty()) state.SkipWithError("a value was refused");
  count(state, pages);
}
BENCHMARK(BM_BoundsAndRates);

}  // namespace
}  // namespace ghm::validation
