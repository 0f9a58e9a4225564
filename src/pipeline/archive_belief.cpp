#include "pipeline/archive_belief.h"

#include <algorithm>
#include <bit>

namespace ghm::pipeline {
namespace {

namespace field = telemetry::field;

// Fields of which ColumnRules takes a device's own limits.
constexpr std::array kLimitFields{field::slowdown_temp, field::shutdown_temp, field::power_limit_max};
// A fleet has a handful of limits per model; a table that states new ones in every row must not fill the memory.
constexpr std::size_t kMostLimits = 1000;

}  // namespace

void ArchiveBelief::begin(const std::vector<archive::TelemetryColumn>& columns) {
  auto table = std::make_shared<telemetry::SeriesTable>();
  limit_columns_.clear();
  for (const auto& c : columns) {
    if (c.entity == telemetry::Entity{} && std::ranges::find(kLimitFields, c.metric) != kLimitFields.end())
      limit_columns_.push_back(table->series.size());
    table->series.push_back({0, c.entity, c.metric, false});
  }
  table_ = std::move(table);
  rules_.clear();
  reading_.layout = std::make_shared<const telemetry::PageLayout>(telemetry::PageLayout{table_, {}});
}

const validation::ColumnRules& ArchiveBelief::rules_of(const std::string& model, const std::vector<double>& values) {
  stated_.clear();
  for (const auto i : limit_columns_) stated_.push_back(std::bit_cast<std::uint64_t>(values[i]));
  auto& of_model = rules_[model];
  if (const auto it = of_model.find(stated_); it != of_model.end()) return it->second;
  if (of_model.size() >= kMostLimits) of_model.clear();
  telemetry::PageLayout layout{table_, {telemetry::GpuIdentity{}}};
  layout.gpus[0].model = model;
  auto rules =
      validation::ColumnRules::build(layout, values, telemetry::MetricCatalogue::built_in(), telemetry::ModelCatalogue::built_in());
  return of_model.emplace(stated_, std::move(rules)).first->second;
}

const std::vector<telemetry::Refusal>& ArchiveBelief::check(const std::string& model, std::vector<double>& values) {
  const auto& rules = rules_of(model, values);
  reading_.values.swap(values);
  reading_.refused.clear();
  validation::believe(reading_, rules, Timestamp{});
  reading_.values.swap(values);
  return reading_.refused;
}

}  // namespace ghm::pipeline
