#include "domain/health/windows.h"

#include <algorithm>
#include <cmath>

namespace ghm::health {
namespace {

constexpr double kPresent = 0.60;

// Calls step(at, growth) for every step whose later reading lies in (from, to].
template <class Step>
void for_each_step(Readings readings, double from, double to, Step step) {
  const auto inside = within(readings, from, to);
  for (const auto& now : inside) {
    if (&now == readings.data()) continue;
    const double before = (&now - 1)->value;
    step(now.at, now.value >= before ? now.value - before : now.value);
  }
}

}  // namespace

Metric metric(const Input& input, std::string_view name) {
  const auto found = input.metrics.find(name);
  if (found == input.metrics.end()) return {name, true, {}};
  if (!found->second) return {name, false, {}};
  const Readings all = *found->second;
  const auto end = std::ranges::upper_bound(all, input.t, {}, &Reading::at);
  return {name, true, all.first(static_cast<std::size_t>(end - all.begin()))};
}

Metric metric(const Input& input, std::string_view name, std::string_view otherwise) {
  const auto first = metric(input, name);
  if (!first.readings.empty()) return first;
  const auto second = metric(input, otherwise);
  const bool use_second = !second.readings.empty() || !first.listed;
  return use_second ? second : first;
}

Metric activity(const Input& input) {
  constexpr std::string_view kUtilisation = "DCGM_FI_DEV_GPU_UTIL";
  auto m = metric(input, "DCGM_FI_PROF_GR_ENGINE_ACTIVE", kUtilisation);
  if (m.name == kUtilisation) m.divide = 100;
  return m;
}

Readings within(Readings readings, double from, double to) {
  const auto begin = std::ranges::upper_bound(readings, from, {}, &Reading::at);
  const auto end = std::ranges::upper_bound(begin, readings.end(), to, {}, &Reading::at);
  return {begin, end};
}

double presence(const Input& input, const Metric& m, double window_s) {
  const double expected = std::min(window_s, input.t - input.deployed_at) / input.interval_s;
  const auto seen = static_cast<double>(within(m.readings, input.t - window_s, input.t).size());
  if (seen == 0) return 0;
  return expected <= seen ? 1 : seen / expected;
}

bool is_present(const Input& input, const Metric& m, double window_s) {
  return presence(input, m, window_s) >= kPresent;
}

double increase(Readings readings, double from, double to) {
  double sum = 0;
  for_each_step(readings, from, to, [&](double, double growth) { sum += growth; });
  return sum;
}

double last_step(Readings readings, double from, double to) {
  double last = to;
  for_each_step(readings, from, to, [&](double at, double growth) {
    if (growth > 0) last = at;
  });
  return last;
}

double percentile(std::vector<double> values, double p) {
  std::ranges::sort(values);
  const double rank = p / 100 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(rank));
  const auto above = std::min(below + 1, values.size() - 1);
  return values[below] + (rank - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace ghm::health
