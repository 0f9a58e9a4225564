// One request's way: find the route, see who asks, check the query, make the answer (or find it made), count it.
#include "api/api.h"

#include <chrono>

#include "api/access.h"
#include "api/answer_cache.h"
#include "api/openapi.h"
#include "api/params.h"
#include "api/route.h"
#include "api/static_files.h"
#include "api/stream.h"
#include "api/worker.h"

namespace ghm::api {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// A response whose body is shared: what the cache keeps.
struct KeptResponse {
  http::Response response;
  std::size_t size() const { return response.bytes().size() + 512; }
};

// One per request; an answer that is made elsewhere takes it along.
struct Visit {
  const http::Request& request;
  http::Reply reply;
  std::string_view route = "unmatched";
  SteadyTime started = std::chrono::steady_clock::now();
};

std::string cache_name(const http::Request& q) {
  std::string name = q.path;
  for (const auto& [key, value] : q.query) name.append("\x1f").append(key).append("=").append(value);
  name.append("\x1f").append(q.header("accept"));
  return name;
}

std::string_view etag_of(const http::Response& r) {
  for (const auto& [name, value] : r.headers)
    if (name == "ETag") return value;
  return {};
}

void drop_what_the_client_has(const http::Request& q, http::Response& r) {
  if (r.status != 200 || !has_already(q, etag_of(r))) return;
  r.status = 304;
  r.body.clear();
  r.shared_body.reset();
  r.static_body = {};
}

class Site {
 public:
  Site(World world, Log log) : world_(std::make_shared<const World>(std::move(world))), log_(std::move(log)), files_(ui::assets()) {
    openapi_json();  // made at the start, not at somebody's request
  }

  void handle(const http::Request& request, http::Reply reply) {
    Visit visit{request, std::move(reply)};
    const auto found = match(request.method, request.path);
    if (found.route != nullptr) return serve(std::move(visit), *found.route, found.id);
    auto answer = without_route(visit, found.allow);
    finish(visit, std::move(answer));
  }

 private:
  void serve(Visit visit, const Route& route, std::string_view id) {
    visit.route = route.pattern;
    auto who = admit(visit.request, route);
    if (auto* refused = std::get_if<http::Response>(&who)) return finish(visit, std::move(*refused));
    if (auto known = check_params(visit.request, route.params); !known) return finish(visit, problem_of(known.error()));
    Call call{visit.request, world_, world_->snapshot(), std::get<Identity>(std::move(who)), id, streams_};
    switch (work_of(route, visit.request)) {
      case Work::live: return finish(visit, answer(route, call));
      case Work::snapshot: return finish(visit, once_per_snapshot(route, call));
      case Work::deeper:
      case Work::store: return later(std::move(visit), route, std::move(call));
      case Work::take: return take(std::move(visit), route, std::move(call));
      case Work::command: return command(std::move(visit), route, call);
    }
  }

  static Work work_of(const Route& route, const http::Request& request) {
    if (route.work != Work::deeper) return route.work;
    return request.param("at") || request.param("by") ? Work::store : Work::snapshot;
  }

  std::variant<Identity, http::Response> admit(const http::Request& request, const Route& route) const {
    auto who = route.answer == get_self_metrics ? identify_for_metrics(request, world_->access, world_->records)
                                                : identify(request, world_->access, world_->records);
    if (route.role == Role::none) {  // probes are answered whatever they send
      if (std::holds_alternative<http::Response>(who)) return Identity{};
      return who;
    }
    if (const auto* identity = std::get_if<Identity>(&who))
      if (auto refused = route.work == Work::take ? why_not_ingest(*identity) : why_not_allowed(*identity, route.role))
        return std::move(*refused);
    return who;
  }

  http::Response answer(const Route& route, const Call& call) const try { return route.answer(call); } catch (const std::exception& e) {
    log_.error("api.failed", {{"route", std::string(route.pattern)}, {"path", call.request.path}, {"error", e.what()}});
    return http::problem(500, "The server failed at this request; its log says why.");
  }

  http::Response once_per_snapshot(const Route& route, const Call& call) {
    const auto name = cache_name(call.request);
    if (const auto* kept = cache_.find(call.fleet, name)) return kept->response;
    auto made = answer(route, call);
    if (made.status != 200) return made;
    made.shared_body = std::make_shared<const std::string>(std::move(made.body));
    made.body.clear();
    return cache_.put(call.fleet, name, {std::move(made)}).response;
  }

