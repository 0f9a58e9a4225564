#pragma once
#include "apps/ghm/cli.h"

namespace ghm::cli {

/// `ghm simulate serve` and `ghm simulate inject`.
void add_simulate(CLI::App& app, Run& run);

}  // namespace ghm::cli
