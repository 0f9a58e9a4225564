#pragma once
#include "domain/health/inputs.h"

namespace ghm::health {

/// Minutes of the last 30 days. Left out of both: before deployment, maintenance, drain, and a source silent for all its boards.
struct Uptime {
  int counted = 0, reported = 0;
  double last_missing_at = 0;  // end of the latest minute that counts and was not reported
};

/// A minute (T - 60 s, T], T = t - 60 s · m, is reported if any reading lies in (T - max(60 s, interval), T]. One walk over the
/// busiest series; the others are looked at only where that one is silent.
Uptime uptime(const Input& input);

}  // namespace ghm::health
