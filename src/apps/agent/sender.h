#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "adapters/scrape/connection.h"
#include "core/log.h"
#include "core/time.h"
#include "domain/transport/batch_codec.h"
#include "domain/transport/spool.h"

namespace ghm::agent {

struct SenderStats {
  std::uint64_t batches = 0, rounds = 0;  // that the server has
  std::uint64_t bytes = 0;                // of their bodies
  std::uint64_t failures = 0;             // of requests
  std::uint64_t refused = 0;              // rounds that the server will never take
  Timestamp delivered{};                  // the last success
  std::string trouble;                    // why nothing can be sent; empty when it can
};

/// Sends what waits in the spool, in order, one request at a time over one kept connection. While the server does not take it, one
/// log line says why, the spool grows, and it is tried again after 1 s, 2 s, … a minute. The event loop's thread.
class Sender {
 public:
  struct Settings {
    std::string url;  // of the server, without a path
    std::shared_ptr<const telemetry::ScrapeAccess> access;
    std::chrono::milliseconds timeout{30s};
    std::string host;
    telemetry::LabelMap labels;
  };
  /// What this host's clocks say now.
  struct Now {
    Timestamp at{};
    std::chrono::milliseconds since_boot{};
    std::string boot_id;
  };
  static Result<std::unique_ptr<Sender>> open(boost::asio::io_context& io, std::shared_ptr<scrape::Resources> resources, Settings settings,
                                              transport::Spool& spool, std::function<Now()> now, Log log);
  ~Sender();

  /// Something may wait: sends it, unless a request or a pause is under way.
  void wake();
  /// Tries once more without a pause; `done` is called when nothing waits any more, or when the server does not take it.
  void drain(std::function<void()> done);
  SenderStats stats() const { return stats_; }

 private:
  Sender(boost::asio::io_context& io, Settings settings, transport::Spool& spool, std::function<Now()> now, Log log);
  void send();
  void answered(const scrape::Answer& answer, std::uint64_t last, std::size_t rounds);
  void taken(std::uint64_t last, std::size_t rounds);
  void again_standing_alone();
  void never(const scrape::Answer& answer, std::uint64_t last, std::size_t rounds);
  void fail(const std::string& why);
  void pause();
  void finish_drain();

  boost::asio::io_context& io_;
  Settings settings_;
  transport::Spool& spool_;
  std::function<Now()> now_;
  Log log_;
  std::shared_ptr<scrape::Connection> connection_;
  boost::asio::steady_timer timer_;
  transport::BatchEncoder encoder_;
  bool standing_alone_ = true;  // what is written next
  bool one_by_one_ = false;     // the server would not take a whole batch
  bool asking_ = false, pausing_ = false;
  std::chrono::milliseconds wait_{0};
  std::size_t sent_bytes_ = 0;
  std::function<void()> drained_;
  SenderStats stats_;
};

}  // namespace ghm::agent
