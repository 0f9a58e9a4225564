#pragma once
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "core/time.h"
#include "domain/telemetry/target.h"

namespace ghm::scrape {

/// What became of one scrape.
struct Scrape {
  const telemetry::Target& target;
  Timestamp at{};  // the scraper's clock at the first byte of the answer; when it failed, at the failure
  std::chrono::microseconds took{};
  std::string_view page;  // valid during the call; empty when it failed. An empty 200 body is a page without GPUs
  std::string error;      // one clear sentence, empty when it worked
  std::string simulated;  // the Ghm-Simulated header "<scenario>/<seed>", empty for real exporters
  bool ok() const { return error.empty(); }
};

struct ScraperSettings {
  std::chrono::milliseconds interval{10'000};
  std::chrono::milliseconds timeout{10'000};  // whole scrape, connect to last byte; never above the interval
  std::size_t max_page = 64u << 20;
};

struct ScraperStats {
  std::uint64_t ok = 0, failed = 0, bytes = 0;
  std::uint64_t missed = 0;  // rounds skipped because the one before was still running
};

/// Reads thousands of exporters from one event loop: each target keeps one connection alive, has its own fixed phase in
/// the interval (by hash of its address, so a restart keeps it) and its own time-out; redirects are not followed.
/// All calls and callbacks on the io_context's thread.
class Scraper {
 public:
  using Sink = std::function<void(const Scrape&)>;
  Scraper(boost::asio::io_context& io, ScraperSettings settings, Sink sink, Log log);
  ~Scraper();
  /// Replaces the set: known targets go on undisturbed, new ones start, missing ones stop.
  void set_targets(std::vector<telemetry::Target> targets);
  std::size_t targets() const;
  ScraperStats stats() const;
  /// Ends all scrapes; no callback comes after it.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ghm::scrape
