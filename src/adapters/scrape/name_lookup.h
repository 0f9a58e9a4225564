#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"

namespace ghm::scrape {

/// Host names to addresses. The system's resolver blocks, so it is asked on a few threads that come when names wait and
/// leave when none is left: one dead name server holds up neither the event loop nor the end of the program. Names whose
/// last lookup failed or was slow share half of the threads and come last, so that dead names do not delay live ones.
class NameLookup {
 public:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
  /// The error is the resolver's own words ("Name or service not known").
  using Found = std::function<void(Result<Endpoints>)>;
  /// Blocks; called on several threads at once.
  using Resolve = std::function<Result<Endpoints>(const std::string& host, unsigned short port)>;
  using Ticket = std::uint64_t;
  static constexpr int kMostThreads = 8;

  /// `resolve`: the system's resolver unless a test brings its own.
  explicit NameLookup(boost::asio::io_context& io, Resolve resolve = {});
  ~NameLookup();
  /// Answers that are still to come are dropped. Must come before the io_context ends.
  void stop();
  /// `found` is called once, on the io_context's thread, at the earliest in its next turn; it may be destroyed on another
  /// thread, so it should hold its owner weakly. A numeric address needs no thread.
  Ticket find(const std::string& host, unsigned short port, Found found);
  /// Takes a name out of the queue that nobody waits for any more; one that is being looked up is still answered.
  void cancel(Ticket ticket);

 private:
  struct Desk;
  std::shared_ptr<Desk> desk_;
};

}  // namespace ghm::scrape
