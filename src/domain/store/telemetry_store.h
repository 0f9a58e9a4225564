#pragma once
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "domain/telemetry/identity.h"
#include "domain/windows/rollup.h"

namespace ghm::store {

using telemetry::SeriesKey;
using windows::Point;

/// The columns of one source's rows. Immutable; equal pointers mean equal columns, so a store may key its caches by them.
using Columns = std::shared_ptr<const std::vector<SeriesKey>>;

/// One source's readings at one instant: one value per column, absent() (domain/telemetry/page.h) where there is none.
struct RowBatch {
  std::string source;  // who said so: "gpu-host-1:9400"; rows of one source arrive in time order, mostly
  Columns columns;
  Timestamp at{};
  std::vector<double> values;
};

/// One bucket of a downsampled series. Buckets without a reading are left out: gaps stay gaps.
struct Bucket {
  Timestamp from{};
  double min = 0, max = 0;
  double sum = 0;  // of all readings, rounded once (domain/windows/exact_sum.h)
  double last = 0;
  std::uint64_t count = 0;
  // Of a counter: what it gained since the last reading of the bucket before it in the answer; in the first one, since its
  // own first reading. So the increases of an answer add up to the increase over all of it. Restarts are seen through.
  std::optional<double> increase{};
  friend bool operator==(const Bucket&, const Bucket&) = default;
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
  std::uint64_t too_old_rows = 0;  // refused since open: older than raw readings are kept
};

/// Readings by series and time. Thread-safe: one appender, many readers. Doubles come back bit for bit.
class TelemetryStore {
 public:
  virtual ~TelemetryStore() = default;

  /// All of `batch` or none, durable on return. A (series, at) already present is not stored twice, the first value
  /// stands, so a caller may retry. Late rows are welcome at any age that raw readings are kept for; older ones are left
  /// out and counted (StoreStats). unavailable: try later (disk full). corrupt: stop, and tell a person.
  virtual Result<void> append(std::span<const RowBatch> batch) = 0;

  /// One series over from <= at < to, oldest first. A series never seen is an empty one.
  virtual Result<std::vector<Point>> read(const SeriesKey& series, TimeRange range) const = 0;

  /// Several series of one board at once, in the order asked for; cheaper than one read each.
  virtual Result<std::vector<std::vector<Point>>> read_many(std::span<const SeriesKey> series, TimeRange range) const = 0;

  /// Buckets of `width` aligned to the epoch: every one that touches `range`, whole. Values that are not finite are passed
  /// over. The answer is the same whichever tier it comes from: 1 min (also for 5 and 15 min, which are merged while
  /// reading), 1 h or 1 d, the widest that divides `width`, or the readings themselves; what is not in a tier yet comes
  /// from the readings. Where the tier it should come from is past its retention, buckets come from what is there: one
  /// that is wider than `width` stands where it starts. O(buckets of the tier in range).
  virtual Result<std::vector<Bucket>> aggregate(const SeriesKey& series, TimeRange range, std::chrono::milliseconds width) const = 0;

  /// aggregate() of several series, in the order asked for; much cheaper than one question each where hours are not rolled up yet.
  virtual Result<std::vector<std::vector<Bucket>>> aggregate_many(std::span<const SeriesKey> series, TimeRange range,
                                                                  std::chrono::milliseconds width) const;

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
