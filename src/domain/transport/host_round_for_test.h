#pragma once
#include <algorithm>
#include <bit>
#include <random>
#include <string>

#include "domain/transport/host_round.h"
#include "domain/transport/refusals_equal.h"

namespace ghm::transport::test {

inline bool same_values(const std::vector<double>& a, const std::vector<double>& b) {
  return std::ranges::equal(a, b, [](double x, double y) { return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y); });
}

inline bool same_readings(const telemetry::PageReading& a, const telemetry::PageReading& b) {
  if (!a.layout || !b.layout) return !a.layout && !b.layout;
  return *a.layout->table == *b.layout->table && a.layout->gpus == b.layout->gpus && a.layout->work == b.layout->work &&
         same_values(a.values, b.values) && same_refusals(a.refused, b.refused) && a.unknown_lines == b.unknown_lines &&
         a.repeated_lines == b.repeated_lines && a.stamps == b.stamps;
}

inline bool same_round(const HostRound& a, const HostRound& b) {
  return a.sequence == b.sequence && a.at == b.at && a.since_boot == b.since_boot && a.boot_id == b.boot_id && a.simulated == b.simulated &&
         a.trouble == b.trouble && same_readings(a.readings, b.readings) && a.events == b.events && a.jobs == b.jobs && a.host == b.host &&
         a.snapshots == b.snapshots;
}

inline const Timestamp kStart = from_unix_ms(1'770'000'000'000);

/// A host of `gpus` GPUs with `metrics` columns each, whose values move as a page's do.
class MovingHost {
 public:
  MovingHost(int gpus, int metrics, unsigned seed) : random_(seed), layout_(make_layout(gpus, metrics)) {
    for (std::size_t i = 0; i < layout_->table->series.size(); ++i) values_.push_back(static_cast<double>(random_() % 4000) / 10);
  }

  HostRound next(std::uint64_t sequence) {
    now_ += 10s;
    for (std::size_t i = 0; i < values_.size(); ++i) move(i);
    HostRound r;
    r.sequence = sequence;
    r.at = now_;
    r.since_boot = now_ - kStart + 1h;
    r.boot_id = "5f0c6f0e-1111-4222-8333-9a4b5c6d7e8f";
    r.readings.layout = layout_;
    r.readings.values = values_;
    r.readings.unknown_lines = 3;
    return r;
  }
  std::shared_ptr<const telemetry::PageLayout> layout() const { return layout_; }

 private:
  static std::shared_ptr<const telemetry::PageLayout> make_layout(int gpus, int metrics) {
    telemetry::SeriesTable table;
    auto out = std::make_shared<telemetry::PageLayout>();
    for (int g = 0; g < gpus; ++g) {
      telemetry::GpuIdentity gpu;
      gpu.uuid = "GPU-00000000-0000-4000-8000-00000000000" + std::to_string(g % 10);
      gpu.serial = "165012345678" + std::to_string(g);
      gpu.hostname = "h1";
      gpu.index = g;
      out->gpus.push_back(gpu);
      for (int m = 0; m < metrics; ++m)
        table.series.push_back({static_cast<std::int16_t>(g), {}, static_cast<telemetry::MetricId>(150 + m), false});
    }
    out->table = std::make_shared<const telemetry::SeriesTable>(std::move(table));
    return out;
  }
  void move(std::size_t i) {
    switch (i % 5) {
      case 0: values_[i] += static_cast<double>(random_() % 3) - 1; break;                 // a temperature
      case 1: values_[i] = static_cast<double>(random_() % 7'000'000) / 1e4; break;        // a power
      case 2: values_[i] += 5'000'000 + static_cast<double>(random_() % 100'000); break;   // an energy
      case 3: values_[i] = random_() % 50 == 0 ? telemetry::absent() : values_[i]; break;  // comes and goes
      default: break;                                                                      // what hardly ever changes
    }
  }

  std::mt19937 random_;
  std::shared_ptr<const telemetry::PageLayout> layout_;
  std::vector<double> values_;
  Timestamp now_ = kStart;
};

}  // namespace ghm::transport::test
