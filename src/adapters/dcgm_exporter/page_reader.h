#pragma once
#include <memory>
#include <string_view>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/telemetry/page.h"

namespace ghm::dcgm_exporter {

/// Shares what the pages of a fleet have in common: literal text and column tables are stored once for all hosts.
/// One owner (the ingest thread).
class LayoutPool;
std::shared_ptr<LayoutPool> make_layout_pool();

/// Reads one target's pages. The first page of a shape goes the careful path and leaves a template: the page's bytes
/// around the values. While pages look alike, later ones go the template path, which verifies every byte and reads only
/// numbers. Any difference falls back to the careful path for that page. A few templates are kept, since an exporter
/// prints its groups in random order.
class PageReader {
 public:
  PageReader(const telemetry::MetricCatalogue& catalogue, std::shared_ptr<LayoutPool> pool);
  ~PageReader();
  PageReader(PageReader&&) noexcept;

  /// Never fails: what cannot be read is a Refusal or counted. The result is valid until the next call.
  telemetry::PageReading& read(std::string_view page);

  struct Stats {
    std::uint64_t template_pages = 0, careful_pages = 0;
  };
  Stats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The careful path alone: any exposition page, all exporter versions 1.x to 4.9.
telemetry::PageReading read_careful(std::string_view page, const telemetry::MetricCatalogue& catalogue);

/// Gives the refusals of `reading` from number `first` on the page's own text of the value: validation, which adds them,
/// sees only converted numbers (9223372036854775794 is 9.223372036854776e+18 to it). `reading` was read from `page`.
void quote_page(telemetry::PageReading& reading, std::size_t first, std::string_view page, const telemetry::MetricCatalogue& catalogue);

/// The naive twin: split, map, strtod. Slow and obvious; the oracle of the two others in tests, fuzzing and benchmarks.
telemetry::PageReading read_naive(std::string_view page, const telemetry::MetricCatalogue& catalogue);

}  // namespace ghm::dcgm_exporter
