#pragma once
#include <memory>
#include <span>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "domain/telemetry/identity.h"

namespace ghm::store {

using telemetry::SeriesKey;

/// The columns of one source's rows. Immutable; equal pointers mean equal columns, so a store may key its caches by them.
using Columns = std::shared_ptr<const std::vector<SeriesKey>>;

/// One source's readings at one instant: one value per column, absent() (domain/telemetry/page.h) where there is none.
struct RowBatch {
  std::string source;  // who said so: "gpu-host-1:9400"; rows of one source arrive in time order, mostly
  Columns columns;
  Timestamp at{};
  std::vector<double> values;
};

struct Point {
  Timestamp at{};
  double value = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

/// One bucket of a downsampled series. Buckets without a reading are left out: gaps stay gaps.
struct Bucket {
  Timestamp from{};
  double min = 0, max = 0, sum = 0, last = 0;
  std::uint64_t count = 0;
};

struct Latest {
  SeriesKey series;
  Point point;
};

struct StoreStats {
  std::uint64_t rows = 0, samples = 0;  // appended since open
  std::uint64_t bytes_on_disk = 0;      // 0 for memory
  std::uint64_t sealed_chunks = 0;
  std::uint64_t free_bytes = 0;    // of the volume
  std::uint64_t damaged_days = 0;  // set aside since open
};

/// Readings by series and time. Thread-safe: one appender, many readers. Doubles come back bit for bit.
class TelemetryStore {
 public:
  virtual ~TelemetryStore() = default;

  /// All of `batch` or none, durable on return. A (series, at) already present is not stored twice, the first value
  /// stands, so a caller may retry. unavailable: try later (disk full). corrupt: stop, and tell a person.
  virtual Result<void> append(std::span<const RowBatch> batch) = 0;

  /// One series over from <= at < to, oldest first. A series never seen is an empty one.
  virtual Result<std::vector<Point>> read(const SeriesKey& series, TimeRange range) const = 0;

  /// Several series of one board at once, in the order asked for; cheaper than one read each.
  virtual Result<std::vector<std::vector<Point>>> read_many(std::span<const SeriesKey> series, TimeRange range) const = 0;

  /// Buckets of `width` aligned to the epoch. O(readings in range).
  virtual Result<std::vector<Bucket>> aggregate(const SeriesKey& series, TimeRange range, std::chrono::milliseconds width) const = 0;

  /// The newest value of every series of a board, in key order; from memory, no disk.
  virtual std::vector<Latest> latest(telemetry::BoardId board) const = 0;
  /// The newest value of one metric of the GPU entity, all boards.
  virtual std::vector<Latest> latest(telemetry::MetricId metric) const = 0;

  /// Background work in small steps: seals finished hours, unlinks what is past retention. Called about once a second by
  /// the appender's thread; true when there is more to do at once.
  virtual Result<bool> maintain(Timestamp now) = 0;

  virtual StoreStats stats() const = 0;
};

}  // namespace ghm::store