  void later(Visit visit, const Route& route, Call call) {
    auto shared = std::make_shared<Visit>(std::move(visit));
    if (!worker_.post([this, shared, &route, call = std::move(call)] { finish(*shared, answer(route, call)); })) {
      auto busy = http::problem(503, "Too many questions wait for the store: try again shortly.");
      busy.headers.emplace_back("Retry-After", "1");
      finish(*shared, std::move(busy));
    }
  }

  // Its own worker: readings do not wait for questions, nor questions for them.
  void take(Visit visit, const Route& route, Call call) {
    auto shared = std::make_shared<Visit>(std::move(visit));
    const auto finished = [this, shared](http::Response r) { finish(*shared, std::move(r)); };
    const auto job = [this, finished, &route, call = std::move(call)] {
      try {
        route.command(call, finished);
      } catch (const std::exception& e) {
        log_.error("api.failed", {{"route", std::string(route.pattern)}, {"error", e.what()}});
        finished(http::problem(500, "The server failed at this request; its log says why."));
      }
    };
    if (taker_.post(job)) return;
    auto busy = http::problem(503, "Too many requests wait to be read: try again shortly.");
    busy.headers.emplace_back("Retry-After", "1");
    finished(std::move(busy));
  }

  void command(Visit visit, const Route& route, const Call& call) {
    auto shared = std::make_shared<Visit>(std::move(visit));
    const auto done = [this, shared](http::Response r) { finish(*shared, std::move(r)); };
    if (const auto why = world_->not_writable ? world_->not_writable() : std::string(); !why.empty()) {
      auto full = http::problem(503, "Nothing can be kept now: " + why);
      full.headers.emplace_back("Retry-After", "5");
      return done(std::move(full));
    }
    try {
      route.command(call, done);
    } catch (const std::exception& e) {
      log_.error("api.failed", {{"route", std::string(route.pattern)}, {"path", call.request.path}, {"error", e.what()}});
      done(http::problem(500, "The server failed at this request; its log says why."));
    }
  }

  http::Response without_route(Visit& visit, const std::string& allow) const {
    const auto& q = visit.request;
    const bool in_api = q.path.starts_with("/api/") || q.path == "/api";
    if (q.method == "OPTIONS") return options(in_api && allow.empty() ? "" : allow.empty() ? "GET, HEAD, OPTIONS" : allow);
    if (in_api && allow.empty()) return http::problem(404, "There is nothing at " + q.path + ": /docs describes the API.");
    if (!allow.empty() || (q.method != "GET" && q.method != "HEAD")) {
      auto r = http::problem(405, q.path + " cannot be asked with " + q.method + ".");
      r.headers.emplace_back("Allow", allow.empty() ? "GET, HEAD, OPTIONS" : allow);
      return r;
    }
    visit.route = "static";
    // The app's files are no secret, but a page that was led here under a foreign name gets nothing at all.
    auto who = identify(q, world_->access, world_->records);
    if (auto* refused = std::get_if<http::Response>(&who); refused != nullptr && refused->status == 403) return std::move(*refused);
    return files_.get(q);
  }

  static http::Response options(const std::string& allow) {
    if (allow.empty()) return http::problem(404, "There is nothing here: /docs describes the API.");
    http::Response r;
    r.status = 204;
    r.headers.emplace_back("Allow", allow);
    return r;
  }

  void finish(const Visit& visit, http::Response r) const {
    if (r.static_headers.empty()) r.static_headers = standard_headers(Caching::no_store);
    drop_what_the_client_has(visit.request, r);
    if (world_->on_request) {
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - visit.started;
      world_->on_request(r.status, visit.route, took.count());
    }
    visit.reply(std::move(r));
  }

  std::shared_ptr<const World> world_;
  Log log_;
  StaticFiles files_;
  AnswerCache<KeptResponse> cache_;
  std::shared_ptr<StreamData> streams_ = std::make_shared<StreamData>(world_);
  Worker worker_, taker_;  // last, so that they end first: their jobs use all of the above
};

}  // namespace

http::Handler make_handler(World world, Log log) {
  auto site = std::make_shared<Site>(std::move(world), std::move(log));
  return [site](const http::Request& request, http::Reply reply) { site->handle(request, std::move(reply)); };
}

}  // namespace ghm::api
