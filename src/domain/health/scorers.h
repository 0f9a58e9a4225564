#pragma once
#include "domain/health/health.h"

/// One scorer per dimension, one file each; the aggregate gives the weights.
namespace ghm::health {

/// Heat: throttling, mean temperature, its trend and swing under load, fan.
Dimension score_thermal(const Input& input);
/// Memory: corrected and uncorrected errors, row remapping, bandwidth of a test.
Dimension score_memory(const Input& input);

}  // namespace ghm::health
