#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/dcgm_exporter/columns.h"
#include "core/time.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::dcgm_exporter {

/// One source's series, told one at a time by name and labels (remote_write) and never all at once as on a page. What a
/// series means, which GPU it belongs to and which column it has is worked out by the code that reads pages. Series that
/// mean the same are one row. One owner.
class SeriesBook {
 public:
  struct Row {
    RowKind kind{};
    std::int32_t column = -1;  // readings only
    std::int16_t gpu = -1;     // index into PageLayout::gpus
    telemetry::Entity entity;
    telemetry::MetricId metric{};
    std::optional<Conversion> conversion;  // none: nobody can tell the unit
    Timestamp heard{};                     // when a sample of it came last
    bool ended = false;                    // its source says that it is no more
    Timestamp at = Timestamp::min();       // of `value`
    double value = telemetry::absent();    // the newest that was believed: the owner's to write
  };

  SeriesBook(const telemetry::MetricCatalogue& catalogue, std::shared_ptr<LayoutPool> pool);

  /// The row of a series that was added under `key`, a hash of its name and labels. O(1).
  std::optional<std::uint32_t> find(std::uint64_t key) const;
  /// `series.name` must be in the catalogue. `value` is what a label-type field (a serial number) is told by. The row has
  /// no column before settle(). O(labels).
  std::uint32_t add(std::uint64_t key, const ParsedPrefix& series, double value, Timestamp now);

  /// Joins the GPUs and gives columns, after add() or when `help` says other units. Rows that ended five minutes ago or were
  /// not heard of for an hour are forgotten, so row numbers change. O(n log n) of the rows.
  void settle(const HelpUnits& help, Timestamp now);

  Row& row(std::uint32_t number) { return rows_[number]; }
  const std::vector<Row>& rows() const { return rows_; }
  /// As of the last settle(); nullptr before the first.
  const std::shared_ptr<const telemetry::PageLayout>& layout() const { return layout_; }

 private:
  /// A RowMeaning without the GPU's names, which thousands of rows share.
  struct Meaning {
    RowKind kind{};  // by its own labels alone; a Row's also knows whether there is such a GPU
    const telemetry::Spelling* spelling = nullptr;
    std::uint32_t says = 0;
    bool of_gpu = false, event_like = false;
    telemetry::LabelMap labels;
    std::string pod, job, apart;
  };
  void forget(Timestamp now);
  std::uint32_t name_number(const telemetry::GpuIdentity& says);
  std::vector<RowMeaning> meanings() const;

  const telemetry::MetricCatalogue& catalogue_;
  std::shared_ptr<LayoutPool> pool_;
  std::vector<Row> rows_;
  std::vector<Meaning> meanings_;                            // parallel to rows_
  std::vector<telemetry::GpuIdentity> names_;                // as said
  std::unordered_map<std::uint64_t, std::uint32_t> by_key_;  // series -> row
  std::unordered_map<std::uint64_t, std::uint32_t> by_meaning_, by_name_;
  std::shared_ptr<const telemetry::PageLayout> layout_;
};

}  // namespace ghm::dcgm_exporter
