// Event streams and TLS.
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <filesystem>

#include "adapters/http/raw_client_for_test.h"
#include "core/handle.h"

namespace ghm::http {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using test::get;
using test::RawClient;
using test::RunningServer;

struct Told : EventSource {
  std::function<std::optional<std::string>()> next;
  std::optional<std::string> pull() override { return next(); }
};

Handler stream_of(std::function<std::optional<std::string>()> next) {
  return [next](const Request&, Reply reply) {
    auto source = std::make_shared<Told>();
    source->next = next;
    Response r;
    r.content_type = "text/event-stream";
    r.events = source;
    reply(std::move(r));
  };
}

TEST(Streams, ArePulledAtOnceWithEachSweepAndWhenNotified) {
  ServerSettings settings;
  settings.sweep = 400ms;
  std::atomic<int> n{0};
  RunningServer running(stream_of([&]() -> std::optional<std::string> {
                          const int k = ++n;
                          if (k == 2) return ": \n\n";
                          return k <= 3 ? std::optional("data: " + std::to_string(k) + "\n\n") : std::nullopt;
                        }),
                        settings);
  RawClient client(running.port);
  client.send(get("/"));
  const auto head = client.read_response();
  EXPECT_EQ(head.header("content-type"), "text/event-stream");
  EXPECT_EQ(head.header("content-length"), "");
  EXPECT_EQ(client.read_until("\n\n"), "data: 1\n\n");
  EXPECT_EQ(client.read_until("\n\n"), ": \n\n") << "the sweep";
  running.server().notify_streams();
  EXPECT_EQ(client.read_until("\n\n"), "data: 3\n\n");
  running.server().notify_streams();
  EXPECT_TRUE(client.closed()) << "nullopt ends the stream";
}

TEST(Streams, ASlowClientSkipsAndNothingQueues) {
  std::atomic<int> pulls{0};
  ServerSettings settings;
  settings.request_timeout = 500ms;
  settings.sweep = 50ms;
  RunningServer running(stream_of([&] {
                          ++pulls;
                          return std::string(8'000'000, 'x');
                        }),
                        settings);
  RawClient client(running.port);
  client.send(get("/"));
  for (int k = 0; k < 200; ++k) {
    running.server().notify_streams();
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_LE(pulls, 2) << "not pulled while the write before is under way";
  for (int tenth = 0; tenth < 50 && running.server().stats().open_connections > 0; ++tenth) std::this_thread::sleep_for(100ms);
  EXPECT_EQ(running.server().stats().open_connections, 0u) << "and in the end it is cut off";
}

TEST(Streams, EndWhenTheClientLeavesOrTheSourceFails) {
  std::atomic<bool> fail{false};
  RunningServer running(stream_of([&]() -> std::optional<std::string> {
    if (fail) throw std::runtime_error("broken");
    return "";
  }));
  {
    RawClient leaving(running.port);
    leaving.send(get("/"));
    EXPECT_EQ(leaving.read_response().status, 200);
  }
  auto staying = std::make_unique<RawClient>(running.port);
  staying->send(get("/"));
  EXPECT_EQ(staying->read_response().status, 200);
  for (int k = 0; k < 100 && running.server().stats().open_connections > 1; ++k) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(running.server().stats().open_connections, 1u);
  fail = true;
  running.server().notify_streams();
  EXPECT_TRUE(staying->closed());
  staying.reset();
  running.stop();
  EXPECT_EQ(running.lines, std::vector<std::string>{"http.stream_failed error=broken"});
}

TEST(Streams, HeadOfAStreamHasNoStream) {
  RunningServer running(stream_of([] { return "data: 1\n\n"; }));
  RawClient client(running.port);
  client.send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read_response().status, 200);
  EXPECT_TRUE(client.closed());
}

TEST(Streams, AStopEndsThem) {
  RunningServer running(stream_of([] { return ""; }));
  RawClient client(running.port);
  client.send(get("/"));
  EXPECT_EQ(client.read_response().status, 200);
  running.server().stop();
  EXPECT_TRUE(client.closed());
}

// A self-signed certificate for localhost and its key, as PEM files in a folder of their own.
class Certificate {
 public:
  Certificate() : folder_(std::filesystem::temp_directory_path() / ("ghm-tls-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    const Handle<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
    const Handle<X509, X509_free> cert(X509_new());
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
    X509_set_pubkey(cert.get(), key.get());
    X509_sign(cert.get(), key.get(), EVP_sha256());
    const Handle<FILE, std::fclose> cert_out(std::fopen(cert_file().c_str(), "w")), key_out(std::fopen(key_file().c_str(), "w"));
    PEM_write_X509(cert_out.get(), cert.get());
    PEM_write_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }
  ~Certificate() { std::filesystem::remove_all(folder_); }
  std::string cert_file() const { return folder_ / "cert.pem"; }
  std::string key_file() const { return folder_ / "key.pem"; }

 private:
  std::filesystem::path folder_;
};

void answer_if_tls(const Request& q, Reply reply) {
  Response r;
  r.body = q.peer.tls ? "secure" : "plain";
  reply(std::move(r));
}

// What the server answers over TLS of at most `version`; empty when there is no handshake.
std::string ask_over_tls(unsigned short port, int version) {
  asio::io_context io;
  asio::ssl::context context(asio::ssl::context::tls_client);
  SSL_CTX_set_max_proto_version(context.native_handle(), version);
  SSL_CTX_set_security_level(context.native_handle(), 0);  // lets this client offer what the server must refuse
  asio::ssl::stream<tcp::socket> stream(io, context);
  stream.next_layer().connect({asio::ip::address_v4::loopback(), port});
  boost::system::error_code ec;
  stream.handshake(asio::ssl::stream_base::client, ec);
  if (ec) return {};
  asio::write(stream, asio::buffer(get("/", "Connection: close\r\n")));
  std::string answer;
  asio::read(stream, asio::dynamic_buffer(answer), ec);
  EXPECT_EQ(ec, asio::error::eof) << "a clean end of TLS";
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

TEST(Tls, SpeaksVersion12AndNewer) {
  const Certificate certificate;
  ServerSettings settings;
  settings.cert_file = certificate.cert_file();
  settings.key_file = certificate.key_file();
  RunningServer running(answer_if_tls, settings);
  EXPECT_EQ(ask_over_tls(running.port, TLS1_3_VERSION), "secure");
  EXPECT_EQ(ask_over_tls(running.port, TLS1_2_VERSION), "secure");
  EXPECT_EQ(ask_over_tls(running.port, TLS1_1_VERSION), "");
  RawClient plain(running.port);
  plain.send(get("/"));
  plain.read_until("never");
  EXPECT_TRUE(plain.closed()) << "plain HTTP on a TLS port gets nothing";
}

TEST(Tls, WrongFilesAreNamedAtTheStart) {
  const Certificate certificate;
  struct Case {
    std::string cert, key, says;
  };
  const Case cases[] = {
      {certificate.cert_file(), "", "tls: cert_file and key_file go together"},
      {"/no/such/cert.pem", certificate.key_file(), "tls.cert_file: /no/such/cert.pem cannot be used"},
      {certificate.cert_file(), "/no/such/key.pem", "tls.key_file: /no/such/key.pem cannot be used"},
      {certificate.cert_file(), certificate.cert_file(), "tls.key_file: "},
  };
  for (const auto& c : cases) {
    asio::io_context io;
    ServerSettings settings;
    settings.cert_file = c.cert;
    settings.key_file = c.key;
    Server server(io, settings, answer_if_tls, Log::off());
    const auto got = server.listen("127.0.0.1:0");
    ASSERT_FALSE(got) << c.says;
    EXPECT_TRUE(got.error().what.starts_with(c.says)) << got.error().what;
  }
}

}  // namespace
}  // namespace ghm::http
