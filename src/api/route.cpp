#include "api/route.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace ghm::api {
namespace {

constexpr std::string_view kQuarantineParams = "reason metric source gpu limit cursor";
constexpr std::string_view kGpuParams = "sort limit cursor q host rack datacenter region model driver batch band silent";

// clang-format off
constexpr Route kRoutes[] = {
    {"GET", "/api/v1/fleet/summary",     Role::viewer, Work::snapshot, "",                           get_summary},
    {"GET", "/api/v1/fleet/layout",      Role::viewer, Work::snapshot, "",                           get_layout},
    {"GET", "/api/v1/fleet/cells",       Role::viewer, Work::snapshot, "colour",                     get_cells},
    {"GET", "/api/v1/gpus",              Role::viewer, Work::snapshot, kGpuParams,                   get_gpus},
    {"GET", "/api/v1/gpus/{id}",         Role::viewer, Work::live,     "",                           get_gpu},
    {"GET", "/api/v1/gpus/{id}/health",  Role::viewer, Work::deeper,   "at",                         get_gpu_health},
    {"GET", "/api/v1/gpus/{id}/health/history", Role::viewer, Work::store, "start end",              get_gpu_health_history},
    {"GET", "/api/v1/fleet/health",      Role::viewer, Work::deeper,   "by id",                      get_fleet_health},
    {"GET", "/api/v1/fleet/story",       Role::viewer, Work::store,    "",                           get_story},
    {"GET", "/api/v1/explain",           Role::viewer, Work::store,    "gpus",                       get_explain},
    {"POST", "/api/v1/explain",          Role::viewer, Work::store,    "",                           post_explain},
    {"GET", "/api/v1/fleet/degraded",    Role::viewer, Work::snapshot, "below limit",                get_fleet_degraded},
    {"GET", "/api/v1/gpus/{id}/metrics", Role::viewer, Work::store,    "metrics start end interval peers", get_gpu_metrics},
    {"GET", "/api/v1/gpus/{id}/ledger",  Role::viewer, Work::store,    "",                           get_gpu_ledger},
    {"GET", "/api/v1/gpus/{id}/jobs",    Role::viewer, Work::store,    "limit",                      get_gpu_jobs},
    {"GET", "/api/v1/gpus/{id}/events",  Role::viewer, Work::store,    "limit kind",                 get_gpu_events},
    {"GET", "/api/v1/gpus/{id}/timeline", Role::viewer, Work::store,   "start end limit",            get_gpu_timeline},
    {"GET", "/api/v1/gpus/{id}/rma",     Role::viewer, Work::store,    "at before after",            get_gpu_rma},
    {"GET", "/api/v1/rma/key",           Role::viewer, Work::store,    "",                           get_rma_key},
    {"GET", "/api/v1/why",               Role::viewer, Work::store,    "gpu host job at days",       get_why},
    {"GET", "/api/v1/incidents",         Role::viewer, Work::store,    "state gpu host rack limit",  get_incidents},
    {"GET", "/api/v1/incidents/{id}",    Role::viewer, Work::store,    "",                           get_incident},
    {"POST", "/api/v1/incidents/{id}/feedback", Role::operator_, Work::command, "",                  nullptr, post_incident_feedback},
    {"POST", "/api/v1/incidents/{id}/clear", Role::operator_, Work::command, "",                     nullptr, post_incident_clear},
    {"GET", "/api/v1/cases",             Role::viewer, Work::store,    "state gpu host limit",       get_cases},
    {"GET", "/api/v1/cases/stats",       Role::viewer, Work::store,    "by",                         get_case_stats},
    {"GET", "/api/v1/cases/offenders",   Role::viewer, Work::store,    "by days limit",              get_case_offenders},
    {"GET", "/api/v1/cases/{id}",        Role::viewer, Work::store,    "",                           get_case},
    {"POST", "/api/v1/cases",            Role::operator_, Work::command, "",                         nullptr, post_case},
    {"POST", "/api/v1/cases/{id}/advance", Role::operator_, Work::command, "",                       nullptr, post_case_advance},
    {"POST", "/api/v1/cases/{id}/close", Role::operator_, Work::command, "",                         nullptr, post_case_close},
    {"POST", "/api/v1/cases/{id}/note",  Role::operator_, Work::command, "",                         nullptr, post_case_note},
    {"GET", "/api/v1/fleet/coverage",    Role::viewer, Work::snapshot, "",                           get_coverage},
    {"GET", "/api/v1/assets",            Role::viewer, Work::snapshot, "limit cursor q",             get_assets},
    {"POST", "/api/v1/assets",           Role::operator_, Work::command, "",                         nullptr, post_assets},
    {"GET", "/api/v1/failures",          Role::viewer, Work::store,    "limit",                      get_failures},
    {"GET", "/api/v1/maintenance",       Role::viewer, Work::snapshot, "active",                     get_maintenance},
    {"POST", "/api/v1/maintenance",      Role::operator_, Work::command, "",                         nullptr, post_maintenance},
    {"DELETE", "/api/v1/maintenance/{id}", Role::operator_, Work::command, "",                       nullptr, end_maintenance},
    {"GET", "/api/v1/events",            Role::viewer, Work::store,    "limit kind rack host datacenter", get_events},
    {"GET", "/api/v1/quarantine",        Role::viewer, Work::store,    kQuarantineParams,            get_quarantine},
    {"POST", "/api/v1/quarantine/replay", Role::operator_, Work::store, "",                          post_quarantine_replay},
    {"GET", "/api/v1/meta",              Role::viewer, Work::snapshot, "",                           get_meta},
    {"GET", "/api/v1/me",                Role::viewer, Work::live,     "",                           get_me},
    {"GET", "/api/v1/stream",            Role::viewer, Work::live,     "topics",                     get_stream},
    {"POST", "/api/v1/ingest/prometheus", Role::operator_, Work::take, "",                           nullptr, post_prometheus},
    {"POST", "/api/v1/ingest/batch",     Role::operator_, Work::take, "",                            nullptr, post_batch},
    {"GET", "/api/v1/openapi.json",      Role::viewer, Work::live,     "",                           get_openapi},
    {"GET", "/healthz",                  Role::none,   Work::live,     "",                           get_healthz},
    {"GET", "/readyz",                   Role::none,   Work::live,     "",                           get_readyz},
    {"GET", "/metrics",                  Role::viewer, Work::live,     "",                           get_self_metrics},
    {"GET", "/docs",                     Role::none,   Work::live,     "",                           get_docs_page},
    {"GET", "/docs/docs.js",             Role::none,   Work::live,     "",                           get_docs_script},
    {"GET", "/docs/docs.css",            Role::none,   Work::live,     "",                           get_docs_style},
};
// clang-format on

// nullopt: the pattern does not fit; else what stands for {id}, empty when the pattern has none.
std::optional<std::string_view> fit(std::string_view pattern, std::string_view path) {
  constexpr std::string_view hole = "{id}";
  const auto at = pattern.find(hole);
  if (at == pattern.npos) return pattern == path ? std::optional(std::string_view()) : std::nullopt;
  const auto after = pattern.substr(at + hole.size());
  if (path.size() <= at + after.size() || !path.starts_with(pattern.substr(0, at)) || !path.ends_with(after)) return std::nullopt;
  const auto id = path.substr(at, path.size() - at - after.size());
  return id.find('/') == id.npos ? std::optional(id) : std::nullopt;
}

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid_input: return 400;
    case Errc::not_found: return 404;
    case Errc::conflict: return 409;
    case Errc::unauthorized: return 403;
    case Errc::unavailable: return 503;
    case Errc::corrupt: return 500;
  }
  return 500;
}

