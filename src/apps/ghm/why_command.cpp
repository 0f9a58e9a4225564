#include <fmt/format.h>

#include <memory>

#include "apps/ghm/cli.h"
#include "domain/views/causal.h"
#include "domain/views/why.h"

namespace ghm::cli {
namespace {

struct WhyOptions : ServerOptions {
  std::string name, at;
  int days = 7;
  bool host = false, job = false;
};

// What the answer can do without: a server of another version may not have it, and the answer then says so.
Json if_there(const ServerOptions& o, const std::string& path) {
  auto answer = get_json(o, path);
  return answer ? std::move(*answer) : Json();
}

// HOST/SLOT is HOST:SLOT to the server.
std::string gpu_name(std::string name) {
  const auto slash = name.rfind('/');
  const bool slot = slash != name.npos && slash + 1 < name.size() && name.find_first_not_of("0123456789", slash + 1) == name.npos;
  if (slot) name[slash] = ':';
  return name;
}

Result<Json> ask_why(const WhyOptions& o, const char* what, const std::string& name) {
  auto path = fmt::format("/api/v1/why?{}={}&days={}", what, url_encode(name), o.days);
  if (!o.at.empty()) path += "&at=" + url_encode(o.at);
  return get_json(o, path);
}

// A name is asked for as a GPU first, then as a host, then as a job: a serial number is nobody's host.
Result<Json> find(const WhyOptions& o) {
  if (o.host) return ask_why(o, "host", o.name);
  if (o.job) return ask_why(o, "job", o.name);
  const auto gpu = gpu_name(o.name);
  auto answer = ask_why(o, "gpu", gpu);
  if (answer || answer.error().code != Errc::not_found) return answer;
  auto as_host = ask_why(o, "host", o.name);
  if (as_host || as_host.error().code != Errc::not_found) return as_host;
  auto as_job = ask_why(o, "job", o.name);
  const bool meant_a_slot = gpu != o.name;
  return !as_job && meant_a_slot ? answer : as_job;
}

// None of the three: one sentence that says so, with what is known.
Error nobody(const WhyOptions& o, const Error& job) {
  const auto tail = job.what.find(" in the ledger");
  if (o.host || o.job || tail == job.what.npos || !job.what.starts_with("There is no job")) return job;
  return {Errc::not_found, fmt::format("There is no GPU '{}' in the ledger, and no host or job of that name{}", o.name.substr(0, 80),
                                       job.what.substr(tail + std::string_view(" in the ledger").size()))};
}

// How the board is now: its score, its readings among its peers'.
Result<views::WhyParts> board_now(const ServerOptions& o, const std::string& id) {
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

int why(const WhyOptions& o) {
  auto answer = find(o);
  if (!answer) return fail(nobody(o, answer.error()));
  const bool now = o.at.empty() && answer->value("about", Json::object()).value("what", "") == "gpu";
  Json board;
  if (now) {
    const auto parts = board_now(o, o.name);
    if (!parts) return fail(parts.error());
    board = views::why_gpu(*parts);
  }
  if (o.json) {
    if (now) board["why"] = std::move(*answer);
    print_json(now ? board : *answer);
    return kDone;
  }
  fmt::print("{}", views::causal_text(*answer, terminal_width()));
  if (now) fmt::print("\nhow it is now\n{}", views::why_text(board, terminal_width()));
  return kDone;
}

}  // namespace

void add_why(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("why", "what happened to a GPU, a host or a job, and why: causes, one line of time, what to do next");
  auto o = std::make_shared<WhyOptions>();
  command->add_option("NAME", o->name, "a GPU (serial number, UUID or HOST/SLOT), a host, or a job or pod")->required();
  command->add_option("--at", o->at,
                      "the moment in question, such as 2026-11-26T03:00:00Z: what was known around then [now; of a job its end]");
  command->add_option("--days", o->days, "how far back to look")->check(CLI::Range(1, 3650))->capture_default_str();
  auto* host = command->add_flag("--host", o->host, "NAME is a host");
  command->add_flag("--job", o->job, "NAME is a job or pod")->excludes(host);
  add_server_options(*command, *o);
  command->footer("example: ghm why train-7\n         ghm why gpu-host-7/3 --at 2026-11-26T03:00:00Z");
  command->callback([&run, o] { run = [o] { return why(*o); }; });
}

}  // namespace ghm::cli
