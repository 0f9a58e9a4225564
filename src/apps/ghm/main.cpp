#include <csignal>

#include "apps/ghm/cli.h"
#include "apps/ghm/simulate_command.h"

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is a full disk, to be told in a sentence, and no reason to die
  CLI::App app{"GPU Health Monitor: a fleet's memory and judgement about its GPUs"};
  app.name("ghm")->require_subcommand(1);
  app.footer("example: ghm demo\n`ghm COMMAND --help` has one for every command");
  ghm::cli::Run run;
  ghm::cli::add_demo(app, run);
  ghm::cli::add_serve(app, run);
  ghm::cli::add_read(app, run);
  ghm::cli::add_status(app, run);
  ghm::cli::add_gpus(app, run);
  ghm::cli::add_gpu(app, run);
  ghm::cli::add_why(app, run);
  ghm::cli::add_simulate(app, run);
  ghm::cli::add_import(app, run);
  ghm::cli::add_export(app, run);
  ghm::cli::add_score(app, run);
  ghm::cli::add_evaluate(app, run);
  ghm::cli::add_check_config(app, run);
  ghm::cli::add_assets(app, run);
  ghm::cli::add_maintenance(app, run);
  ghm::cli::add_keys(app, run);
  ghm::cli::add_backup(app, run);
  ghm::cli::add_restore(app, run);
  ghm::cli::add_migrate(app, run);
  ghm::cli::add_quarantine(app, run);
  ghm::cli::add_incidents(app, run);
  ghm::cli::add_cases(app, run);
  ghm::cli::add_rma(app, run);
  ghm::cli::add_version(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? ghm::cli::kDone : ghm::cli::kWrongUsage;
  }
  return run();
}
