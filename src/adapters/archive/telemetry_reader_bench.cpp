// How fast a telemetry table becomes doubles: 40 columns, as an archive of a fleet has them.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "adapters/archive/telemetry_reader.h"

namespace ghm::archive {
namespace {

std::string table(int rows) {
  std::string csv = "time,gpu_uuid";
  for (int link = 0; link < 18; ++link)
    csv += fmt::format(",DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL@nvlink{0},DCGM_FI_DEV_GPU_TEMP@mig{0}", link);
  csv += ",DCGM_FI_DEV_GPU_TEMP,DCGM_FI_DEV_POWER_USAGE,DCGM_FI_DEV_FB_USED,DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION\n";
  for (int r = 0; r < rows; ++r) {
    csv += fmt::format("2026-02-09T{:02}:{:02}:00Z,GPU-00000000-0000-0000-0000-{:012}", r / 480 % 24, r / 8 % 60, r % 8);
    for (int c = 0; c < 36; ++c) csv += fmt::format(",{}", (r * 7919 + c * 104729) % 50'000);
    csv += fmt::format(",{},{:.3f},{},{}\n", 40 + r % 40, 300 + r % 1000 / 7.0, r % 80'000, 1'000'000'000 + r * 18'000);
  }
  return csv;
}

void BM_ReadTelemetry(benchmark::State& state) {
  const auto csv = table(20'000);
  std::int64_t cells = 0;
  for (auto _ : state) {
    std::vector<std::string> warnings;
    Refusals refusals;
    auto reader = TelemetryReader::open("bench", stream_of(csv), telemetry::MetricCatalogue::built_in(), warnings);
    while (reader->next(refusals).value()) {
      benchmark::DoNotOptimize(reader->values().data());
      cells += static_cast<std::int64_t>(reader->values().size());
    }
  }
  state.SetItemsProcessed(cells);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(csv.size()));
}
BENCHMARK(BM_ReadTelemetry)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ghm::archive
