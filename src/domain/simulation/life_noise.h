#pragma once
#include "domain/simulation/life.h"

namespace ghm::simulation {

/// Adds what happens to healthy boards too and means nothing: application faults, spells of corrected errors, rows that are
/// remapped for good, lost readings, maintenance, driver changes. Drawn apart from failures, so that nothing of it tells them.
void add_noise(const World& world, HostLife& life);

}  // namespace ghm::simulation
