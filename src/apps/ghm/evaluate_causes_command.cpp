#include <fmt/format.h>

#include <memory>

#include "apps/ghm/cli.h"
#include "services/cause_evaluation.h"

namespace ghm::cli {

void add_evaluate_causes(CLI::App& evaluate, Run& run) {
  struct Options {
    services::IncidentPlan plan;
    bool json = false;
  };
  auto o = std::make_shared<Options>();
  auto* command = evaluate.add_subcommand("causes", "causes of simulated incidents: which are named right? (docs/incidents.md)");
  command->add_option("--seed", o->plan.seed, "the same seed gives the same incidents")->capture_default_str();
  command->add_option("--incidents", o->plan.incidents, "how many")->check(CLI::Range(1, 20'000))->capture_default_str();
  command->add_option("--noise", o->plan.noise, "lost lines, missed readings and stray signs against the usual")
      ->check(CLI::Range(0.0, 5.0))
      ->capture_default_str();
  command->add_flag("--json", o->json, "one JSON document on standard output");
  command->footer("example: ghm evaluate causes --seed 7 --incidents 2000");
  command->callback([&run, o] {
    run = [o] {
      const auto e = services::evaluate_causes(o->plan);
      if (o->json) print_json(services::to_json(e, o->plan));
      else fmt::print("{}", services::text_of(e, o->plan));
      return kDone;
    };
  });
}

}  // namespace ghm::cli
