#include "services/host_peers.h"

#include <algorithm>

#include "domain/health/inputs.h"
#include "domain/health/moments.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::services {
namespace {

constexpr auto kWindow = 25h;

bool was_limited(const health::Input& input) {
  const auto reasons = input.metrics.find(health::spoken(health::Of::reasons).metric);
  if (reasons == input.metrics.end() || !reasons->second) return false;
  return std::ranges::any_of(*reasons->second, [](const health::Reading& r) { return health::has_bits(r.value, health::kPowerReasons); });
}

}  // namespace

Result<void> add_host_peers(const store::TelemetryStore& telemetry, std::span<const fleet::Board* const> host,
                            std::span<const fleet::Board* const> boards, Timestamp now, std::span<health::Input> inputs) {
  if (std::ranges::none_of(inputs, was_limited)) return {};
  std::vector<store::SeriesKey> keys;
  for (const auto* board : host) keys.push_back({board->id, {}, telemetry::field::sm_clock});
  const auto clocks = telemetry.read_many(keys, {now - kWindow, now + 1ms});
  if (!clocks) return clocks.error();
  for (std::size_t b = 0; b < boards.size(); ++b) {
    if (!was_limited(inputs[b])) continue;
    for (std::size_t n = 0; n < host.size(); ++n) {
      if (host[n] == boards[b] || host[n]->model != boards[b]->model) continue;
      health::Metrics metrics;
      metrics[std::string(health::spoken(health::Of::sm_clock).metric)] = to_series((*clocks)[n]);
      inputs[b].peers.push_back({std::move(metrics), true, false});
    }
  }
  return {};
}

}  // namespace ghm::services
