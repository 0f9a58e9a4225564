#include "apps/ghm/cli.h"
namespace ghm::cli {
void add_export(CLI::App&, Run&) {}
}  // namespace ghm::cli
