#include <fmt/format.h>

#include <memory>

#include "apps/ghm/cli.h"
#include "domain/views/json_views.h"

namespace ghm::cli {
namespace {

struct GpusOptions : ServerOptions {
  std::string sort = "urgency", search, band, host;
  int limit = 50;
};

std::string gpus_path(const GpusOptions& o) {
  auto path = fmt::format("/api/v1/gpus?sort={}&limit={}", url_encode(o.sort), o.limit);
  for (const auto& [name, value] : {std::pair{"q", o.search}, {"band", o.band}, {"host", o.host}})
    if (!value.empty()) path += fmt::format("&{}={}", name, url_encode(value));
  return path;
}

int status(const ServerOptions& o) {
  const auto summary = get_json(o, "/api/v1/fleet/summary");
  if (!summary) return fail(summary.error());
  if (o.json) print_json(*summary);
  else fmt::print("{}", views::status_text(*summary));
  return kDone;
}

int gpus(const GpusOptions& o) {
  const auto list = get_json(o, gpus_path(o));
  if (!list) return fail(list.error());
  if (o.json) print_json(*list);
  else fmt::print("{}", views::gpus_text(*list, terminal_width()));
  return kDone;
}

int gpu(const ServerOptions& o, const std::string& id) {
  const auto base = gpu_path(id);
  auto board = get_json(o, base);
  if (!board) return fail(board.error());
  const auto health = get_json(o, base + "/health");
  if (!health) return fail(health.error());
  if (o.json) {
    (*board)["health"] = *health;
    print_json(*board);
  } else {
    fmt::print("{}", views::gpu_text(*board, *health));
  }
  return kDone;
}

}  // namespace

void add_status(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("status", "how the fleet is, in one screen");
  auto options = std::make_shared<ServerOptions>();
  add_server_options(*command, *options);
  command->footer("example: ghm status --server http://127.0.0.1:9480");
  command->callback([&run, options] { run = [options] { return status(*options); }; });
}

void add_gpus(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("gpus", "the boards, worst first");
  auto options = std::make_shared<GpusOptions>();
  add_server_options(*command, *options);
  command
      ->add_option("--sort", options->sort,
                   "urgency (need action, then the lowest score), score, serial, host, model, temperature, power or last_seen; - in front "
                   "turns it round")
      ->capture_default_str();
  command->add_option("--limit", options->limit, "how many")->check(CLI::Range(1, 1000))->capture_default_str();
  command->add_option("--search", options->search, "part of a serial, UUID, host, rack or model");
  command->add_option("--band", options->band, "healthy, watch, degraded, critical, no_data or out_of_service");
  command->add_option("--host", options->host, "only this host");
  command->footer("example: ghm gpus --band critical --json");
  command->callback([&run, options] { run = [options] { return gpus(*options); }; });
}

void add_gpu(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("gpu", "one board: where it is, its score and every lost point");
  auto options = std::make_shared<ServerOptions>();
  auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "serial number, UUID or HOST/SLOT")->required();
  add_server_options(*command, *options);
  command->footer("example: ghm gpu 1650123000042");
  command->callback([&run, options, id] { run = [options, id] { return gpu(*options, *id); }; });
}

}  // namespace ghm::cli
