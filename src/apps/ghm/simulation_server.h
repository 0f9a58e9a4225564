#pragma once
#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/http/server.h"
#include "core/log.h"
#include "core/result.h"
#include "domain/simulation/fleet.h"
#include "domain/telemetry/target.h"

namespace ghm::app {

/// The simulated fleet as a data centre would show it: one exporter per host on consecutive loopback ports, all on the
/// caller's io_context. Each answer carries `Ghm-Simulated: <scenario>/<seed>`. The first port also lists the targets
/// (`GET /-/targets`, Prometheus http_sd) and takes faults (`POST /-/inject`, JSON or form with gpu and fault).
/// A page is made when it is asked for; between scrapes the fleet costs nothing.
class SimulationServer {
 public:
  static constexpr unsigned short kPort = 19400;

  /// A new fleet that lives by the wall clock. conflict: a port is taken (one sentence that names it);
  /// invalid_input: the plan or the range of ports is impossible.
  static Result<std::unique_ptr<SimulationServer>> start(boost::asio::io_context& io, const simulation::FleetPlan& plan,
                                                         unsigned short base_port, Log log);
  /// A fault that struck before now.
  struct PastFault {
    Timestamp at{};
    std::string gpu, fault;
  };
  /// One page as it would have been scraped then; false ends the story.
  using Seen = std::function<bool(const telemetry::Target& target, Timestamp at, std::string_view page)>;
  /// Lives through the time before now (the demo's first hour): every host's page at every `step`. Before the io_context
  /// runs. ~0.5 ms per page.
  Result<void> live_through(TimeRange past, std::chrono::milliseconds step, const std::vector<PastFault>& faults, const Seen& seen);

  /// One per host, with labels host, region, datacenter and rack; in the order of ports.
  std::vector<telemetry::Target> targets() const;
  unsigned short base_port() const { return base_port_; }
  /// "<scenario>/<seed>", as the answers' header says.
  const std::string& simulated() const { return simulated_; }
  /// Ends listening and lets the io_context run out of work. Any thread.
  void stop();

 private:
  SimulationServer(const simulation::FleetPlan& plan, simulation::Fleet fleet, unsigned short base_port);
  Result<void> listen(boost::asio::io_context& io, const Log& log);
  void answer(const http::Request& request, http::Reply reply);
  void page(std::size_t host, http::Reply reply);
  http::Response inject(const http::Request& request);
  http::Response target_list() const;
  http::Response front_page(std::size_t host) const;
  std::shared_ptr<std::string> buffer();

  SystemClock clock_;
  simulation::Fleet fleet_;
  unsigned short base_port_;
  std::string simulated_;  // "<scenario>/<seed>"
  Log log_ = Log::off();
  std::vector<std::shared_ptr<std::string>> buffers_;  // pages under way; a page is reused once it was sent
  std::unique_ptr<http::Server> server_;
  std::deque<http::Reply> unanswered_;  // of exporters that hang
};

/// Makes room for a socket per host: the soft limit of open files becomes the hard one.
void raise_open_file_limit();

}  // namespace ghm::app
