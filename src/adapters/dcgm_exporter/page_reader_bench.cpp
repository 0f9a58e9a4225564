#include "adapters/dcgm_exporter/page_reader.h"

#include <benchmark/benchmark.h>

#include <cstring>
#include <map>

#include "adapters/dcgm_exporter/careful_reader.h"
#include "adapters/dcgm_exporter/naive_line.h"
#include "adapters/dcgm_exporter/sample_page.h"

namespace ghm::dcgm_exporter {
namespace {

constexpr int kPages = 8;  // so that values change from scrape to scrape
constexpr double kSamples = 8 * 110;

const std::vector<std::string>& pages() {
  static const auto all = [] {
    std::vector<std::string> out;
    for (unsigned scrape = 0; scrape < kPages; ++scrape) out.push_back(sample::page({}, scrape));
    return out;
  }();
  return all;
}

/// Runs `read` on one page after the other and counts samples and bytes.
template <class Read>
void measure(benchmark::State& state, Read&& read) {
  std::size_t n = 0, bytes = 0;
  for (auto _ : state) {
    const auto& page = pages()[n++ % kPages];
    bytes += page.size();
    read(page);
  }
  state.counters["samples"] = benchmark::Counter(kSamples * static_cast<double>(n), benchmark::Counter::kIsRate);
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

const telemetry::MetricCatalogue& catalogue() {
  return telemetry::MetricCatalogue::built_in();
}

void BM_Memcpy(benchmark::State& state) {  // the floor: touching every byte once
  std::string copy(1 << 20, ' ');
  measure(state, [&](const std::string& page) {
    std::memcpy(copy.data(), page.data(), page.size());
    benchmark::ClobberMemory();
  });
}
BENCHMARK(BM_Memcpy);

void BM_Template(benchmark::State& state) {
  PageReader reader(catalogue(), make_layout_pool());
  measure(state, [&](const std::string& page) { benchmark::DoNotOptimize(reader.read(page).values.data()); });
  if (reader.stats().careful_pages > 1) state.SkipWithError("the template did not fit");
}
BENCHMARK(BM_Template);

void BM_Careful(benchmark::State& state) {
  CarefulReader reader(catalogue(), make_layout_pool());
  telemetry::PageReading out;
  measure(state, [&](const std::string& page) {
    reader.read(page, out);
    benchmark::DoNotOptimize(out.values.data());
  });
}
BENCHMARK(BM_Careful);

void BM_CarefulFirstPage(benchmark::State& state) {  // nothing remembered: a new target, or other labels
  measure(state, [](const std::string& page) { benchmark::DoNotOptimize(read_careful(page, catalogue()).values.data()); });
}
BENCHMARK(BM_CarefulFirstPage);

/// The baseline: split, map of labels, strtod, and a map from name and UUID to the value. Identity, entities, units and
/// repeats are not even looked at; BM_Naive does all that.
void BM_SplitMapStrtod(benchmark::State& state) {
  measure(state, [](const std::string& page) {
    std::map<std::pair<std::string, std::string>, double> values;
    for (const auto& text : naive_lines(page)) {
      if (text[0] == '#') continue;
      auto line = parse_naive_line(text);
      values[{line.name, line.labels["UUID"]}] = line.value;
    }
    benchmark::DoNotOptimize(values.size());
  });
}
BENCHMARK(BM_SplitMapStrtod);

void BM_Naive(benchmark::State& state) {
  measure(state, [](const std::string& page) { benchmark::DoNotOptimize(read_naive(page, catalogue()).values.data()); });
}
BENCHMARK(BM_Naive);

}  // namespace
}  // namespace ghm::dcgm_exporter
