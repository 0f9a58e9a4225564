#pragma once
#include <string>
#include <vector>

#include "domain/simulation/life.h"

/// What an archive must never hold: CSV tables for whoever judges predictions, each with its header row.
namespace ghm::pipeline {

/// Per failure, those behind the archive's end included that have a sign in it: when it truly happened, mode, cause, sign and since when it
/// shows.
std::string truth_of_failures(const simulation::World& world, const std::vector<simulation::HostLife>& lives);
/// Per board: frailty, lemon host, bad lot, factors of site, rack and height, and the hazard that they make.
std::string truth_of_boards(const simulation::World& world, const std::vector<simulation::HostLife>& lives);
/// Spans of time that change hazards: bad drivers, hot racks, regimes of software.
std::string truth_of_regimes(const simulation::World& world);

}  // namespace ghm::pipeline
