#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "core/result.h"
#include "domain/faults/catalogue.h"

namespace ghm::cli {

/// `--faults FILE`, as often as wanted: a site's own rows of the fault catalogue, as faults.catalogues of ghm.yaml names them.
void add_faults_option(CLI::App& command, std::vector<std::string>& files);
/// The built-in catalogue with these files' rows over it. The error is all that is wrong with the first bad file, with its lines.
Result<faults::FaultCatalogue> catalogue_with(const std::vector<std::string>& files);

}  // namespace ghm::cli
