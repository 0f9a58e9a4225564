#include "apps/ghm/simulate_command.h"

#include <fmt/format.h>

#include <boost/asio/signal_set.hpp>
#include <memory>

#include "adapters/scrape/http_client.h"
#include "apps/ghm/simulation_server.h"

namespace ghm::cli {
namespace {

struct ServeOptions {
  simulation::FleetPlan plan;
  unsigned short port = app::SimulationServer::kPort;
  bool json = false;
};

struct InjectOptions {
  unsigned short port = app::SimulationServer::kPort;
  std::string gpu, fault;
  bool json = false;
};

std::vector<std::string> words(const std::vector<std::string_view>& from) {
  return {from.begin(), from.end()};
}

void say_where(const ServeOptions& o, const app::SimulationServer& server) {
  const auto hosts = server.targets().size();
  const auto list = fmt::format("http://127.0.0.1:{}/-/targets", o.port);
  if (o.json)
    print_json({{"gpus", o.plan.gpus},
                {"hosts", hosts},
                {"scenario", o.plan.scenario},
                {"seed", o.plan.seed},
                {"first_port", o.port},
                {"last_port", o.port + hosts - 1},
                {"targets", list}});
  else
    fmt::print(
        "{} simulated GPUs, scenario {}, seed {}: ports {} to {} of 127.0.0.1, one per host, each with /metrics\ntargets for http_sd: {}\n",
        o.plan.gpus, o.plan.scenario, o.plan.seed, o.port, o.port + hosts - 1, list);
  std::fflush(stdout);
}

int serve(const ServeOptions& o) {
  boost::asio::io_context io(1);
  auto server = app::SimulationServer::start(io, o.plan, o.port, Log::to_stderr());
  if (!server) return fail(server.error());
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
  say_where(o, **server);
  io.run();
  return kDone;
}

Error refused(const InjectOptions& o, const scrape::HttpAnswer& answer) {
  const auto problem = Json::parse(answer.body, nullptr, false);
  const auto detail = problem.is_object() ? problem.value("detail", std::string()) : std::string();
  if (detail.empty())
    return {Errc::unavailable, fmt::format("port {} answered {}: is this the first port of `ghm simulate serve`?", o.port, answer.status)};
  return {Errc::invalid_input, detail};
}

int inject(const InjectOptions& o) {
  const Json order{{"gpu", o.gpu}, {"fault", o.fault}};
  const auto url = fmt::format("http://127.0.0.1:{}/-/inject", o.port);
  const auto answer = scrape::http_request("POST", url, {}, {{"Content-Type", "application/json"}}, order.dump(), 10s);
  if (!answer)
    return fail(
        {answer.error().code, answer.error().what + "; start a fleet with `ghm simulate serve`, or name its first port with --port"});
  if (answer->status != 200) return fail(refused(o, *answer));
  const auto done = Json::parse(answer->body, nullptr, false);
  if (!done.is_object() || !done.contains("sentence")) return fail(refused(o, *answer));
  if (o.json) print_json(done);
  else fmt::print("{}\n", done["sentence"].get<std::string>());
  return kDone;
}

void add_serve_command(CLI::App& parent, Run& run) {
  auto* command = parent.add_subcommand("serve", "exporters of a living fleet: one port per host of 8 GPUs");
  auto o = std::make_shared<ServeOptions>();
  command->add_option("--gpus", o->plan.gpus, "how many GPUs")->required()->check(CLI::Range(1, 300'000));
  command->add_option("--port", o->port, "the first host's port")->check(CLI::Range(1, 65535))->capture_default_str();
  command->add_option("--seed", o->plan.seed, "the same seed gives the same fleet")->capture_default_str();
  command->add_option("--scenario", o->plan.scenario, "how its boards fail")
      ->check(CLI::IsMember(words(simulation::Fleet::scenarios())))
      ->capture_default_str();
  command->add_flag("--jobs", o->plan.job_names, "pages name the jobs that run (label hpc_job); a fault ends its job on all hosts");
  command->add_flag("--json", o->json, "one JSON document on standard output");
  command->footer("example: ghm simulate serve --gpus 96 --seed 7 --scenario literature");
  command->callback([&run, o] { run = [o] { return serve(*o); }; });
}

void add_inject_command(CLI::App& parent, Run& run) {
  auto* command = parent.add_subcommand("inject", "let a fault strike a GPU of a running `ghm simulate serve`");
  auto o = std::make_shared<InjectOptions>();
  command->add_option("--port", o->port, "the first host's port")->check(CLI::Range(1, 65535))->capture_default_str();
  command->add_option("GPU", o->gpu, "serial number, UUID, HOST/INDEX, or its number in the fleet")->required();
  command->add_option("FAULT", o->fault, "what happens to it")->required()->check(CLI::IsMember(words(simulation::Fleet::faults())));
  command->add_flag("--json", o->json, "one JSON document on standard output");
  command->footer("example: ghm simulate inject --port 19400 fra1-gpu-0002/3 thermal_tim");
  command->callback([&run, o] { run = [o] { return inject(*o); }; });
}

}  // namespace

void add_simulate(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("simulate", "a fleet that lives, ages and fails, for trials and tests");
  command->require_subcommand(1);
  command->footer("example: ghm simulate serve --gpus 96");
  add_serve_command(*command, run);
  add_inject_command(*command, run);
  add_simulate_archive(*command, run);
}

}  // namespace ghm::cli
