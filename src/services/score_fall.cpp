#include "services/score_fall.h"

#include <algorithm>

namespace ghm::services {

std::optional<views::Fall> score_fall(const store::TelemetryStore& telemetry, fleet::BoardId board, telemetry::MetricId score, Timestamp now,
                                      std::chrono::hours within) {
  constexpr double kLeast = 1;
  const auto width = within <= std::chrono::hours(48) ? std::chrono::milliseconds(15min) : std::chrono::milliseconds(1h);
  const auto buckets = telemetry.aggregate({board, {}, score}, {now - within, now + 1ms}, width);
  if (!buckets || buckets->empty()) return std::nullopt;
  const double to = buckets->back().last;
  const double from = std::ranges::max_element(*buckets, {}, &store::Bucket::max)->max;
  if (from - to < kLeast) return std::nullopt;
  // The last bucket that ended in the upper half: what follows it is down.
  const double middle = (from + to) / 2;
  const auto high = std::ranges::find_if(buckets->rbegin(), buckets->rend(), [&](const store::Bucket& b) { return b.last > middle; });
  const auto since = high == buckets->rbegin() || high == buckets->rend() ? buckets->front().from : std::prev(high)->from;
  return views::Fall{from, to, since};
}

}  // namespace ghm::services
