#pragma once
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "domain/telemetry/page.h"
#include "domain/views/fleet_snapshot.h"

namespace ghm::pipeline {

/// How many values were refused, by source, metric and reason. Bounded: a source that invents metric names must not eat
/// the memory, so beyond `kMost` combinations the rest is counted under the metric "other".
class RefusalCounts {
 public:
  static constexpr std::size_t kMost = 50'000;
  void add(const std::string& source, const telemetry::Refusal& refusal) { add(source, refusal.metric, refusal.reason, 1); }
  void add(const std::string& source, telemetry::MetricId metric, telemetry::Reason reason, std::uint64_t count);
  /// The largest first, at most `limit`.
  std::vector<views::RefusedCount> largest(std::size_t limit) const;
  std::uint64_t total() const { return total_; }

 private:
  std::map<std::tuple<std::string, telemetry::MetricId, telemetry::Reason>, std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace ghm::pipeline
