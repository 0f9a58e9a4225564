#pragma once
#include <bit>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/time.h"
#include "domain/telemetry/identity.h"

/// What one source (a dcgm-exporter page, an agent's batch, a row of an archive) says at one instant, as columns:
/// the layout (who and what) hardly ever changes between scrapes, the values always do.
namespace ghm::telemetry {

/// How a source names a GPU. An index 0..7 never leaves this struct.
struct GpuIdentity {
  std::string uuid;        // "GPU-…", empty when the page does not say
  std::string serial;      // from label rows, when the operator exports them
  std::string pci_bus_id;  // normalised, empty when unknown
  std::string model;       // the exporter's modelName
  std::string hostname;    // as printed; old builds print "localhost"
  std::string driver_version;
  std::string vbios_version;
  int index = -1;  // DCGM's index today
  friend bool operator==(const GpuIdentity&, const GpuIdentity&) = default;
};

/// What runs on a GPU, as labels of its rows tell. It comes and goes: kept as intervals, never part of a series.
struct Workload {
  std::vector<std::string> pods;  // "namespace/pod/container", ascending; several with time slicing or MIG
  std::vector<std::string> jobs;  // batch jobs (hpc_job), ascending
  friend bool operator==(const Workload&, const Workload&) = default;
};

using LabelMap = std::map<std::string, std::string>;

/// One column of a page.
struct PageSeries {
  std::int16_t gpu = -1;  // index into PageLayout::gpus; -1: the host itself (node, CPU, switch)
  Entity entity;
  MetricId metric{};
  bool event_like = false;  // told apart by labels below; becomes an event, never a stored series
  friend bool operator==(const PageSeries&, const PageSeries&) = default;
};

/// The columns, shared by all hosts whose pages look alike (same exporter, same CSV, same number of GPUs and links).
struct SeriesTable {
  std::vector<PageSeries> series;
  std::map<std::uint32_t, LabelMap>
      labels;  // of the columns that have any of: nvlink GPU_I_ID GPU_I_PROFILE err_code xid clock_event window_size_in_ms
  friend bool operator==(const SeriesTable&, const SeriesTable&) = default;
};

/// Who and what, of one source. Immutable and shared: equal pointers mean the same columns in the same order.
struct PageLayout {
  std::shared_ptr<const SeriesTable> table;
  std::vector<GpuIdentity> gpus;
  std::vector<Workload> work = {};  // one per GPU
};

/// Why a number is not believed. The contract's words, in this order in every count.
enum class Reason : std::uint8_t {
  sentinel,
  not_finite,
  out_of_range,
  impossible_rate,
  future,
  too_old,
  duplicate,
  unknown_identity,
  unparsable,
  conversion_error,
};
inline constexpr std::size_t kReasons = 10;
std::string_view to_string(Reason r);

/// A value that was not believed; `value` is the page's text (or the number, printed) so that a person can judge it.
struct Refusal {
  std::optional<std::uint16_t> gpu;  // index into PageLayout::gpus
  Entity entity;
  MetricId metric{};  // none: the line's metric could not be told
  std::string value;
  Reason reason{};
  // What validation knows beside: the column, the number in its canonical unit, the time if the line had one of its own.
  std::optional<std::uint32_t> column = std::nullopt;
  std::optional<double> number = std::nullopt;
  std::optional<Timestamp> at = std::nullopt;
};

/// A column without a value at this instant. A NaN with a payload of its own: real NaNs are refused, so it is unambiguous.
inline constexpr std::uint64_t kAbsentBits = 0x7ff8'0000'0000'0a85ull;
inline double absent() {
  return std::bit_cast<double>(kAbsentBits);
}
inline bool is_absent(double v) {
  return std::bit_cast<std::uint64_t>(v) == kAbsentBits;
}

/// One instant of one source.
struct PageReading {
  std::shared_ptr<const PageLayout> layout;
  std::vector<double> values;                 // one per column, canonical units; absent() where refused or missing
  std::vector<Refusal> refused;               // found by the reader; validation adds its own
  std::uint32_t unknown_lines = 0;            // samples of families that the catalogue does not have: ignored, counted
  std::uint32_t repeated_lines = 0;           // the same column with the same value again (job and pod copies, MIG repeats): one reading
  std::map<std::uint32_t, Timestamp> stamps;  // of columns whose line carried a timestamp of its own (federation)
};

}  // namespace ghm::telemetry
