#include <fmt/format.h>

#include <memory>

#include "apps/ghm/cli.h"
#include "core/time.h"
#include "domain/views/case_view.h"

namespace ghm::cli {
namespace {

struct CaseOptions : ServerOptions {
  std::string id, state = "active", gpu, host, incident, action, fault, symptom, note, due, to, test, detail, replaced_by, outcome, reason,
                  by = "action,fault,model";
  std::string offender = "serial";
  bool failed = false;
  int limit = 100, watch_days = 0, days = 30;
  double cost = -1;
};

void put(Json& body, const char* name, const std::string& value) {
  if (!value.empty()) body[name] = value;
}

void put_cost(Json& body, double cost) {
  if (cost >= 0) body["cost"] = cost;
}

int show(const Result<Json>& answer, const CaseOptions& o, std::string (*text)(const Json&, std::size_t)) {
  if (!answer) return fail(answer.error());
  if (o.json) print_json(*answer);
  else fmt::print("{}", text(*answer, terminal_width()));
  return kDone;
}

std::string path_of(const CaseOptions& o, const char* rest = "") {
  return "/api/v1/cases/" + url_encode(o.id) + rest;
}

int list(const CaseOptions& o) {
  auto path = fmt::format("/api/v1/cases?limit={}&state={}", o.limit, o.state);
  for (const auto& [name, value] : {std::pair{"gpu", o.gpu}, {"host", o.host}})
    if (!value.empty()) path += fmt::format("&{}={}", name, url_encode(value));
  return show(get_json(o, path), o, views::cases_text);
}

int open(const CaseOptions& o) {
  Json body = Json::object();
  const std::pair<const char*, const std::string*> texts[] = {{"gpu", &o.gpu},       {"host", &o.host},   {"incident", &o.incident},
                                                              {"action", &o.action}, {"fault", &o.fault}, {"symptom", &o.symptom},
                                                              {"note", &o.note}};
  for (const auto& [name, text] : texts) put(body, name, *text);
  if (!o.due.empty()) {
    const auto span = parse_duration(o.due);
    body["due"] = span ? format_rfc3339(SystemClock().now() + *span) : o.due;
  }
  if (o.watch_days != 0) body["watch_days"] = o.watch_days;
  return show(send_json(o, "POST", "/api/v1/cases", body), o, views::case_text);
}

int advance(const CaseOptions& o) {
  Json body = {{"to", o.to}};
  put(body, "note", o.note);
  put(body, "replaced_by", o.replaced_by);
  put_cost(body, o.cost);
  if (!o.test.empty()) {
    body["test"] = {{"name", o.test}, {"passed", !o.failed}};
    put(body["test"], "detail", o.detail);
  }
  return show(send_json(o, "POST", path_of(o, "/advance"), body), o, views::case_text);
}

int close(const CaseOptions& o) {
  Json body = Json::object();
  put(body, "outcome", o.outcome);
  put(body, "reason", o.reason);
  put_cost(body, o.cost);
  return show(send_json(o, "POST", path_of(o, "/close"), body), o, views::case_text);
}

int note(const CaseOptions& o) {
  Json body = {{"note", o.note}};
  put_cost(body, o.cost);
  return show(send_json(o, "POST", path_of(o, "/note"), body), o, views::case_text);
}

int offenders(const CaseOptions& o) {
  return show(get_json(o, fmt::format("/api/v1/cases/offenders?by={}&days={}&limit={}", o.offender, o.days, std::min(o.limit, 500))), o,
              views::case_offenders_text);
}

/// A part of `ghm cases` that asks a server.
CLI::App* part(CLI::App& command, const char* name, const char* what, const char* example, Run& run, const std::shared_ptr<CaseOptions>& o,
               int (*go)(const CaseOptions&)) {
  auto* sub = command.add_subcommand(name, what);
  sub->footer(std::string("example: ") + example);
  add_server_options(*sub, *o);
  sub->callback([&run, o, go] { run = [o, go] { return go(*o); }; });
  return sub;
}

void add_reading(CLI::App& command, Run& run, const std::shared_ptr<CaseOptions>& o) {
  auto* all = part(command, "list", "the newest change first", "ghm cases list --state watching --json", run, o, list);
  all->add_option("--state", o->state, "open, acting, testing, watching, closed, active or all")
      ->check(CLI::IsMember({"open", "acting", "testing", "watching", "closed", "active", "all"}))
      ->capture_default_str();
  all->add_option("--gpu", o->gpu, "only those of this GPU: serial number or UUID");
  all->add_option("--host", o->host, "only those of this host");
  all->add_option("--limit", o->limit, "how many")->check(CLI::Range(1, 1000))->capture_default_str();
  auto* one = part(command, "show", "one of them: what is missing, steps, fault rate before and after", "ghm cases show 12", run, o,
                   [](const CaseOptions& c) { return show(get_json(c, path_of(c)), c, views::case_text); });
  one->add_option("ID", o->id, "its number")->required();
  auto* stats =
      part(command, "stats", "what helped how often, with 95 % intervals", "ghm cases stats --by action,fault", run, o,
           [](const CaseOptions& c) { return show(get_json(c, "/api/v1/cases/stats?by=" + url_encode(c.by)), c, views::case_stats_text); });
  stats->add_option("--by", o->by, "any of action, fault and model, with commas between")->capture_default_str();
  auto* again = part(command, "offenders", "who fails again and again", "ghm cases offenders --by slot --days 90", run, o, offenders);
  again->add_option("--by", o->offender, "serial, slot or host")->check(CLI::IsMember({"serial", "slot", "host"}))->capture_default_str();
  again->add_option("--days", o->days, "7, 30 or 90")->check(CLI::IsMember({7, 30, 90}))->capture_default_str();
  again->add_option("--limit", o->limit, "how many")->check(CLI::Range(1, 500))->capture_default_str();
}

void add_changing(CLI::App& command, Run& run, const std::shared_ptr<CaseOptions>& o) {
  auto* begin = part(command, "open", "begin a repair, of an incident or of a GPU or host",
                     "ghm cases open --incident 17 --action reset_gpu", run, o, open);
  begin->add_option("--incident", o->incident, "its number: what is not said here comes from it");
  begin->add_option("--gpu", o->gpu, "the GPU under repair: serial number or UUID");
  begin->add_option("--host", o->host, "or the host as such");
  begin->add_option("--action", o->action, "what is done: reset_gpu, reboot_host, replace_board, ... as incidents name them");
  begin->add_option("--fault", o->fault, "the family of signs that must not come back, such as memory or pcie");
  begin->add_option("--symptom", o->symptom, "what was seen, one sentence");
  begin->add_option("--note", o->note, "a first note");
  begin->add_option("--due", o->due, "until when it should be done: a time, or a span from now such as 2d");
  begin->add_option("--watch-days", o->watch_days, "how long the effect is watched; by the action where it is not said")
      ->check(CLI::Range(1, 90));
  auto* next =
      part(command, "advance", "the next step: acting, testing or watching",
           "ghm cases advance 12 watching --test 'dcgmi diag -r 3'\n         ghm cases advance 12 testing --replaced-by 1650224070999", run,
           o, advance);
  next->add_option("ID", o->id, "its number")->required();
  next->add_option("TO", o->to, "acting, testing or watching")->required()->check(CLI::IsMember({"acting", "testing", "watching"}));
  next->add_option("--test", o->test, "the name of a test that was run, and passed");
  next->add_flag("--failed", o->failed, "that test failed: the case goes back to acting");
  next->add_option("--detail", o->detail, "what the test said");
  next->add_option("--replaced-by", o->replaced_by, "the serial number of the board that stands there now");
  next->add_option("--note", o->note, "what was done or found");
  next->add_option("--cost", o->cost, "what all of it has cost so far")->check(CLI::NonNegativeNumber);
  auto* end = part(command, "close", "end it; helped only after a passed test and a full watch",
                   "ghm cases close 12 --outcome did_not_help --reason 'errors go on'", run, o, close);
  end->add_option("ID", o->id, "its number")->required();
  end->add_option("--outcome", o->outcome, "helped, did_not_help, cannot_tell or cancelled")
      ->check(CLI::IsMember({"helped", "did_not_help", "cannot_tell", "cancelled"}));
  end->add_option("--reason", o->reason, "why; all but helped need one");
  end->add_option("--cost", o->cost, "what all of it has cost")->check(CLI::NonNegativeNumber);
  auto* say = part(command, "note", "write something down", "ghm cases note 12 'the part comes on Monday'", run, o, note);
  say->add_option("ID", o->id, "its number")->required();
  say->add_option("NOTE", o->note, "the text")->required();
  say->add_option("--cost", o->cost, "what all of it has cost so far")->check(CLI::NonNegativeNumber);
}

}  // namespace

void add_cases(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("cases", "repairs: what was done, whether it helped, and who fails again (docs/repairs.md)");
  command->footer("example: ghm cases list --state active");
  auto o = std::make_shared<CaseOptions>();
  list_by_default(*command, *o, run, [o] { return list(*o); });
  add_reading(*command, run, o);
  add_changing(*command, run, o);
}

}  // namespace ghm::cli
