#pragma once
#include "domain/simulation/life.h"

namespace ghm::simulation {

/// What a board's signs and noise do to it in one step that ends at `t` (Unix seconds) and is `dt` seconds long. Called after
/// the step; what heats or throttles is set by `before` it.
void show_before(const Effect& e, Board& b, double t, double theta);
void show_after(const Effect& e, Board& b, double t, double dt);

/// The share of readings that a sign makes go missing, now.
double missing_by(const Effect& e, double t);

}  // namespace ghm::simulation
