#include <fmt/format.h>

#include <memory>

#include "apps/ghm/cli.h"

namespace ghm::cli {

void add_version(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("version", "this program's version");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "one JSON document on standard output");
  command->footer("example: ghm version --json");
  command->callback([&run, json] {
    run = [json] {
      if (*json) print_json({{"version", GHM_VERSION}});
      else fmt::print("ghm {}\n", GHM_VERSION);
      return kDone;
    };
  });
}

}  // namespace ghm::cli
