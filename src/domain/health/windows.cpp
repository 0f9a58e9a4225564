#include "domain/health/windows.h"

#include <algorithm>
#include <cmath>

namespace ghm::health {

Metric metric(const Metrics& metrics, double t, std::string_view name) {
  const auto found = metrics.find(name);
  if (found == metrics.end()) return {name, true, {}};
  if (!found->second) return {name, false, {}};
  const Readings all = *found->second;
  const auto end = std::ranges::upper_bound(all, t, {}, &Reading::at);
  return {name, true, all.first(static_cast<std::size_t>(end - all.begin()))};
}

Metric metric(const Metrics& metrics, double t, std::string_view name, std::string_view otherwise) {
  const auto first = metric(metrics, t, name);
  if (!first.readings.empty()) return first;
  const auto second = metric(metrics, t, otherwise);
  const bool use_second = !second.readings.empty() || !first.listed;
  return use_second ? second : first;
}

Metric activity(const Metrics& metrics, double t) {
  constexpr std::string_view kUtilisation = "DCGM_FI_DEV_GPU_UTIL";
  auto m = metric(metrics, t, "DCGM_FI_PROF_GR_ENGINE_ACTIVE", kUtilisation);
  if (m.name == kUtilisation) m.divide = 100;
  return m;
}

Readings within(Readings readings, double from, double to) {
  const auto begin = std::ranges::upper_bound(readings, from, {}, &Reading::at);
  const auto end = std::ranges::upper_bound(begin, readings.end(), to, {}, &Reading::at);
  return {begin, end};
}

double presence(const Input& input, double seen, double window_s) {
  const double expected = std::min(window_s, input.t - input.deployed_at) / input.interval_s;
  if (seen == 0) return 0;
  return expected <= seen ? 1 : seen / expected;
}

Growth growth(Readings readings, double from, double to) {
  Growth g{0, to};
  for_each_step(readings, from, to, [&](double at, double step) {
    g.sum += step;
    if (step > 0) g.last_at = at;
  });
  return g;
}

double percentile(std::vector<double> values, double p) {
  const double rank = p / 100 * static_cast<double>(values.size() - 1);
  const auto below = values.begin() + static_cast<std::ptrdiff_t>(std::floor(rank));
  std::ranges::nth_element(values, below);
  const double low = *below;
  const double high = below + 1 == values.end() ? low : *std::min_element(below + 1, values.end());
  return low + (rank - std::floor(rank)) * (high - low);
}

std::optional<double> Days::value(std::size_t k) const {
  if (days_[k].weight <= 0) return std::nullopt;
  return days_[k].amount / days_[k].weight;
}

std::optional<double> Days::usual(std::size_t least) const {
  std::vector<double> values;
  for (std::size_t k = 1; k < kCount; ++k)
    if (const auto v = value(k)) values.push_back(*v);
  if (values.size() < std::max<std::size_t>(least, 1)) return std::nullopt;
  return percentile(std::move(values), 50);
}

}  // namespace ghm::health
