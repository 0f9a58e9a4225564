#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "domain/telemetry/identity.h"

/// What a sign is a sign of, as the fleet's story groups them.
namespace ghm::views {

enum class Cause : std::uint8_t { heat, power, memory, nvlink, pcie, errors, silence, performance };
inline constexpr std::size_t kCauses = 8;

constexpr std::size_t index_of(Cause c) {
  return static_cast<std::size_t>(c);
}
/// "heat": the API's word.
std::string_view to_string(Cause c);

/// By the rule's family: "thermal.throttle" is heat. nullopt for rules of the past (uptime, jobs): they are no sign of today.
std::optional<Cause> cause_of_rule(std::string_view rule);
/// By what the catalogue says that the metric is used for; nullopt for what is no part's trouble (workload, inventory).
std::optional<Cause> cause_of_metric(telemetry::MetricId metric);
/// The series of scores in which a cause shows: that of its dimension.
telemetry::MetricId score_series(Cause c);

}  // namespace ghm::views
