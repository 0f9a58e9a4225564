#pragma once
#include <span>
#include <vector>

#include "core/time.h"
#include "domain/telemetry/identity.h"
#include "domain/windows/exact_sum.h"

/// Readings of a span of time in a few numbers, from which the numbers of a wider span follow exactly.
namespace ghm::windows {

struct Point {
  Timestamp at{};
  double value = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

/// How a metric's numbers follow each other, as the metric catalogue says.
enum class Counting : std::uint8_t {
  none,      // a gauge: differences mean nothing
  restarts,  // a counter of the driver: a fall is a restart from 0, and the new value is the increase
  climbs,    // a counter for the board's life: a fall is an error of reading, and no increase
};

/// Of a metric that the built-in catalogue does not have: none. O(1).
Counting counting_of(telemetry::MetricId metric);

/// One bucket. Merging neighbours is associative and exact: any way to cut a series into buckets and to merge these gives
/// the same bucket as its readings do.
struct Rollup {
  Timestamp from{};
  std::uint64_t count = 0;  // > 0
  double min = 0, max = 0, last = 0;
  double first = 0;   // of a counter; 0 for a gauge
  ExactSum sum;       // of the readings
  ExactSum increase;  // of a counter, from its first reading to its last
  friend bool operator==(const Rollup&, const Rollup&) = default;
};

/// What a counter gained from one reading to the next.
ExactSum step(double before, double now, Counting counting);

/// `later` follows `earlier` in time; the answer starts where `earlier` does.
void merge(Rollup& earlier, const Rollup& later, Counting counting);

inline Timestamp bucket_start(Timestamp t, std::chrono::milliseconds width) {
  return t - t.time_since_epoch() % width;
}
/// The range from the start of the first bucket that it touches to the end of the last one. Times before 1970 are 1970.
TimeRange whole_buckets(TimeRange range, std::chrono::milliseconds width);

/// Gathers readings, or finished buckets, into buckets of one width aligned to the epoch. Empty buckets are left out.
/// Values that are not finite are no numbers to reckon with, and are passed over. ~10 ns per reading.
class Roller {
 public:
  /// width > 0.
  Roller(std::chrono::milliseconds width, Counting counting) : width_(width), counting_(counting) {}
  /// In time order, one per instant.
  void add(const Point& point);
  /// In time order; goes where its start lies, whole.
  void add(const Rollup& rollup);
  std::vector<Rollup> take() { return std::move(done_); }

 private:
  std::chrono::milliseconds width_;
  Counting counting_;
  int scale_ = 0;  // decimals of the value before
  std::vector<Rollup> done_;
};

std::vector<Rollup> roll_up(std::span<const Point> points, std::chrono::milliseconds width, Counting counting);
std::vector<Rollup> roll_up(std::span<const Rollup> rollups, std::chrono::milliseconds width, Counting counting);

}  // namespace ghm::windows
