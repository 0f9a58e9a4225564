#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "domain/transport/host_round.h"

namespace ghm::agent {

/// When the sources are listened to between rounds: at once when a source's file has something to read, and else when the first of
/// them wants it, at most once per second. A host on which nothing happens is not woken for it. The event loop's thread.
class Listening {
 public:
  using Sources = std::vector<std::unique_ptr<transport::AgentSource>>;
  /// `listen` is called from the event loop; afterwards again() by itself. `sources` outlive this. longest: between two calls.
  Listening(boost::asio::io_context& io, const Sources& sources, std::chrono::milliseconds longest, std::function<void()> listen);

  /// Now for the first time, and after each round: what the sources want may have changed.
  void again();
  /// Something happened, and more may follow: it is listened to every second for a minute.
  void stay_awake();
  void stop();

 private:
  using Steady = std::chrono::steady_clock;
  struct Ear {
    Ear(boost::asio::io_context& io, const transport::AgentSource& s) : source(s), copy(io) {}
    const transport::AgentSource& source;
    int file = -1;                               // the source's own, as of the last look
    boost::asio::posix::stream_descriptor copy;  // of it, for the source may close its own at any time
    bool waiting = false;
  };

  void follow(Ear& ear);
  void on_ready();
  void listen_now();
  void wait_until(Steady::time_point when);

  boost::asio::steady_timer timer_;
  std::list<Ear> ears_;
  std::chrono::milliseconds longest_;
  std::function<void()> listen_;
  Steady::time_point last_{}, awake_until_{};
  bool stopped_ = false;
};

}  // namespace ghm::agent
