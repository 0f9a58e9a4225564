#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "domain/health/health.h"

/// What the rules look through: windows of readings, increases of counters, presence. All spans are in time order.
namespace ghm::health {

using Readings = std::span<const Reading>;

inline constexpr double kHour = 3600, kDay = 86400;  // seconds

/// One input of a dimension.
struct Metric {
  std::string_view name;
  bool listed = true;  // false: the part does not have it
  Readings readings;   // up to t
  double divide = 1;   // GPU_UTIL is in percent, activity a share
};

/// A metric up to t; one that the input does not mention is listed and empty.
Metric metric(const Input& input, std::string_view name);
/// `name`, or `otherwise` where `name` has no reading at all; listed when the part has either.
Metric metric(const Input& input, std::string_view name, std::string_view otherwise);
/// Share of time that the GPU works: DCGM_FI_PROF_GR_ENGINE_ACTIVE, else DCGM_FI_DEV_GPU_UTIL / 100.
Metric activity(const Input& input);

/// Readings with from < at <= to. O(log n).
Readings within(Readings readings, double from, double to);
/// Readings per expected reading over the last `window_s` (since deployment if that is shorter), at most 1.
double presence(const Input& input, const Metric& m, double window_s);
/// Presence of at least 0.60.
bool is_present(const Input& input, const Metric& m, double window_s);

/// Growth of a counter over (from, to]: the first step is taken from the last reading before, a fall adds the new value
/// (the counter began anew), the first reading ever adds nothing.
double increase(Readings readings, double from, double to);
/// When it last grew in (from, to]; `to` when it did not.
double last_step(Readings readings, double from, double to);

/// Type 7 percentile (linear between order statistics), p in 0..100; values not empty, any order.
double percentile(std::vector<double> values, double p);

/// Calls see(at, value of a, value of b) wherever both have a reading at the same time. O(n).
template <class See>
void for_each_pair(const Metric& a, const Metric& b, double from, double to, See see) {
  const auto as = within(a.readings, from, to), bs = within(b.readings, from, to);
  for (std::size_t i = 0, j = 0; i < as.size() && j < bs.size();) {
    if (as[i].at == bs[j].at) {
      see(as[i].at, as[i].value / a.divide, bs[j].value / b.divide);
      ++i, ++j;
    } else {
      ++(as[i].at < bs[j].at ? i : j);
    }
  }
}

}  // namespace ghm::health
