#include "adapters/http/server.h"

#include <fmt/format.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <vector>

#include "adapters/http/connection.h"
#include "adapters/http/endpoint.h"
#include "adapters/http/response_head.h"
#include "adapters/http/tls_context.h"

namespace ghm::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, asio::io_context::executor_type>;
using TlsContext = asio::ssl::context;

// Signs that the machine, not the peer, is at its limit: trying again at once would only spin.
bool out_of_resources(const error_code& ec) {
  return ec == asio::error::no_descriptors || ec.value() == ENFILE || ec == asio::error::no_buffer_space || ec == asio::error::no_memory;
}

/// Opens, binds, listens; the port it got, where 0 was asked for, is in the acceptor.
error_code open_acceptor(Acceptor& acceptor, const tcp::endpoint& at) {
  error_code ec;
  acceptor.open(at.protocol(), ec);
  if (ec) return ec;
  acceptor.set_option(Acceptor::reuse_address(true), ec);
  if (at.address().is_v6()) acceptor.set_option(asio::ip::v6_only(!at.address().is_unspecified()), ec);
  acceptor.bind(at, ec);
  if (!ec) acceptor.listen(4096, ec);
  return ec;
}

}  // namespace

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  struct Listener {
    explicit Listener(asio::io_context& io) : acceptor(io.get_executor()), pause(io.get_executor()) {}
    Acceptor acceptor;
    Timer pause;
    bool paused = false;
  };

  Impl(asio::io_context& io, ServerSettings settings, Handler handler, Log log)
      : hub(std::make_shared<Hub>(io, std::move(settings), std::move(handler), std::move(log))),
        tls_files(hub->settings),
        sweep(io.get_executor()) {
    renew_clock();
  }

  Result<unsigned short> listen(const std::string& address);
  Result<unsigned short> listen_at(const std::string& address, tcp::endpoint at);
  void accept(const std::shared_ptr<Listener>& on);
  void accepted(const std::shared_ptr<Listener>& on, const error_code& ec, Socket socket);
  void accept_later(const std::shared_ptr<Listener>& on, const error_code& ec);
  void welcome(Socket socket);
  void turn_away(Socket socket);
  void renew_clock();
  void renew_tls();
  void start_sweeping();
  void sweep_later();
  void for_each_connection(void (Connection::*what)());
  bool done() const { return hub->stopping && hub->open.empty(); }
  void stop();

  std::shared_ptr<Hub> hub;
  std::shared_ptr<TlsContext> tls;
  TlsFiles tls_files;
  std::vector<std::shared_ptr<Listener>> listeners;
  Timer sweep;
  bool sweeping = false;
  std::atomic<bool> notified{false};
};

Result<unsigned short> Server::Impl::listen(const std::string& address) {
  auto endpoints = parse_listen(address);
  if (!endpoints) return endpoints.error();
  auto context = open_tls(hub->settings);
  if (!context) return context.error();
  tls = *context;
  Result<unsigned short> port = Error{Errc::unavailable, "listen: " + address + ": no address"};
  unsigned short chosen = 0;
  for (auto at : *endpoints) {
    if (chosen != 0) at.port(chosen);  // all addresses of a name share the port that the first one got
    auto got = listen_at(address, at);
    if (got) chosen = *got;
    if (got || chosen == 0) port = got;
    if (!got && got.error().code == Errc::conflict) return got;
  }
  return port;
}

Result<unsigned short> Server::Impl::listen_at(const std::string& address, tcp::endpoint at) {
  auto listener = std::make_shared<Listener>(hub->io);
  auto ec = open_acceptor(listener->acceptor, at);
  if (ec == asio::error::address_family_not_supported && at.address().is_v6() && at.address().is_unspecified()) {
    at.address(asio::ip::address_v4::any());  // a kernel without IPv6: "everywhere" is all of IPv4
    listener = std::make_shared<Listener>(hub->io);
    ec = open_acceptor(listener->acceptor, at);
  }
  if (ec) return why_not_listening(address, at.port(), ec);
  listeners.push_back(listener);
  accept(listener);
  return listener->acceptor.local_endpoint().port();
}

void Server::Impl::accept(const std::shared_ptr<Listener>& on) {
  on->acceptor.async_accept(hub->io.get_executor(), [me = shared_from_this(), on](const error_code& ec, Socket socket) {
    me->accepted(on, ec, std::move(socket));
  });
}

void Server::Impl::accepted(const std::shared_ptr<Listener>& on, const error_code& ec, Socket socket) {
  if (hub->stopping || ec == asio::error::operation_aborted) return;
  if (ec && out_of_resources(ec)) return accept_later(on, ec);
  if (!ec) {
    on->paused = false;
    hub->open.size() < hub->settings.max_connections ? welcome(std::move(socket)) : turn_away(std::move(socket));
  }
  accept(on);  // any other error was the peer's: it left before we came
}

