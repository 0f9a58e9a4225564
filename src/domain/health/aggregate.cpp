#include <algorithm>
#include <array>

#include "domain/health/health.h"
#include "domain/health/scorers.h"

namespace ghm::health {
namespace {

constexpr double kLeastCoverage = 0.50;

constexpr DimensionSpec kDimensions[] = {
    {"memory", 30, true}, {"thermal", 25, true}, {"performance", 20, false}, {"power", 15, false}, {"reliability", 10, false},
};

constexpr std::string_view kCriticalRules[] = {"memory.remap_failed", "memory.ue_rising"};  // in the rule table's order

struct ClassBorder {
  double from;
  std::string_view name;
};
constexpr ClassBorder kClasses[] = {{90, "excellent"}, {80, "good"}, {70, "fair"}, {60, "degraded"}, {50, "poor"}, {40, "critical"}};

Dimension scored(const DimensionSpec& spec, const Input& input) {
  Dimension d;
  if (spec.name == "memory") d = score_memory(input);
  if (spec.name == "thermal") d = score_thermal(input);
  d.name = spec.name;
  d.weight_percent = spec.weight_percent;
  return d;
}

// Both sums take whole percents and divide once, so that a score of 90 is 90 and not 89.99999999999999.
void aggregate(Report& r) {
  double coverage = 0, points = 0, weight = 0;
  for (const auto& d : r.dimensions) {
    if (!d.score) continue;
    coverage += d.weight_percent * d.coverage;
    points += d.weight_percent * *d.score;
    weight += d.weight_percent;
  }
  r.coverage = coverage / 100;
  if (weight > 0 && r.coverage >= kLeastCoverage) r.overall = points / weight;
}

std::vector<std::string> critical_rules(const Report& r) {
  std::vector<std::string> fired;
  for (const auto rule : kCriticalRules)
    for (const auto& d : r.dimensions)
      if (std::ranges::find(d.findings, rule, &Finding::rule) != d.findings.end()) fired.emplace_back(rule);
  return fired;
}

std::string risk_of(const Report& r) {
  if (!r.critical.empty()) return "critical";
  if (!r.overall) return {};
  if (*r.overall < 50) return "critical";
  if (*r.overall < 70) return "high";
  return *r.overall < 80 ? "medium" : "low";
}

}  // namespace

std::span<const DimensionSpec> dimensions() {
  return kDimensions;
}

std::string_view class_of(double overall) {
  const auto border = std::ranges::find_if(kClasses, [&](const ClassBorder& c) { return overall >= c.from; });
  return border == std::end(kClasses) ? "failed" : border->name;
}

Report score(const Input& input) {
  Report r;
  r.at = input.t;
  for (const auto& spec : kDimensions) r.dimensions.push_back(scored(spec, input));
  aggregate(r);
  if (r.overall) r.class_name = class_of(*r.overall);
  r.critical = critical_rules(r);
  r.risk = risk_of(r);
  return r;
}

}  // namespace ghm::health
