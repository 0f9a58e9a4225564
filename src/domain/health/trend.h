#pragma once
#include <optional>

#include "domain/health/measures.h"

namespace ghm::health {

/// How the overall score moved: the mean of the rounds of the last 24 h, with `overall` as that of now, less the mean of a day
/// `then`; held within -10..+10. nullopt where either has fewer than 48 rounds.
std::optional<double> trend(Rounds today, std::optional<double> overall, const Rounds& then);

/// "low", "medium", "high", "critical"; empty when it cannot be told: no score, and nothing critical.
std::string_view risk_of(std::optional<double> overall, std::optional<double> trend_7d, bool is_critical);

}  // namespace ghm::health
