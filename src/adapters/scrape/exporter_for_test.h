#pragma once
#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ghm::scrape::test {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

/// One connection at an exporter that says exactly what a test wants, right or wrong.
class Peer {
 public:
  explicit Peer(tcp::socket s) : socket_(std::move(s)) {}

  awaitable<void> shake_hands(asio::ssl::context& context) {
    tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(socket_, context);
    co_await tls_->async_handshake(asio::ssl::stream_base::server, use_awaitable);
  }
  /// The next request's head.
  awaitable<std::string> request() {
    auto into = asio::dynamic_buffer(kept_);
    const auto n = tls_ ? co_await asio::async_read_until(*tls_, into, "\r\n\r\n", use_awaitable)
                        : co_await asio::async_read_until(socket_, into, "\r\n\r\n", use_awaitable);
    std::string head = kept_.substr(0, n);
    kept_.erase(0, n);
    co_return head;
  }
  awaitable<void> send(std::string bytes) {
    if (tls_) co_await asio::async_write(*tls_, asio::buffer(bytes), use_awaitable);
    else co_await asio::async_write(socket_, asio::buffer(bytes), use_awaitable);
  }
  awaitable<void> pause(std::chrono::milliseconds d) {
    asio::steady_timer timer(socket_.get_executor(), d);
    co_await timer.async_wait(use_awaitable);
  }
  /// Closes so that the other side sees a reset, not an end.
  void reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
  }
  tcp::socket& socket() { return socket_; }

 private:
  tcp::socket socket_;
  std::unique_ptr<asio::ssl::stream<tcp::socket&>> tls_;
  std::string kept_;
};

/// Listens on a free port of 127.0.0.1 and plays `script` to each connection; its end closes the connection.
class Exporter {
 public:
  using Script = std::function<awaitable<void>(Peer&)>;
  Exporter(asio::io_context& io, Script script, asio::ssl::context* tls = nullptr,
           asio::ip::address_v4 at = asio::ip::address_v4::loopback())
      : state_(std::make_shared<State>(State{{io, {at, 0}}, std::move(script), tls})) {
    asio::co_spawn(io, listen(state_), asio::detached);
  }
  ~Exporter() { close(); }
  void close() { state_->acceptor.close(); }
  unsigned short port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int connections() const { return state_->connections; }

 private:
  struct State {
    tcp::acceptor acceptor;
    Script script;
    asio::ssl::context* tls;
    int connections = 0;
  };
  static awaitable<void> listen(std::shared_ptr<State> state) {
    while (state->acceptor.is_open()) {
      auto socket = co_await state->acceptor.async_accept(use_awaitable);
      ++state->connections;
      const auto executor = socket.get_executor();  // before the move: arguments have no order
      asio::co_spawn(executor, serve(state, std::move(socket)), asio::detached);
    }
  }
  static awaitable<void> serve(std::shared_ptr<State> state, tcp::socket socket) {
    Peer peer(std::move(socket));
    try {
      if (state->tls) co_await peer.shake_hands(*state->tls);
      co_await state->script(peer);
    } catch (const boost::system::system_error&) {
      // The scraper left; what it saw is what the test looks at.
    }
  }

  std::shared_ptr<State> state_;
  unsigned short port_ = state_->acceptor.local_endpoint().port();
};

inline std::string page_answer(std::string_view page, std::string_view headers = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(page.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(page);
}

/// Answers each request with the same bytes.
inline Exporter::Script always(std::string bytes) {
  return [bytes](Peer& p) -> awaitable<void> {
    while (true) {
      co_await p.request();
      co_await p.send(bytes);
    }
  };
}

/// Answers one request, then closes.
inline Exporter::Script once(std::string bytes) {
  return [bytes](Peer& p) -> awaitable<void> {
    co_await p.request();
    co_await p.send(bytes);
  };
}

/// How much longer a round must be where a test asks for much work in little time: sanitizers slow it down.
#if defined(__SANITIZE_THREAD__)
inline constexpr int kSlowness = 5;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr int kSlowness = 3;
#else
inline constexpr int kSlowness = 1;
#endif

/// Runs the loop until `done` says so; false after `within`.
inline bool run_until(asio::io_context& io, const std::function<bool()>& done,
                      std::chrono::milliseconds within = std::chrono::seconds(5 * kSlowness)) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

inline void run_for(asio::io_context& io, std::chrono::milliseconds d) {
  io.restart();
  io.run_for(d);
}

}  // namespace ghm::scrape::test
