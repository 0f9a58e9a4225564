#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "api/access.h"
#include "api/api.h"
#include "core/http.h"
#include "domain/views/fleet_snapshot.h"
#include "domain/views/json_views.h"

namespace ghm::api {

class StreamData;

/// All that a route's function may look at. Views stay valid until it returns.
struct Call {
  const http::Request& request;
  std::shared_ptr<const World> world;
  std::shared_ptr<const views::FleetSnapshot> fleet;
  Identity who;
  std::string_view id;  // what stands for {id} in the pattern
  std::shared_ptr<StreamData> streams;

  Timestamp now() const { return world->clock.now(); }
};

/// What an answer depends on, and so how it is made.
enum class Work {
  snapshot,  // on the snapshot and the request alone: made once per snapshot, then served from memory
  live,      // quick, made each time
  store,     // reads the store: made by a worker, so that the event loop does not wait for a disk
  deeper,    // as `snapshot`, but with the parameter `at` or `by` it reads the store
  take,      // takes data in: read by a worker, answered when it is kept
  command,   // changes something: answered when that is durable
};

/// Called once, from any thread.
using Finish = std::function<void(http::Response)>;

struct Route {
  std::string_view method, pattern;
  Role role;
  Work work;
  std::string_view params;  // known query parameters
  http::Response (*answer)(const Call&);
  void (*command)(const Call&, Finish) = nullptr;  // instead of `answer`, for Work::command and Work::take
};
std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;  // nullptr: see `allow`
  std::string_view id;
  std::string allow;  // the methods of the path, "GET, HEAD, OPTIONS"; empty when there is no such path
};
/// HEAD is answered by GET's route. O(routes).
Match match(std::string_view method, std::string_view path);

/// What a sender of readings hears: 204 once they are durable; 503 asks it to come again.
http::Response answer_to_sender(const Result<void>& outcome);
/// Who asks, for the records: "key 4f2a", or how it was let in.
std::string who(const Call& call);
http::Response json_answer(const views::Json& document);
/// A problem document for a failure: 400 404 409 403 503 500 by its code.
http::Response problem_of(const Error& error);
/// The board's index in the snapshot by serial, UUID (any case), "board-N" or HOST:SLOT; not_found with a sentence.
Result<std::size_t> board_named(const views::FleetSnapshot& fleet, std::string_view name);

// Routes by their file.
http::Response get_summary(const Call&);  // fleet_routes.cpp
http::Response get_coverage(const Call&);
http::Response get_fleet_health(const Call&);  // health_routes.cpp
http::Response get_fleet_degraded(const Call&);
http::Response get_gpu_health_history(const Call&);
http::Response get_story(const Call&);  // story_routes.cpp
http::Response get_explain(const Call&);
http::Response post_explain(const Call&);
http::Response get_group_health(const Call&);
http::Response get_layout(const Call&);
http::Response get_cells(const Call&);
http::Response get_meta(const Call&);
http::Response get_events(const Call&);
http::Response get_gpus(const Call&);  // gpu_routes.cpp
http::Response get_gpu(const Call&);
http::Response get_gpu_health(const Call&);
http::Response get_gpu_metrics(const Call&);  // metrics_route.cpp
http::Response get_quarantine(const Call&);   // quarantine_routes.cpp
http::Response post_quarantine_replay(const Call&);
http::Response get_gpu_ledger(const Call&);  // ledger_routes.cpp
http::Response get_gpu_jobs(const Call&);
http::Response get_gpu_events(const Call&);
http::Response get_assets(const Call&);
http::Response get_failures(const Call&);
http::Response get_maintenance(const Call&);
void post_assets(const Call&, Finish);  // ledger_commands.cpp
void post_maintenance(const Call&, Finish);
void end_maintenance(const Call&, Finish);
http::Response get_incidents(const Call&);  // incident_routes.cpp
http::Response get_incident(const Call&);
http::Response get_gpu_timeline(const Call&);
void post_incident_feedback(const Call&, Finish);
void post_incident_clear(const Call&, Finish);
http::Response get_why(const Call&);    // why_route.cpp
http::Response get_cases(const Call&);  // case_routes.cpp
http::Response get_case(const Call&);
http::Response get_case_stats(const Call&);
http::Response get_case_offenders(const Call&);
void post_case(const Call&, Finish);
void post_case_advance(const Call&, Finish);
void post_case_close(const Call&, Finish);
void post_case_note(const Call&, Finish);
http::Response get_gpu_rma(const Call&);  // rma_routes.cpp
http::Response get_rma_key(const Call&);
http::Response get_stream(const Call&);  // stream.cpp
http::Response get_me(const Call&);      // own_routes.cpp
http::Response get_healthz(const Call&);
http::Response get_readyz(const Call&);
http::Response get_self_metrics(const Call&);
void post_prometheus(const Call&, http::Reply);  // ingest_route.cpp
void post_batch(const Call&, http::Reply);       // batch_route.cpp
http::Response get_openapi(const Call&);         // openapi.cpp
http::Response get_docs_page(const Call&);       // docs_page.cpp
http::Response get_docs_script(const Call&);
http::Response get_docs_style(const Call&);

}  // namespace ghm::api
