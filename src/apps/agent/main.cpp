#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "adapters/nvml/reader_main.h"
#include "apps/agent/agent.h"
#include "apps/agent/sources.h"

namespace {

constexpr int kDone = 0, kFailed = 1, kWrongUsage = 2;

int fail(const ghm::Error& error) {
  fmt::print(stderr, "ghm-agent: {}\n", error.what);
  return kFailed;
}

int run(const std::string& path) {
  auto config = ghm::agent::load_agent_config(path);
  if (!config) return fail(config.error());
  const auto log = ghm::Log::to_stderr(config->log_level, config->log_format);
  auto sources = ghm::agent::make_sources(*config, log);
  auto agent = ghm::agent::Agent::open(std::move(*config), std::move(sources), log);
  if (!agent) return fail(agent.error());
  (*agent)->run();
  return kDone;
}

int check(const std::string& path) {
  const auto config = ghm::agent::load_agent_config(path);
  if (!config) return fail(config.error());
  fmt::print("{}: good: host {}, every {}, exporter {}, to {}, spool {} of {} MiB\n", path, config->host,
             ghm::format_duration(config->interval), config->exporter.empty() ? "none" : config->exporter, config->server, config->spool,
             config->spool_mib);
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  // Not for people: how the agent starts the child that may hang in the driver.
  if (argc > 1 && argv[1] == std::string_view(ghm::nvml::kReaderWord)) return ghm::nvml::reader_main(argc, argv);
  // A small process stays small: one arena, and what a large answer needed goes back.
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, 256 << 10);
  ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
  std::signal(SIGXFSZ, SIG_IGN);
  CLI::App app{"GPU Health Monitor's agent: reads one GPU host and sends what it finds to ghm serve"};
  app.name("ghm-agent");
  app.footer("example: ghm-agent --config /etc/ghm/agent.yaml");
  std::string config = "/etc/ghm/agent.yaml";
  app.add_option("--config", config, "the configuration; docs/agent.md has every key")->capture_default_str();
  bool version = false;
  app.add_flag("--version", version, "print this program's version");
  auto* checking = app.add_subcommand("check-config", "say whether the configuration is good, and end");
  checking->add_option("--config", config, "the configuration")->capture_default_str();
  checking->footer("example: ghm-agent check-config --config agent.yaml");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kDone : kWrongUsage;
  }
  if (version) {
    fmt::print("ghm-agent {}\n", GHM_VERSION);
    return kDone;
  }
  return checking->parsed() ? check(config) : run(config);
}
