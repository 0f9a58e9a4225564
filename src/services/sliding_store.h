#pragma once
#include <map>

#include "domain/store/telemetry_store.h"

namespace ghm::services {

/// A store's readings through windows that slide along: a reader who asks for (t - month, t] at rising t costs the store each reading
/// once, not once per t. Memory: the widest window of every series that is asked for, and `ahead`. One thread's alone.
class SlidingStore final : public store::TelemetryStore {
 public:
  /// Nothing at or after `end` is ever asked of `of`, which must outlive this.
  SlidingStore(const store::TelemetryStore& of, Timestamp end) : of_(of), end_(end) {}

  /// Nothing later than `t` is given out from now on, whatever is asked.
  void look_until(Timestamp t) { until_ = t; }

  Result<std::vector<store::Point>> read(const store::SeriesKey& series, TimeRange range) const override;
  Result<std::vector<std::vector<store::Point>>> read_many(std::span<const store::SeriesKey> series, TimeRange range) const override;
  Result<std::vector<store::Bucket>> aggregate(const store::SeriesKey& series, TimeRange range,
                                               std::chrono::milliseconds width) const override {
    return of_.aggregate(series, range, width);
  }
  std::vector<store::Latest> latest(telemetry::BoardId board) const override { return of_.latest(board); }
  std::vector<store::Latest> latest(telemetry::MetricId metric) const override { return of_.latest(metric); }
  Result<bool> maintain(Timestamp) override { return false; }
  store::StoreStats stats() const override { return of_.stats(); }
  /// unavailable, always: what looks back does not write.
  Result<void> append(std::span<const store::RowBatch> batch) override;

 private:
  struct Window {
    Timestamp from{}, to{};
    std::vector<store::Point> points;
  };
  using Lacking = std::map<std::pair<Timestamp, Timestamp>, std::vector<store::SeriesKey>>;
  void note_lack(const store::SeriesKey& series, TimeRange range, Lacking& lacking) const;
  Result<void> load(TimeRange range, const std::vector<store::SeriesKey>& series) const;

  const store::TelemetryStore& of_;
  Timestamp end_, until_ = Timestamp::max();
  mutable std::map<store::SeriesKey, Window> windows_;
};

}  // namespace ghm::services
