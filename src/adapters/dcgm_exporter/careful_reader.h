#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "adapters/dcgm_exporter/columns.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::dcgm_exporter {

/// Reads any page. What a line means depends only on its prefix (all before the value), so that is worked out once per
/// prefix and remembered under its hash; a later page costs one memchr, one hash and one number per line. When a page
/// has another set of prefixes (or another HELP text where it gives the unit), everything is worked out again from it.
class CarefulReader {
 public:
  CarefulReader(const telemetry::MetricCatalogue& catalogue, std::shared_ptr<LayoutPool> pool)
      : catalogue_(catalogue), pool_(std::move(pool)) {}

  void read(std::string_view page, telemetry::PageReading& out);

  /// One remembered prefix.
  struct Row {
    std::uint64_t hash;
    std::int32_t column;
    std::int16_t gpu;
    RowKind kind;
    std::uint8_t conversion;  // index into conversions(), or kNoUnit
    telemetry::Entity entity;
    telemetry::MetricId metric;
  };
  static constexpr std::uint8_t kNoUnit = 255;

  /// The row of a line of the page read last. `line` trimmed, `parts` of it.
  const Row& row_of(std::string_view line, const LineParts& parts) const { return rows_[locate(line, parts, 0)]; }
  const std::vector<Conversion>& conversions() const { return conversions_; }
  const telemetry::MetricCatalogue& catalogue() const { return catalogue_; }

 private:
  struct Learnt;
  bool try_remembered(std::string_view page, telemetry::PageReading& out);
  void learn(std::string_view page);
  void remember(const Learnt& learnt, const ColumnPlan& plan);
  std::uint8_t conversion_number(const RowMeaning& row, const HelpUnits& help);
  void apply(const Row& row, std::string_view line, const LineParts& parts, telemetry::PageReading& out) const;
  void take(const Row& row, std::string_view rest, telemetry::PageReading& out) const;
  std::uint32_t locate(std::string_view line, const LineParts& parts, std::uint32_t expected) const;
  std::uint32_t find(std::uint64_t hash) const;
  void index_rows();

  static constexpr std::uint32_t kUnknown = ~0u;

  const telemetry::MetricCatalogue& catalogue_;
  std::shared_ptr<LayoutPool> pool_;
  std::shared_ptr<const telemetry::PageLayout> layout_;
  std::vector<Row> rows_;               // in the order of the page that was learnt
  std::vector<std::uint32_t> seen_;     // per row: number of the page it was last seen in
  std::vector<std::uint32_t> by_hash_;  // open addressing over rows_, index + 1
  std::vector<Conversion> conversions_;
  std::uint64_t help_digest_ = 0;
  std::uint32_t page_number_ = 0;
};

}  // namespace ghm::dcgm_exporter
