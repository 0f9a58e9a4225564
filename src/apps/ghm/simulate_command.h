#pragma once
#include "apps/ghm/cli.h"

namespace ghm::cli {

/// `ghm simulate serve`, `inject` and `archive`.
void add_simulate(CLI::App& app, Run& run);
void add_simulate_archive(CLI::App& parent, Run& run);

}  // namespace ghm::cli
