#include "domain/store/telemetry_store.h"

namespace ghm::store {

Result<std::vector<std::vector<Bucket>>> TelemetryStore::aggregate_many(std::span<const SeriesKey> series, TimeRange range,
                                                                        std::chrono::milliseconds width) const {
  std::vector<std::vector<Bucket>> all;
  for (const auto& one : series) {
    auto buckets = aggregate(one, range, width);
    if (!buckets) return buckets.error();
    all.push_back(std::move(*buckets));
  }
  return all;
}

}  // namespace ghm::store
