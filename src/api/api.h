#pragma once
#include <functional>
#include <memory>

#include "adapters/remote_write/write_request.h"
#include "core/http.h"
#include "core/log.h"
#include "core/time.h"
#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"
#include "domain/store/telemetry_store.h"
#include "domain/transport/batch_codec.h"
#include "domain/views/fleet_snapshot.h"
#include "domain/views/quarantine_view.h"

namespace ghm::services {
class Incidents;
class Cases;
struct CasesNow;
}  // namespace ghm::services

namespace ghm::api {

enum class Role { none, viewer, operator_, admin };

struct AccessSettings {
  bool required = false;        // auth.mode: required; false is `auto`
  bool loopback_listen = true;  // the server listens on loopback only
  std::string metrics_token;    // bearer token for /metrics, empty: none
};

/// Does `change` to the ledger on its own thread, soon; `kept` hears when what it changed is durable, or why not.
using ChangeLedger = std::function<void(std::function<void(fleet::Ledger&)> change, std::function<void(const Result<void>&)> kept)>;

/// Does `change` to the incidents on their own thread, soon; `kept` hears when what it changed is durable, or why it could not be.
using ChangeIncidents = std::function<void(std::function<Result<std::vector<store::Record>>(services::Incidents&)> change,
                                           std::function<void(const Result<void>&)> kept)>;

/// The same for repair cases.
using ChangeCases = std::function<void(std::function<Result<std::vector<store::Record>>(services::Cases&)> change,
                                       std::function<void(const Result<void>&)> kept)>;

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
  ChangeLedger change_ledger = {};
  std::function<std::string()> not_writable = {};  // why nothing can be kept now, empty when it can; may be empty
  std::function<views::QuarantinePage(const views::QuarantineQuery&)> quarantine = {};                  // kept values; may be empty
  std::function<Result<views::ReplayReport>(const views::QuarantineQuery&, bool dry_run)> replay = {};  // may take a while
  /// Takes readings in; `told` hears once, from any thread, when they are durable, or why not. Empty: none are taken.
  std::function<void(remote_write::WriteRequest, bool backfill, std::function<void(const Result<void>&)> told)> remote_write = {};
  /// The same for batches of agents.
  std::function<void(transport::PackedBatch, bool backfill, std::function<void(const Result<void>&)> told)> take_batch = {};
  ChangeIncidents change_incidents = {};  // empty: there are none
  ChangeCases change_cases = {};
  std::function<std::shared_ptr<const services::CasesNow>()> cases = {};  // active cases and what helped; empty: there are none
  std::string rma_key_file = {};  // what evidence bundles are signed with, made at first use; empty: none are made
  const health::Profile* profile = &health::default_profile();  // with which scores are worked out
};

/// The whole HTTP surface: /api/v1/…, /healthz /readyz /metrics, /docs, and the embedded UI for everything else.
http::Handler make_handler(World world, Log log);

}  // namespace ghm::api
