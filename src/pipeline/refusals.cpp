#include "pipeline/refusals.h"

#include <algorithm>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::pipeline {

void RefusalCounts::add(const std::string& source, telemetry::MetricId metric, telemetry::Reason reason, std::uint64_t count) {
  total_ += count;
  if (const auto it = counts_.find(std::tie(source, metric, reason)); it != counts_.end()) {
    it->second += count;
    return;
  }
  const bool full = counts_.size() >= kMost;
  counts_[{full ? "other" : source, full ? telemetry::MetricId::none : metric, reason}] += count;
}

std::vector<views::RefusedCount> RefusalCounts::largest(std::size_t limit) const {
  const auto& catalogue = telemetry::MetricCatalogue::built_in();
  std::vector<views::RefusedCount> all;
  all.reserve(counts_.size());
  for (const auto& [key, count] : counts_) {
    const auto& [source, metric, reason] = key;
    const auto* spec = catalogue.find(metric);
    all.push_back({source, spec ? spec->name : "unknown", std::string(telemetry::to_string(reason)), count});
  }
  std::ranges::stable_sort(all, std::greater{}, &views::RefusedCount::count);
  if (all.size() > limit) all.resize(limit);
  return all;
}

}  // namespace ghm::pipeline
