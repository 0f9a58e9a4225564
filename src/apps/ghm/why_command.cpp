#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <memory>

#include "apps/ghm/cli.h"
#include "domain/views/why.h"

namespace ghm::cli {
namespace {

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 140;
}

// What the answer can do without: a server of another version may not have it, and the answer then says so.
Json if_there(const ServerOptions& o, const std::string& path) {
  auto answer = get_json(o, path);
  return answer ? std::move(*answer) : Json();
}

Result<views::WhyParts> ask(const ServerOptions& o, const std::string& id) {
  const auto base = gpu_path(id);
  views::WhyParts parts;
  auto gpu = get_json(o, base);
  if (!gpu) return gpu.error();
  auto health = get_json(o, base + "/health");
  if (!health) return health.error();
  parts.gpu = std::move(*gpu);
  parts.health = std::move(*health);
  parts.history = if_there(o, base + "/health/history");
  parts.events = if_there(o, base + "/events?limit=200");
  parts.metrics = if_there(o, base + "/metrics?interval=5m&peers=1");
  parts.story = if_there(o, "/api/v1/fleet/story");
  return parts;
}

int why(const ServerOptions& o, const std::string& id) {
  const auto parts = ask(o, id);
  if (!parts) return fail(parts.error());
  const auto answer = views::why_gpu(*parts);
  if (o.json) print_json(answer);
  else fmt::print("{}", views::why_text(answer, terminal_width()));
  return kDone;
}

}  // namespace

void add_why(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("why", "why a board scores as it does, since when, what is odd about it, and what to do first");
  auto options = std::make_shared<ServerOptions>();
  auto id = std::make_shared<std::string>();
  command->add_option("GPU", *id, "serial number, UUID or HOST/SLOT")->required();
  add_server_options(*command, *options);
  command->footer("example: ghm why gpu-host-7/3");
  command->callback([&run, options, id] { run = [options, id] { return why(*options, *id); }; });
}

}  // namespace ghm::cli
