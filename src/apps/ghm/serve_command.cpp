#include <fmt/format.h>

#include <memory>

#include "apps/ghm/cli.h"
#include "apps/ghm/node.h"
#include "apps/ghm/simulation_server.h"

namespace ghm::cli {
namespace {

struct ServeOptions {
  std::string config = "ghm.yaml", listen, data_dir;
};

Result<app::Config> config_of(const ServeOptions& o) {
  auto config = app::load_config(o.config);
  if (!config) return config;
  if (!o.listen.empty()) config->listen = o.listen;
  if (!o.data_dir.empty()) config->data_dir = o.data_dir;
  return config;
}

int serve(const ServeOptions& o) {
  const auto config = config_of(o);
  if (!config) return fail(config.error());
  app::raise_open_file_limit();
  auto node = app::Node::open(*config, Log::to_stderr(config->log_level, config->log_format));
  if (!node) return fail(node.error());
  fmt::print(stderr, "GPU Health Monitor: {}\n", (*node)->url());
  if (auto done = (*node)->run(); !done) return fail(done.error());
  return kDone;
}

}  // namespace

void add_serve(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("serve", "scrape, remember, judge and answer: everything in one process");
  auto o = std::make_shared<ServeOptions>();
  command->add_option("--config", o->config, "the configuration; docs/configuration.md has every key")->capture_default_str();
  command->add_option("--listen", o->listen, "address of UI and API, instead of the configuration's");
  command->add_option("--data-dir", o->data_dir, "the data folder, instead of the configuration's");
  command->footer("example: ghm serve --config ghm.yaml");
  command->callback([&run, o] { run = [o] { return serve(*o); }; });
}

}  // namespace ghm::cli
