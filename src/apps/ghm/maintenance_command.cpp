#include <fmt/format.h>

#include <memory>

#include "apps/ghm/cli.h"
#include "core/time.h"
#include "domain/views/ledger_views.h"

namespace ghm::cli {
namespace {

struct MaintenanceOptions : ServerOptions {
  std::string target, until, reason;
  bool active = false;
};

// "2026-02-09T19:00:00Z", or a span from now: "2h".
Result<std::string> end_of(const std::string& until) {
  if (const auto at = parse_time(until)) return until;
  const auto span = parse_duration(until);
  if (!span)
    return Error{Errc::invalid_input,
                 fmt::format("--until {}: expected a time such as 2026-02-09T19:00:00Z, or a span from now such as 2h", until)};
  return format_rfc3339(SystemClock().now() + *span);
}

int report(const Result<Json>& answer, const MaintenanceOptions& o, const char* what) {
  if (!answer) return fail(answer.error());
  if (o.json) {
    print_json(*answer);
    return kDone;
  }
  const auto until = (*answer)["until"].is_string() ? " until " + (*answer)["until"].get<std::string>() : std::string();
  fmt::print("maintenance of {} {} {}{}\n", (*answer)["scope"].get<std::string>(), (*answer)["target"].get<std::string>(), what, until);
  return kDone;
}

int start(const MaintenanceOptions& o) {
  Json body = {{"target", o.target}, {"reason", o.reason}};
  if (!o.until.empty()) {
    const auto until = end_of(o.until);
    if (!until) return fail(until.error());
    body["until"] = *until;
  }
  return report(send_json(o, "POST", "/api/v1/maintenance", body), o, "started");
}

int end(const MaintenanceOptions& o) {
  return report(send_json(o, "DELETE", "/api/v1/maintenance/" + url_encode(o.target), nullptr), o, "ended");
}

int list(const MaintenanceOptions& o) {
  const auto answer = get_json(o, std::string("/api/v1/maintenance") + (o.active ? "?active=true" : ""));
  if (!answer) return fail(answer.error());
  if (o.json) print_json(*answer);
  else fmt::print("{}", views::maintenance_text(*answer, 120));
  return kDone;
}

}  // namespace

void add_maintenance(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("maintenance", "tell when somebody works on a host, board or rack: its silence is then no news");
  command->footer("example: ghm maintenance start gpu-host-7 --until 2h --reason 'new fans'");
  auto o = std::make_shared<MaintenanceOptions>();
  list_by_default(*command, *o, run, [o] { return list(*o); });
  auto* begin = command->add_subcommand("start", "from now on");
  begin->add_option("TARGET", o->target, "a host, a board's serial or UUID, or a rack")->required();
  begin->add_option("--until", o->until, "a time, or a span from now such as 2h; without it until `ghm maintenance end`");
  begin->add_option("--reason", o->reason, "why, for those who wonder");
  add_server_options(*begin, *o);
  begin->footer("example: ghm maintenance start R07 --until 2026-12-01T06:00:00Z --reason 'power work'");
  begin->callback([&run, o] { run = [o] { return start(*o); }; });
  auto* finish = command->add_subcommand("end", "from now on no more");
  finish->add_option("TARGET", o->target, "as it was started")->required();
  add_server_options(*finish, *o);
  finish->footer("example: ghm maintenance end gpu-host-7");
  finish->callback([&run, o] { run = [o] { return end(*o); }; });
  auto* show = command->add_subcommand("list", "what is and was under maintenance");
  show->add_flag("--active", o->active, "only what is so now");
  add_server_options(*show, *o);
  show->footer("example: ghm maintenance list --active --json");
  show->callback([&run, o] { run = [o] { return list(*o); }; });
}

}  // namespace ghm::cli
