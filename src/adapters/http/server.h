#pragma once
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/http.h"
#include "core/log.h"
#include "core/result.h"

namespace ghm::http {

struct ServerSettings {
  std::size_t max_body = 16u << 20;
  std::size_t max_header = 16u << 10;
  std::chrono::milliseconds idle_timeout{75'000};     // between requests
  std::chrono::milliseconds request_timeout{30'000};  // for all of a request to arrive, and for progress of an answer
  std::chrono::milliseconds sweep{1000};              // how often time-outs are looked at and event streams pulled
  std::size_t max_connections = 10'000;
  std::string cert_file, key_file;              // TLS when set; all of these are read again when they change
  std::string client_ca_file, client_crl_file;  // whose certificates clients may show, and those that count no more
};

struct ServerStats {
  std::uint64_t requests = 0, connections = 0, open_connections = 0, refused_connections = 0;
};

/// HTTP/1.1 (keep-alive, HEAD, pipelining in order) and SSE over Boost.Beast on the caller's io_context, one thread.
/// Bad requests are answered with a problem document, slow ones are cut off; a handler's exception is a 500 and a log line.
/// A request stays as it is until its Reply was called, so a handler may answer later without a copy. A Reply dropped
/// without an answer is a 500.
class Server {
 public:
  Server(boost::asio::io_context& io, ServerSettings settings, Handler handler, Log log);
  /// Stops, and lets go of the handler. In the io_context's thread, or once that runs no more.
  ~Server();
  /// Listens on "127.0.0.1:9480", "[::]:9480" or ":9480". A taken port is one clear sentence: who could hold it, what to do.
  /// May be called for many ports. Port 0 picks a free one.
  Result<unsigned short> listen(const std::string& address);
  /// Wakes all event streams to pull now. Any thread.
  void notify_streams();
  ServerStats stats() const;
  /// Graceful: nothing new is accepted, idle connections and streams end, answers under way are finished (a
  /// client that does not read its own is cut off as ever); then nothing of the server keeps the io_context running. Any thread.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ghm::http
