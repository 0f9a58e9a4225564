#pragma once
#include <array>
#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <string>

#include "adapters/http/request_reader.h"
#include "adapters/http/server.h"
#include "adapters/http/tls_context.h"
#include "core/http.h"
#include "core/log.h"

namespace ghm::http {

class Connection;
// The executor's own type instead of any_io_executor: no type erasure on each operation.
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// What all connections of a server share. The event loop's thread alone, but for the counts.
struct Hub {
  Hub(boost::asio::io_context& context, ServerSettings s, Handler h, Log l)
      : io(context), settings(std::move(s)), handler(std::move(h)), log(std::move(l)) {}

  boost::asio::io_context& io;
  ServerSettings settings;
  Handler handler;
  Log log;
  std::string date;                             // the Date header, renewed by each sweep
  std::chrono::steady_clock::time_point now{};  // renewed by each sweep: deadlines are compared, never armed
  bool stopping = false;
  std::list<Connection*> open;
  std::function<void()> emptied;  // the last connection left while stopping
  std::atomic<std::uint64_t> requests{0}, connections{0}, open_connections{0}, refused_connections{0};
};

/// One client: reads a request, lets the handler answer, writes, and reads the next. A state machine over plain callbacks;
/// every operation under way holds the connection by a shared_ptr, so it ends when nothing is under way.
///
/// One buffer and one parser per connection are used again for each request, head and body leave in one gathered write,
/// and time-outs are a number that the server's sweep compares: an ordinary request arms no timer.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Hub> hub, Peer peer);
  virtual ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  /// With each sweep: cuts off what is late, pulls event streams.
  void tick();
  void pull_events();
  /// Ends now when idle, else with the answer that is under way.
  void finish();
  /// The same, if the client showed a certificate: it is to show it again.
  void come_again();
  /// The answer to the request being handled, in the loop's thread.
  void answer(Response response);
  boost::asio::io_context& io() { return hub_->io; }

 protected:
  virtual void do_open() = 0;                                                       // then opened()
  virtual void do_receive(boost::asio::mutable_buffer into) = 0;                    // then received()
  virtual void do_send(const std::array<boost::asio::const_buffer, 2>& bytes) = 0;  // progressed() now and then, sent() at the end
  virtual void do_shut() = 0;                                                       // no more will be sent; then shut()
  virtual void do_close() = 0;                                                      // at once

  void opened(bool ok);
  void showed(const ClientCertificate& certificate);
  void received(const boost::system::error_code& ec, std::size_t n);
  void progressed() { allow(hub_->settings.request_timeout); }
  void sent(const boost::system::error_code& ec);
  void shut(bool clean);

 private:
  enum class State { opening, idle, reading, handling, writing, streaming, ending, closed };

  using Deadline = std::chrono::steady_clock::time_point;
  static constexpr Deadline kNever = Deadline::max();
  // `now` may be a sweep old: one more is allowed, so that nobody is cut off early.
  void allow(std::chrono::milliseconds time) { deadline_ = hub_->now + time + hub_->settings.sweep; }
  bool late() const { return hub_->now >= deadline_; }
  void process();
  void receive();
  void wait_for_bytes();
  void handle();
  void send(std::string_view first, std::string_view second);
  void next();
  void event_sent();
  void end();
  void close();

  std::shared_ptr<Hub> hub_;
  std::list<Connection*>::iterator place_;
  Peer peer_;
  std::time_t certificate_ends_ = 0;  // 0: the client showed none
  RequestReader reader_;
  boost::beast::flat_buffer input_;
  Response response_;
  std::string head_;  // of the response, or the event being sent
  State state_ = State::opening;
  Deadline deadline_ = kNever;
  bool receiving_ = false, sending_ = false, keep_alive_ = true, head_only_ = false;
  bool pull_again_ = false;  // a stream was notified while it was being written
};

std::shared_ptr<Connection> make_plain_connection(std::shared_ptr<Hub> hub, Socket socket, Peer peer);
/// `context` must live as long as the connection.
std::shared_ptr<Connection> make_tls_connection(std::shared_ptr<Hub> hub, Socket socket, std::shared_ptr<boost::asio::ssl::context> context,
                                                Peer peer);

}  // namespace ghm::http
