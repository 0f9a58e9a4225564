#pragma once
#include <optional>

#include "domain/health/health.h"

namespace ghm::health {

/// How the overall score moved in `days` days: the mean of the rounds of the last 24 h, with `overall` as that of now, less the
/// mean of the 24 h that ended `days` days ago; held within -10..+10. nullopt where either has fewer than 48 rounds.
std::optional<double> trend(const Input& input, std::optional<double> overall, int days);

/// "low", "medium", "high", "critical"; empty when it cannot be told: no score, and nothing critical.
std::string_view risk_of(std::optional<double> overall, std::optional<double> trend_7d, bool is_critical);

}  // namespace ghm::health
