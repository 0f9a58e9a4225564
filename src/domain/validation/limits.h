#pragma once
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/telemetry/model_catalogue.h"
#include "domain/telemetry/page.h"

/// What a value may be at most and at least, and from whom we know: a site's own word, the device, its model, the catalogue.
namespace ghm::validation {

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

struct Bounds {
  double lo = -kNoLimit, hi = kNoLimit;
  friend bool operator==(const Bounds&, const Bounds&) = default;
};

/// What one GPU's own page and its model say about its limits; nullopt where neither does. Tolerances are in these numbers.
struct DeviceLimits {
  std::optional<double> shutdown_temp;        // celsius, fields 159
  std::optional<double> power;                // W that can be drawn: 1.5 x field 162, else 1.5 x the model's TDP
  std::optional<double> sm_clock, mem_clock;  // MHz, fields 113 and 114
  std::optional<double> memory;               // MiB, field 250, else the model's
  std::optional<double> pcie;                 // B/s in one direction: fields 235 and 236, else the model's generation and 16 lanes
  std::optional<double> nvlink;               // B/s in one direction, all links of the model
  int nvlinks = 0;                            // 0: not known
};

/// A site's own word on a metric: it wins over the device, the model and the catalogue.
struct Override {
  telemetry::MetricId metric{};
  std::string model;                                    // exporter's modelName or the catalogue's name; empty: every model
  std::optional<double> min, max;                       // canonical unit
  std::optional<double> max_per_second = std::nullopt;  // of a metric that has a rate rule
  friend bool operator==(const Override&, const Override&) = default;
};
using Overrides = std::vector<Override>;

/// By index into layout.gpus. `values`: of a page of this layout, may be empty. O(columns).
std::map<int, DeviceLimits> limits_by_gpu(const telemetry::PageLayout& layout, const std::vector<double>& values,
                                          const telemetry::ModelCatalogue& models);

/// The bounds of one series. For every caller that has no page: a single series of remote_write, a replayed reading.
Bounds bounds_of(const telemetry::MetricSpec& spec, telemetry::Entity entity, const DeviceLimits& limits);

/// The override that speaks about this metric on this model, the last one first; nullptr when none does.
const Override* override_for(const Overrides& all, telemetry::MetricId metric, std::string_view model,
                             const telemetry::ModelCatalogue& models);
Bounds overridden(Bounds bounds, const Override* by);

}  // namespace ghm::validation
