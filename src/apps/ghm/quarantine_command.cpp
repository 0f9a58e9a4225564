#include <fmt/format.h>

#include <memory>

#include "apps/ghm/cli.h"
#include "domain/views/quarantine_view.h"

namespace ghm::cli {
namespace {

struct QuarantineOptions : ServerOptions {
  std::string reason, metric, source, gpu;
  int limit = 100;
  bool dry_run = false;
};

int list(const QuarantineOptions& o) {
  auto path = fmt::format("/api/v1/quarantine?limit={}", o.limit);
  for (const auto& [name, value] : {std::pair{"reason", o.reason}, {"metric", o.metric}, {"source", o.source}, {"gpu", o.gpu}})
    if (!value.empty()) path += fmt::format("&{}={}", name, url_encode(value));
  const auto found = get_json(o, path);
  if (!found) return fail(found.error());
  if (o.json) print_json(*found);
  else fmt::print("{}", views::quarantine_text(*found, terminal_width()));
  return kDone;
}

int replay(const QuarantineOptions& o) {
  Json body = Json::object();
  for (const auto& [name, value] : {std::pair{"reason", o.reason}, {"metric", o.metric}, {"source", o.source}})
    if (!value.empty()) body[name] = value;
  if (o.dry_run) body["dry_run"] = true;
  const auto done = send_json(o, "POST", "/api/v1/quarantine/replay", body);
  if (!done) return fail(done.error());
  if (o.json) {
    print_json(*done);
    return kDone;
  }
  const auto number = [&](const char* name) { return done->value(name, std::uint64_t{0}); };
  fmt::print("{} {} believed now, {} still refused, {} lost{}\n", number("replayed"), o.dry_run ? "would be" : "are",
             number("still_refused"), number("lost"), o.dry_run ? " (nothing was changed)" : "");
  return kDone;
}

void add_filters(CLI::App& command, QuarantineOptions& o) {
  add_server_options(command, o);
  command.add_option("--reason", o.reason, "only this reason: out_of_range, impossible_rate, ...");
  command.add_option("--metric", o.metric, "only this metric: DCGM_FI_DEV_GPU_TEMP");
  command.add_option("--source", o.source, "only this source: gpu-host-1:9400");
}

}  // namespace

void add_quarantine(CLI::App& app, Run& run) {
  auto* command =
      app.add_subcommand("quarantine", "values that were not believed: look at them, or judge them again after a rule was mended");
  command->footer("example: ghm quarantine list --reason out_of_range --limit 20");
  auto o = std::make_shared<QuarantineOptions>();
  list_by_default(*command, *o, run, [o] { return list(*o); });
  auto* look = command->add_subcommand("list", "counts, and the newest values with their text and reason");
  add_filters(*look, *o);
  look->add_option("--gpu", o->gpu, "only this GPU: serial number or UUID");
  look->add_option("--limit", o->limit, "how many values")->check(CLI::Range(1, 1000))->capture_default_str();
  look->footer("example: ghm quarantine list --metric DCGM_FI_DEV_GPU_TEMP --json");
  look->callback([&run, o] { run = [o] { return list(*o); }; });
  auto* again = command->add_subcommand("replay", "judge the kept values by today's rules; what passes is stored at its own time");
  add_filters(*again, *o);
  again->add_flag("--dry-run", o->dry_run, "say what would happen, change nothing");
  again->footer("example: ghm quarantine replay --metric DCGM_FI_DEV_GPU_TEMP --dry-run --key-file ghm-data/admin.token");
  again->callback([&run, o] { run = [o] { return replay(*o); }; });
}

}  // namespace ghm::cli
