#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/dcgm_exporter/page_reader.h"
#include "adapters/http/server.h"
#include "adapters/scrape/scraper.h"
#include "adapters/spool_folder/posix_folder.h"
#include "apps/agent/agent_config.h"
#include "apps/agent/agent_metrics.h"
#include "apps/agent/listening.h"
#include "apps/agent/round_maker.h"
#include "apps/agent/sender.h"
#include "apps/agent/service_manager.h"
#include "apps/agent/snapshot_taker.h"
#include "core/log.h"

namespace ghm::agent {

/// The daemon: every interval it reads the local exporter and asks the other sources, joins what they say to a round, spools it
/// and sends it. One thread, one event loop.
class Agent {
 public:
  using Sources = std::vector<std::unique_ptr<transport::AgentSource>>;
  /// Opens the spool and listens. Errors are sentences.
  static Result<std::unique_ptr<Agent>> open(AgentConfig config, Sources sources, Log log);

  /// Until SIGINT or SIGTERM; what waits then is sent for up to 4 s more.
  void run();
  unsigned short port() const { return port_; }

 private:
  Agent(AgentConfig config, Sources sources, Log log);
  Result<void> open_spool();
  Result<void> open_sender();
  Result<void> listen();

  void start_scraping();
  void on_scrape(const scrape::Scrape& scrape);
  void next_round_without_exporter();
  void make_round(std::vector<transport::SourceRound> said, Timestamp at);
  void keep(transport::HostRound round);
  void listen_to_sources(Timestamp now);
  void look_again_soon();
  void end();
  Sender::Now clocks() const;
  AgentState state() const;
  telemetry::LabelMap own_facts() const;

  AgentConfig config_;
  Sources sources_;
  Log log_;
  SystemClock clock_;
  std::string boot_id_;
  Timestamp started_;
  ServiceManager manager_;

  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_{io_, SIGINT, SIGTERM};
  boost::asio::steady_timer round_{io_}, last_{io_}, looking_{io_};
  std::shared_ptr<scrape::Resources> resources_;
  std::unique_ptr<spool_folder::PosixFolder> folder_;
  std::optional<transport::Spool> spool_;
  std::unique_ptr<Sender> sender_;
  std::unique_ptr<scrape::Scraper> scraper_;
  std::unique_ptr<http::Server> server_;
  Listening listening_;
  unsigned short port_ = 0;

  dcgm_exporter::PageReader reader_;
  RoundMaker maker_;
  SnapshotTaker snapshots_;
  // Of the last whole round: one of events alone repeats them, for they are as before.
  std::string simulated_;
  std::vector<transport::JobNow> jobs_;
  telemetry::LabelMap host_facts_;
  std::map<std::string, std::string> troubles_;  // by source: what the log knows already
  std::string spool_trouble_;
  std::uint64_t scrapes_ok_ = 0, scrapes_failed_ = 0, rounds_ = 0, events_ = 0;
  bool ending_ = false;
};

}  // namespace ghm::agent
