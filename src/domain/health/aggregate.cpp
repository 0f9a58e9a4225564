// The profile `baseline` as a whole: five dimensions, their weights, the gates of coverage, class, trend and risk.
#include <algorithm>

#include "domain/health/health.h"
#include "domain/health/sheet.h"
#include "domain/health/trend.h"

namespace ghm::health {
namespace {

constexpr double kLeastCoverage = 0.50;

struct ClassBorder {
  double from;
  std::string_view name;
};
constexpr ClassBorder kClasses[] = {{90, "excellent"}, {80, "good"}, {70, "fair"}, {60, "degraded"}, {50, "poor"}, {40, "critical"}};

// Dimensions stand heaviest first, rules in the order of the profile's table, which begins with heat.
constexpr std::string_view kTableOrder[] = {"thermal", "memory", "power", "performance", "reliability"};

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
  for (const auto name : kTableOrder)
    for (const auto& f : std::ranges::find(r.dimensions, name, &Dimension::name)->findings)
      if (f.critical) fired.push_back(f.rule);
  return fired;
}

}  // namespace

std::span<const Scorer> scorers() {
  static const Scorer kScorers[] = {
      {"memory", 30, {Of::sbe, Of::dbe, Of::remap_pending, Of::remap_failure, Of::banks, Of::bandwidth_record}, memory_rules()},
      {"thermal", 25, {Of::reasons, Of::temperature, Of::activity, Of::fan}, thermal_rules()},
      {"performance",
       20,
       {Of::activity, Of::sm_clock, Of::max_sm_clock, Of::reasons, Of::pcie_width, Of::pcie_max_width, Of::pcie_gen, Of::pcie_max_gen,
        Of::nvlinks},
       performance_rules()},
      {"power", 15, {Of::power, Of::activity, Of::sm_clock, Of::reasons, Of::limit_default, Of::limit_enforced, Of::energy}, power_rules()},
      {"reliability", 10, {Of::reporting, Of::events, Of::jobs}, reliability_rules()},
  };
  return kScorers;
}

std::span<const DimensionSpec> dimensions() {
  static const std::vector<DimensionSpec> kDimensions = [] {
    std::vector<DimensionSpec> out;
    for (const auto& s : scorers()) out.push_back({s.name, s.weight_percent});
    return out;
  }();
  return kDimensions;
}

std::vector<std::string_view> rule_names() {
  std::vector<std::string_view> out;
  for (const auto name : kTableOrder)
    for (const auto& rule : std::ranges::find(scorers(), name, &Scorer::name)->rules) out.push_back(rule.name);
  return out;
}

std::string_view class_of(double overall) {
  const auto border = std::ranges::find_if(kClasses, [&](const ClassBorder& c) { return overall >= c.from; });
  return border == std::end(kClasses) ? "failed" : border->name;
}

Report score(const Input& input) {
  const Evidence evidence(input);
  Report r;
  r.at = input.t;
  for (const auto& scorer : scorers()) r.dimensions.push_back(score(scorer, evidence));
  aggregate(r);
  r.trend_7d = trend(input, r.overall, 7);
  r.trend_30d = trend(input, r.overall, 30);
  if (r.overall) r.class_name = class_of(*r.overall);
  r.critical = critical_rules(r);
  r.risk = risk_of(r.overall, r.trend_7d, !r.critical.empty());
  return r;
}

}  // namespace ghm::health
