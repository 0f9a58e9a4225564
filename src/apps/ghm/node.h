#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/http/server.h"
#include "adapters/scrape/discovery.h"
#include "adapters/scrape/scraper.h"
#include "adapters/sqlite/sqlite_store.h"
#include "apps/ghm/config.h"
#include "core/log.h"
#include "pipeline/agent_ingest.h"
#include "pipeline/ingest.h"
#include "pipeline/keeper.h"
#include "pipeline/live_view.h"
#include "pipeline/remote_gate.h"
#include "pipeline/remote_ingest.h"
#include "services/board_stories.h"
#include "services/cases.h"
#include "services/incidents.h"
#include "services/looking_back.h"
#include "services/scoring.h"
#include "services/self_metrics.h"

namespace ghm::app {

/// The whole product in one process. Four owners talk through mailboxes: the ingest thread (scraper, parser, ledger), the
/// keeper (the only writer of the store), the view (snapshots) and scoring; the API has an event loop of its own.
class Node {
 public:
  /// Opens the store, restores the ledger and listens. Errors are sentences: a taken port, a folder in use, an open
  /// listen without TLS and key. Nothing is scraped before run().
  static Result<std::unique_ptr<Node>> open(Config config, Log log);
  ~Node();

  /// Feeds pages from before now (the demo's first hour) through the same path; waits for room instead of giving up rows.
  /// The API answers meanwhile.
  void backfill(const std::function<void(pipeline::Ingest&)>& pages);
  /// Scrapes until SIGINT or SIGTERM, or until the store says that it is corrupt.
  Result<void> run();
  /// A signal has come (perhaps before run()): no more work is wanted.
  bool ending() const { return ending_; }

  unsigned short port() const { return port_; }
  std::string url() const;

 private:
  Node(Config config, Log log);
  Result<void> open_store();
  Result<void> open_quarantine();
  bool keep(pipeline::ToKeep& what);
  void change_incidents(std::function<Result<std::vector<store::Record>>(services::Incidents&)> change, pipeline::Told kept);
  void change_cases(std::function<Result<std::vector<store::Record>>(services::Cases&)> change, pipeline::Told kept);
  Result<views::ReplayReport> replay(const views::QuarantineQuery& query, bool dry_run);
  Result<std::string> read_metrics_token() const;
  Result<void> listen();
  Result<void> check_access();
  Result<void> start_ingest();
  void start_threads();
  void start_api();
  void end();
  void stop();
  void tick();
  void on_targets(std::vector<telemetry::Target> targets);
  Result<void> keep_past(std::vector<store::RowBatch> rows, std::vector<store::Record> records);
  void take(remote_write::WriteRequest request, bool backfill, pipeline::Told told);
  void take(transport::PackedBatch batch, bool backfill, pipeline::Told told);
  std::optional<pipeline::Told> enter(pipeline::Told told);
  std::string not_ready() const;
  std::string self_metrics() const;

  Config config_;
  Log log_;
  SystemClock clock_;
  bool loopback_ = true;
  unsigned short port_ = 0;

  std::unique_ptr<sqlite::SqliteStore> store_;
  pipeline::LiveView live_;
  Mailbox<pipeline::ToKeep> to_keep_{4096};
  Mailbox<pipeline::LiveUpdate> to_show_{8};
  std::shared_ptr<pipeline::Quarantine> quarantine_;
  std::unique_ptr<pipeline::Keeper> keeper_;
  std::unique_ptr<services::Scoring> scoring_;
  std::unique_ptr<services::LookingBack> looking_back_;
  services::RequestCounts requests_;
  pipeline::RemoteGate gate_;

  boost::asio::io_context ingest_io_{1};
  std::unique_ptr<pipeline::Ingest> ingest_;        // the ingest thread's alone
  std::unique_ptr<services::Incidents> incidents_;  // likewise
  std::unique_ptr<services::Cases> cases_;          // likewise, but for now()
  std::unique_ptr<pipeline::RemoteIngest> remote_;  // likewise
  std::unique_ptr<pipeline::AgentIngest> agents_;   // likewise
  std::unique_ptr<scrape::Scraper> scraper_;        // likewise
  std::unique_ptr<scrape::Discovery> discovery_;    // likewise
  bool filling_ = false;                            // backfill(): wait for the keeper

  boost::asio::io_context api_io_{1};
  boost::asio::signal_set signals_{api_io_, SIGINT, SIGTERM};
  std::unique_ptr<http::Server> server_;
  std::atomic<bool> ending_ = false;

  mutable std::mutex mutex_;  // guards what follows
  services::SelfState self_;
  Result<void> end_;

  std::stop_source stopping_, stop_scoring_;
  std::jthread api_thread_, ingest_thread_;
  std::vector<std::jthread> threads_;  // keeper, view, scoring, looking back
};

}  // namespace ghm::app
