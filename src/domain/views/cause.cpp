#include "domain/views/cause.h"

#include <algorithm>

#include "domain/health/health.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::views {
namespace {

struct Word {
  Cause cause;
  std::string_view name, dimension;
};
constexpr std::array<Word, kCauses> kWords = {{
    {Cause::heat, "heat", "thermal"},
    {Cause::power, "power", "power"},
    {Cause::memory, "memory", "memory"},
    {Cause::nvlink, "nvlink", "performance"},
    {Cause::pcie, "pcie", "performance"},
    {Cause::errors, "errors", "reliability"},
    {Cause::silence, "silence", "reliability"},
    {Cause::performance, "performance", "performance"},
}};

struct Family {
  std::string_view prefix;
  std::optional<Cause> cause;
};
// The first that fits.
constexpr Family kRules[] = {
    {"thermal.", Cause::heat},
    {"memory.", Cause::memory},
    {"power.", Cause::power},
    {"performance.nvlink", Cause::nvlink},
    {"performance.link_errors", Cause::nvlink},
    {"performance.pcie", Cause::pcie},
    {"performance.replays", Cause::pcie},
    {"performance.", Cause::performance},
    {"reliability.incidents", Cause::errors},
    {"reliability.xid", Cause::errors},
    {"reliability.reset", Cause::errors},
};
constexpr Family kUses[] = {
    {"thermal", Cause::heat},  {"memory", Cause::memory}, {"power", Cause::power},
    {"nvlink", Cause::nvlink}, {"pcie", Cause::pcie},     {"performance", Cause::performance},
};

}  // namespace

std::string_view to_string(Cause c) {
  return kWords[index_of(c)].name;
}

std::optional<Cause> cause_of_rule(std::string_view rule) {
  const auto found = std::ranges::find_if(kRules, [&](const Family& f) { return rule.starts_with(f.prefix); });
  return found == std::end(kRules) ? std::nullopt : found->cause;
}

std::optional<Cause> cause_of_metric(telemetry::MetricId metric) {
  const auto* spec = telemetry::MetricCatalogue::built_in().find(metric);
  if (spec == nullptr) return std::nullopt;
  const auto found = std::ranges::find(kUses, std::string_view(spec->used_for), &Family::prefix);
  return found == std::end(kUses) ? std::nullopt : found->cause;
}

telemetry::MetricId score_series(Cause c) {
  const auto all = health::dimensions();
  const auto found = std::ranges::find(all, kWords[index_of(c)].dimension, &health::DimensionSpec::name);
  return found == all.end() ? health::kOverallScore : health::dimension_score(static_cast<std::size_t>(found - all.begin()));
}

}  // namespace ghm::views
