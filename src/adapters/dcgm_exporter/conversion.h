#pragma once
#include <cmath>

#include "domain/telemetry/conversion.h"

namespace ghm::dcgm_exporter {

using telemetry::Conversion;

/// NaN equals NaN: a line repeated is a line repeated.
inline bool same_value(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

}  // namespace ghm::dcgm_exporter
