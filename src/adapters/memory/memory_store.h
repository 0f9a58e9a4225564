#pragma once
#include <map>
#include <mutex>

#include "domain/store/atomic_store.h"
#include "domain/store/record_store.h"
#include "domain/store/telemetry_store.h"

namespace ghm::memory {

using store::Bucket, store::Latest, store::Point, store::Record, store::RowBatch, store::SeriesKey, store::StoreStats;

/// Both stores in maps: for tests, and the oracle that the real ones are held against. Nothing survives it, nothing ages.
class MemoryStore final : public store::TelemetryStore, public store::RecordStore, public store::AtomicStore {
 public:
  Result<void> append(std::span<const RowBatch> batch) override;
  Result<std::vector<Point>> read(const SeriesKey& series, TimeRange range) const override;
  Result<std::vector<std::vector<Point>>> read_many(std::span<const SeriesKey> series, TimeRange range) const override;
  Result<std::vector<Bucket>> aggregate(const SeriesKey& series, TimeRange range, std::chrono::milliseconds width) const override;
  std::vector<Latest> latest(telemetry::BoardId board) const override;
  std::vector<Latest> latest(telemetry::MetricId metric) const override;
  Result<bool> maintain(Timestamp now) override;
  StoreStats stats() const override;

  Result<void> keep(std::span<const RowBatch> rows, std::span<const Record> records) override;

  Result<void> put(std::span<const Record> records) override;
  Result<std::optional<Record>> get(std::string_view kind, std::string_view key) const override;
  Result<std::vector<Record>> scan(std::string_view kind, std::string_view prefix, std::string_view after,
                                   std::size_t limit) const override;
  Result<std::vector<Record>> recent(std::string_view kind, TimeRange range, std::size_t limit) const override;
  Result<bool> erase(std::string_view kind, std::string_view key) override;

 private:
  using Series = std::map<Timestamp, double>;
  using Kind = std::map<std::string, Record, std::less<>>;

  mutable std::mutex mutex_;  // guards what follows
  std::map<SeriesKey, Series> series_;
  std::map<std::string, Kind, std::less<>> kinds_;
  StoreStats stats_;
};

}  // namespace ghm::memory
