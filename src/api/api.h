#pragma once
#include <functional>
#include <memory>

#include "adapters/remote_write/write_request.h"
#include "core/http.h"
#include "core/log.h"
#include "core/time.h"
#include "domain/store/record_store.h"
#include "domain/store/telemetry_store.h"
#include "domain/views/fleet_snapshot.h"

namespace ghm::api {

enum class Role { none, viewer, operator_, admin };

struct AccessSettings {
  bool required = false;        // auth.mode: required; false is `auto`
  bool loopback_listen = true;  // the server listens on loopback only
  std::string metrics_token;    // bearer token for /metrics, empty: none
};

/// All that a request may touch.
struct World {
  const store::TelemetryStore& telemetry;
  store::RecordStore& records;
  std::function<std::shared_ptr<const views::FleetSnapshot>()> snapshot;  // never null
  const Clock& clock;
  AccessSettings access;
  std::function<std::string()> self_metrics;                                           // the text of /metrics
  std::function<std::string()> not_ready;                                              // empty when ready, else why not
  std::function<void(int status, std::string_view route, double seconds)> on_request;  // for self metrics; may be empty
  /// Takes readings in; `told` hears once, from any thread, when they are durable, or why not. Empty: none are taken.
  std::function<void(remote_write::WriteRequest, bool backfill, std::function<void(const Result<void>&)> told)> remote_write = {};
};

/// The whole HTTP surface: /api/v1/…, /healthz /readyz /metrics, /docs, and the embedded UI for everything else.
http::Handler make_handler(World world, Log log);

}  // namespace ghm::api
