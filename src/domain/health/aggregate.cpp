// A report as a whole: the weighing of dimensions, the gates of coverage, class, trend and risk. Profiles differ in their tables
// alone.
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

// Takes whole percents and divides once, as the score does, so that 90 is 90 and not 89.99999999999999.
double coverage_of(const std::vector<Dimension>& dimensions) {
  double coverage = 0;
  for (const auto& d : dimensions)
    if (d.score) coverage += d.weight_percent * d.coverage;
  return coverage / 100;
}

// A board is as fit as its weakest part: the worst dimension takes its share first. What is left of a weight is its share of the
// rest, so that points lost times weight still sum up to what the whole lost.
void favour_the_worst(std::vector<Dimension>& dimensions, int percent) {
  Dimension* worst = nullptr;
  for (auto& d : dimensions) {
    d.weight_percent = d.weight_percent * (100 - percent) / 100;
    if (d.score && (worst == nullptr || *d.score < *worst->score)) worst = &d;
  }
  if (worst != nullptr) worst->weight_percent += percent;
}

void aggregate(Report& r, int worst_percent) {
  r.coverage = coverage_of(r.dimensions);
  if (worst_percent > 0) favour_the_worst(r.dimensions, worst_percent);
  double points = 0, weight = 0;
  for (const auto& d : r.dimensions) {
    if (!d.score) continue;
    points += d.weight_percent * *d.score;
    weight += d.weight_percent;
  }
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

std::vector<DimensionSpec> dimensions(const Profile& profile) {
  std::vector<DimensionSpec> out;
  for (const auto& s : profile.scorers) out.push_back({s.name, s.weight_percent});
  return out;
}

std::vector<std::string_view> rule_names(const Profile& profile) {
  std::vector<std::string_view> out;
  for (const auto name : kTableOrder)
    for (const auto& rule : std::ranges::find(profile.scorers, name, &Scorer::name)->rules) out.push_back(rule.name);
  return out;
}

std::string_view class_of(double overall) {
  const auto border = std::ranges::find_if(kClasses, [&](const ClassBorder& c) { return overall >= c.from; });
  return border == std::end(kClasses) ? "failed" : border->name;
}

Report score(const Profile& profile, const Input& input) {
  return score(profile, Evidence(input));
}

Report score(const Profile& profile, const Evidence& evidence) {
  const auto& m = evidence.measures();
  Report r;
  r.at = evidence.t();
  r.profile = profile.name;
  r.codes = evidence.input().codes->version();
  for (const auto& scorer : profile.scorers) r.dimensions.push_back(score(scorer, evidence));
  aggregate(r, profile.worst_percent);
  r.trend_7d = trend(m.rounds_today, r.overall, m.rounds_week_ago);
  r.trend_30d = trend(m.rounds_today, r.overall, m.rounds_month_ago);
  if (r.overall) r.class_name = class_of(*r.overall);
  r.critical = critical_rules(r);
  r.busy_clock = m.busy_clock.value(0);
  r.risk = risk_of(r.overall, r.trend_7d, !r.critical.empty());
  return r;
}

}  // namespace ghm::health
