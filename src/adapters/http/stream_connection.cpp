#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "adapters/http/connection.h"

namespace ghm::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<Socket>;

constexpr std::size_t kMostPerWrite = 1u << 20;

/// The operations of Connection over a socket, plain or in TLS.
template <class Stream>
class StreamConnection : public Connection {
 public:
  template <class... Args>
  StreamConnection(std::shared_ptr<Hub> hub, Peer peer, Args&&... stream)
      : Connection(std::move(hub), std::move(peer)), stream_(std::forward<Args>(stream)...) {}

 protected:
  auto self() { return std::static_pointer_cast<StreamConnection>(shared_from_this()); }

  void do_receive(asio::mutable_buffer into) final {
    stream_.async_read_some(into, [me = self()](const error_code& ec, std::size_t n) { me->received(ec, n); });
  }
  void do_send(const std::array<asio::const_buffer, 2>& bytes) final {
    const auto go_on = [me = self()](const error_code& ec, std::size_t) -> std::size_t {
      me->progressed();
      return ec ? 0 : kMostPerWrite;
    };
    asio::async_write(stream_, bytes, go_on, [me = self()](const error_code& ec, std::size_t) { me->sent(ec); });
  }
  void do_close() final {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
  }
  void shut_socket() {
    error_code ec;
    stream_.lowest_layer().shutdown(asio::socket_base::shutdown_send, ec);
    shut(!ec);
  }

  Stream stream_;
};

class PlainConnection final : public StreamConnection<Socket> {
 public:
  using StreamConnection::StreamConnection;

 private:
  void do_open() override { opened(true); }
  void do_shut() override { shut_socket(); }
};

class TlsConnection final : public StreamConnection<TlsStream> {
 public:
  TlsConnection(std::shared_ptr<Hub> hub, Socket socket, std::shared_ptr<asio::ssl::context> context, Peer peer)
      : StreamConnection(std::move(hub), std::move(peer), std::move(socket), *context), context_(std::move(context)) {}

 private:
  std::shared_ptr<TlsConnection> me() { return std::static_pointer_cast<TlsConnection>(shared_from_this()); }
  void do_open() override {
    stream_.async_handshake(TlsStream::server, [c = me()](const error_code& ec) {
      if (!ec)
        if (const auto shown = certificate_of(c->stream_.native_handle())) c->showed(*shown);
      c->opened(!ec);
    });
  }
  // close_notify first: without it a client cannot tell an end from a cut.
  void do_shut() override {
    stream_.async_shutdown([c = me()](const error_code& ec) { c->shut(!ec); });
  }

  std::shared_ptr<asio::ssl::context> context_;
};

}  // namespace

std::shared_ptr<Connection> make_plain_connection(std::shared_ptr<Hub> hub, Socket socket, Peer peer) {
  return std::make_shared<PlainConnection>(std::move(hub), std::move(peer), std::move(socket));
}

std::shared_ptr<Connection> make_tls_connection(std::shared_ptr<Hub> hub, Socket socket, std::shared_ptr<asio::ssl::context> context,
                                                Peer peer) {
  return std::make_shared<TlsConnection>(std::move(hub), std::move(socket), std::move(context), std::move(peer));
}

}  // namespace ghm::http
