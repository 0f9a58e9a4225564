#pragma once
#include "domain/simulation/board.h"

namespace ghm::simulation {

/// Inlet air of a host: its rack's mean, a swing of 2 °C over the day, warmest at 16:00 UTC.
double inlet_at(const Surroundings& around, double t);

/// One step of power, clocks and heat: work makes power, the cap and the heat hold the clocks, power makes heat.
/// Between steps the temperature moves exactly as a resistance and a capacity do, so any step length is stable.
/// t: end of the step, Unix seconds; dt > 0 seconds.
void step_thermal(Board& b, const Surroundings& around, double t, double dt);

}  // namespace ghm::simulation
