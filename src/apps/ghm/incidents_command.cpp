#include <fmt/format.h>

#include <memory>

#include "apps/ghm/cli.h"
#include "domain/views/incident_view.h"

namespace ghm::cli {
namespace {

struct IncidentOptions : ServerOptions {
  std::string id, state = "open", gpu, host, rack, reason, cause, note;
  bool wrong = false;
  int limit = 100;
};

int list(const IncidentOptions& o) {
  auto path = fmt::format("/api/v1/incidents?limit={}&state={}", o.limit, o.state);
  for (const auto& [name, value] : {std::pair{"gpu", o.gpu}, {"host", o.host}, {"rack", o.rack}})
    if (!value.empty()) path += fmt::format("&{}={}", name, url_encode(value));
  const auto found = get_json(o, path);
  if (!found) return fail(found.error());
  if (o.json) print_json(*found);
  else fmt::print("{}", views::incidents_text(*found, terminal_width()));
  return kDone;
}

int report(const Result<Json>& answer, const IncidentOptions& o) {
  if (!answer) return fail(answer.error());
  if (o.json) print_json(*answer);
  else fmt::print("{}", views::incident_text(*answer, terminal_width()));
  return kDone;
}

std::string path_of(const IncidentOptions& o, const char* rest = "") {
  return "/api/v1/incidents/" + url_encode(o.id) + rest;
}

int clear(const IncidentOptions& o) {
  return report(send_json(o, "POST", path_of(o, "/clear"), {{"reason", o.reason}}), o);
}

int feedback(const IncidentOptions& o) {
  Json body = {{"cause", o.cause}, {"verdict", o.wrong ? "wrong" : "right"}};
  if (!o.note.empty()) body["note"] = o.note;
  return report(send_json(o, "POST", path_of(o, "/feedback"), body), o);
}

}  // namespace

void add_incidents(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("incidents", "what went wrong, its likely cause and the next step (docs/incidents.md)");
  command->footer("example: ghm incidents list --state open");
  auto o = std::make_shared<IncidentOptions>();
  list_by_default(*command, *o, run, [o] { return list(*o); });
  auto* all = command->add_subcommand("list", "the newest first");
  all->add_option("--state", o->state, "open, cleared or all")->check(CLI::IsMember({"open", "cleared", "all"}))->capture_default_str();
  all->add_option("--gpu", o->gpu, "only those that touch this GPU: serial number or UUID");
  all->add_option("--host", o->host, "only those that touch this host");
  all->add_option("--rack", o->rack, "only those that touch this rack");
  all->add_option("--limit", o->limit, "how many")->check(CLI::Range(1, 1000))->capture_default_str();
  add_server_options(*all, *o);
  all->footer("example: ghm incidents list --state all --gpu 1650224070113 --json");
  all->callback([&run, o] { run = [o] { return list(*o); }; });
  auto* one = command->add_subcommand("show", "one of them: causes with their evidence, signs, history");
  one->add_option("ID", o->id, "its number")->required();
  add_server_options(*one, *o);
  one->footer("example: ghm incidents show 17");
  one->callback([&run, o] { run = [o] { return report(get_json(*o, path_of(*o)), *o); }; });
  auto* over = command->add_subcommand("clear", "say that it is over");
  over->add_option("ID", o->id, "its number")->required();
  over->add_option("--reason", o->reason, "what was done or found")->required();
  add_server_options(*over, *o);
  over->footer("example: ghm incidents clear 17 --reason 'reseated, diagnostics passed'");
  over->callback([&run, o] { run = [o] { return clear(*o); }; });
  auto* say = command->add_subcommand("feedback", "say which cause it was, or was not: it shifts the ranking of the next ones like it");
  say->add_option("ID", o->id, "its number")->required();
  say->add_option("CAUSE", o->cause, "a cause's name, as `ghm incidents show` prints it")->required();
  say->add_flag("--wrong", o->wrong, "it was not this cause");
  say->add_option("--note", o->note, "what was found");
  add_server_options(*say, *o);
  say->footer("example: ghm incidents feedback 17 board_power --note 'a power cable was loose'");
  say->callback([&run, o] { run = [o] { return feedback(*o); }; });
}

}  // namespace ghm::cli