void Server::Impl::accept_later(const std::shared_ptr<Listener>& on, const error_code& ec) {
  if (!on->paused)
    hub->log.error("http.accept_paused",
                   {{"error", ec.message()},
                    {"connections", std::to_string(hub->open.size())},
                    {"help", "new clients wait until others leave; raise the limit of open files (ulimit -n, LimitNOFILE=)"}});
  on->paused = true;
  on->pause.expires_after(hub->settings.sweep);
  on->pause.async_wait([me = shared_from_this(), on](const error_code& cancelled) {
    if (!cancelled && !me->hub->stopping) me->accept(on);
  });
}

void Server::Impl::welcome(Socket socket) {
  error_code ec;
  socket.set_option(tcp::no_delay(true), ec);
  const auto remote = socket.remote_endpoint(ec);
  if (ec) return;  // gone already
  const auto address = plain_address(remote.address());
  Peer peer{address.to_string(), address.is_loopback(), tls != nullptr, socket.local_endpoint(ec).port()};
  start_sweeping();
  const auto connection = tls ? make_tls_connection(hub, std::move(socket), tls, std::move(peer))
                              : make_plain_connection(hub, std::move(socket), std::move(peer));
  connection->start();
}

void Server::Impl::turn_away(Socket socket) {
  ++hub->refused_connections;
  if (tls) return;
  // Best effort, without waiting: a fresh socket's send buffer has room for a line.
  auto sorry = problem(503, "The server has as many connections as it may: try again shortly.");
  sorry.headers.emplace_back("Retry-After", "5");
  std::string text;
  write_head(sorry, {hub->date, false, false}, text);
  text += sorry.body;
  error_code ec;
  socket.non_blocking(true, ec);
  socket.write_some(asio::buffer(text), ec);
  socket.shutdown(Socket::shutdown_send, ec);
}

void Server::Impl::renew_clock() {
  using namespace std::chrono;
  hub->now = steady_clock::now();
  hub->date = http_date(duration_cast<seconds>(system_clock::now().time_since_epoch()).count());
}

void Server::Impl::start_sweeping() {
  if (std::exchange(sweeping, true)) return;
  renew_clock();
  renew_tls();
  sweep_later();
}

// A certificate that was renewed, a CA that came, a client that was revoked: no restart is needed. Who was admitted by what stood there
// before comes again and is judged anew.
void Server::Impl::renew_tls() {
  if (!tls || !tls_files.changed()) return;
  auto context = open_tls(hub->settings);
  if (!context) {
    hub->log.error("tls.not_renewed", {{"error", context.error().what}, {"then", "what was read before stays in force"}});
    return;
  }
  tls = std::move(*context);
  hub->log.info("tls.renewed", {});
  for_each_connection(&Connection::come_again);
}

// Only while somebody is connected: a server that nobody asks does not wake its machine.
void Server::Impl::sweep_later() {
  sweep.expires_after(hub->settings.sweep);
  sweep.async_wait([me = shared_from_this()](const error_code& cancelled) {
    if (cancelled || me->done()) return;  // a timer that had expired when it was cancelled comes without an error
    me->renew_clock();
    me->renew_tls();
    me->for_each_connection(&Connection::tick);
    if (me->hub->open.empty()) me->sweeping = false;
    else me->sweep_later();
  });
}

void Server::Impl::for_each_connection(void (Connection::*what)()) {
  auto& open = hub->open;
  for (auto it = open.begin(); it != open.end();) {
    const auto connection = (*it++)->shared_from_this();  // may leave the list with this round
    ((*connection).*what)();
  }
}

void Server::Impl::stop() {
  hub->stopping = true;
  error_code ignored;
  for (const auto& listener : listeners) {
    listener->acceptor.close(ignored);
    listener->pause.cancel();
  }
  listeners.clear();
  // The sweep goes on until the last one left: who does not read the answer is still cut off.
  hub->emptied = [me = weak_from_this()] {
    if (const auto alive = me.lock()) alive->sweep.cancel();
  };
  for_each_connection(&Connection::finish);
  if (done()) sweep.cancel();
}

Server::Server(asio::io_context& io, ServerSettings settings, Handler handler, Log log)
    : impl_(std::make_shared<Impl>(io, std::move(settings), std::move(handler), std::move(log))) {}

Server::~Server() {
  stop();
  impl_->hub->handler = nullptr;
}

Result<unsigned short> Server::listen(const std::string& address) {
  return impl_->listen(address);
}

void Server::notify_streams() {
  if (impl_->notified.exchange(true)) return;  // one wake-up serves all who call meanwhile
  asio::post(impl_->hub->io, [me = impl_] {
    me->notified = false;
    me->for_each_connection(&Connection::pull_events);
  });
}

ServerStats Server::stats() const {
  const Hub& h = *impl_->hub;
  return {h.requests, h.connections, h.open_connections, h.refused_connections};
}

void Server::stop() {
  asio::dispatch(impl_->hub->io, [me = impl_] { me->stop(); });
}

}  // namespace ghm::http