// UUIDs are printed as GPU-<lower-case hex>; people paste them in any case.
std::string as_printed(std::string_view uuid) {
  std::string text(uuid);
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text.starts_with("gpu-")) std::ranges::copy(std::string_view("GPU"), text.begin());
  return text;
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

Match match(std::string_view method, std::string_view path) {
  const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
  Match found;
  for (const Route& r : kRoutes) {
    const auto id = fit(r.pattern, path);
    if (!id) continue;
    if (r.method == wanted) return {&r, *id, {}};
    found.allow += fmt::format("{}{}", r.method, r.method == "GET" ? ", HEAD, " : ", ");
  }
  if (!found.allow.empty()) found.allow += "OPTIONS";
  return found;
}

std::string who(const Call& call) {
  return call.who.key_id.empty() ? call.who.auth : "key " + call.who.key_id;
}

http::Response json_answer(const views::Json& document) {
  http::Response r;
  r.body = document.dump(-1, ' ', false, views::Json::error_handler_t::replace);
  return r;
}

http::Response problem_of(const Error& error) {
  return http::problem(status_of(error.code), error.what);
}

http::Response answer_to_sender(const Result<void>& outcome) {
  if (!outcome) {
    auto r = problem_of(outcome.error());
    if (r.status == 503) r.headers.emplace_back("Retry-After", "5");
    return r;
  }
  http::Response r;
  r.status = 204;
  return r;
}

Result<std::size_t> board_named(const views::FleetSnapshot& fleet, std::string_view name) {
  if (const auto board = views::find_board(fleet, name)) return *board;
  if (const auto board = views::find_board(fleet, as_printed(name))) return *board;
  return Error{Errc::not_found,
               fmt::format("There is no GPU '{}' in the ledger: expected a serial number, UUID or HOST:SLOT; GET /api/v1/gpus lists them.",
                           name.substr(0, 80))};
}

}  // namespace ghm::api
