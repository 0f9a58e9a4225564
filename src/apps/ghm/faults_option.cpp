#include "apps/ghm/faults_option.h"

#include "core/files.h"

namespace ghm::cli {

void add_faults_option(CLI::App& command, std::vector<std::string>& files) {
  command.add_option("--faults", files, "a site's own rows of the fault catalogue: those of the server, faults.catalogues");
}

Result<faults::FaultCatalogue> catalogue_with(const std::vector<std::string>& files) {
  constexpr std::size_t kLargest = 16u << 20;
  auto catalogue = faults::FaultCatalogue::built_in();
  for (const auto& file : files) {
    const auto text = read_file(file, kLargest);
    if (!text) return text.error();
    auto with = catalogue.with_site(*text, file);
    if (!with) return with.error();
    catalogue = std::move(*with);
  }
  return catalogue;
}

}  // namespace ghm::cli
