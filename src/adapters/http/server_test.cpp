#include "adapters/http/server.h"

#include <sys/resource.h>

#include <atomic>
#include <future>

#include "adapters/http/raw_client_for_test.h"

namespace ghm::http {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::RawClient;
using test::RunningServer;

Response text(std::string body) {
  Response r;
  r.content_type = "text/plain";
  r.body = std::move(body);
  return r;
}

// Says what it was asked: method, path, query, body.
void echo(const Request& q, Reply reply) {
  std::string said = q.method + " " + q.path;
  for (const auto& [name, value] : q.query) said += " " + name + "=" + value;
  if (!q.body.empty()) said += " [" + q.body + "]";
  reply(text(said));
}

TEST(Server, KeepsAConnectionForManyRequests) {
  RunningServer running(echo);
  RawClient client(running.port);
  for (int n = 0; n < 3; ++n) {
    client.send(get("/a%20b?x=1%2B2&y=c+d"));
    const auto r = client.read_response();
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.body, "GET /a b x=1+2 y=c d");
    EXPECT_NE(r.header("date"), "");
  }
  EXPECT_EQ(running.server().stats().connections, 1u);
  EXPECT_EQ(running.server().stats().requests, 3u);
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  std::jthread later;
  RunningServer running([&](const Request& q, Reply reply) {
    if (q.path != "/slow") return echo(q, reply);
    later = std::jthread([reply = std::move(reply)] {  // from another thread, after the others came in
      std::this_thread::sleep_for(50ms);
      reply(text("slow"));
    });
  });
  RawClient client(running.port);
  client.send(get("/slow") + "POST /b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc" + "\r\n" + get("/c"));
  EXPECT_EQ(client.read_response().body, "slow");
  EXPECT_EQ(client.read_response().body, "POST /b [abc]");
  EXPECT_EQ(client.read_response().body, "GET /c");
}

TEST(Server, HeadSendsTheHeadAlone) {
  RunningServer running(echo);
  RawClient client(running.port);
  client.send("HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/b"));
  EXPECT_EQ(client.read_response(true).header("content-length"), "7");
  EXPECT_EQ(client.read_response().body, "GET /b");
}

TEST(Server, AnswersWithoutABodySayNoLength) {
  RunningServer running([](const Request& q, Reply reply) {
    auto r = text("not sent");
    r.status = q.path == "/204" ? 204 : 304;
    r.body.clear();
    reply(std::move(r));
  });
  RawClient client(running.port);
  client.send(get("/204") + get("/304"));
  for (const int status : {204, 304}) {
    const auto r = client.read_response();
    EXPECT_EQ(r.status, status);
    EXPECT_EQ(r.header("content-length"), "");
    EXPECT_EQ(r.header("content-type"), "");
  }
}

TEST(Server, WrongRequestsGetAProblemAndTheEnd) {
  struct Case {
    const char* why;
    std::string bytes;
    int status;
  };
  const std::string host = "Host: localhost\r\n";
  const Case cases[] = {
      {"no HTTP at all", "hello\r\n\r\n", 400},
      {"TLS on a plain port", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(300, 'x') + "\r\n\r\n", 400},
      {"another version", "GET / HTTP/2.0\r\n" + host + "\r\n", 505},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", "GET / HTTP/1.1\r\n" + host + "Host: b\r\n\r\n", 400},
      {"a broken escape", "GET /%zz HTTP/1.1\r\n" + host + "\r\n", 400},
      {"an escape cut off", "GET /a%2 HTTP/1.1\r\n" + host + "\r\n", 400},
      {"a zero byte in the path", "GET /%00 HTTP/1.1\r\n" + host + "\r\n", 400},
      {"a target without a slash", "GET abc HTTP/1.1\r\n" + host + "\r\n", 400},
      {"a length that is none", "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
      {"two lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"length and chunks, as smugglers send",
       "POST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"a chunk that is none", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400},
      {"a header without a name", "GET / HTTP/1.1\r\n: x\r\n\r\n", 400},
      {"a space before the colon", "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400},
      {"one long header", "GET / HTTP/1.1\r\n" + host + "X: " + std::string(2000, 'x') + "\r\n\r\n", 431},
      {"a head without an end", "GET / HTTP/1.1\r\n" + host + "X: " + std::string(2000, 'x'), 431},
      {"a target without an end", "GET /" + std::string(2000, 'x'), 431},
      {"a body that says it is too long", "POST / HTTP/1.1\r\n" + host + "Content-Length: 101\r\n\r\n", 413},
      {"chunks that become too long",
       "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n40\r\n" + std::string(64, 'x') + "\r\n40\r\n", 413},
  };
  ServerSettings settings;
  settings.max_header = 1000;
  settings.max_body = 100;
  RunningServer running(echo, settings);
  for (const auto& c : cases) {
    RawClient client(running.port);
    client.send(c.bytes);
    const auto r = client.read_response();
    EXPECT_EQ(r.status, c.status) << c.why;
    EXPECT_EQ(r.header("content-type"), "application/problem+json") << c.why;
    EXPECT_EQ(r.header("connection"), "close") << c.why;
    EXPECT_TRUE(client.closed()) << c.why;
  }
  EXPECT_EQ(running.server().stats().requests, 0u) << "no handler saw any of it";
}

TEST(Server, TheAnswerArrivesThoughTheBodyWasNotRead) {
  ServerSettings settings;
  settings.max_body = 1000;
  RunningServer running(echo, settings);
  RawClient client(running.port);
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000\r\n\r\n" + std::string(100'000, 'x'));
  EXPECT_EQ(client.read_response().status, 413);
}

TEST(Server, BodiesComeWholeInPiecesOrChunks) {
  RunningServer running(echo);
  RawClient client(running.port);
  client.send("POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nab");
  std::this_thread::sleep_for(20ms);
  client.send("cdef");
  EXPECT_EQ(client.read_response().body, "POST /p [abcdef]");
  client.send("POST /c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r");
  std::this_thread::sleep_for(20ms);
  client.send("\n2;ext=1\r\nde\r\n0\r\nHost: evil\r\n\r\n" + get("/next"));
  EXPECT_EQ(client.read_response().body, "POST /c [abcde]");
  EXPECT_EQ(client.read_response().body, "GET /next");
}

TEST(Server, ALastChunkInSingleBytesIsOnlySlow) {
  RunningServer running(echo);
  RawClient client(running.port);
  client.send("POST /c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char c : std::string_view("0\r\n\r\n")) {
    std::this_thread::sleep_for(10ms);
    client.send({&c, 1});
  }
  EXPECT_EQ(client.read_response().body, "POST /c");
}

TEST(Server, SaysContinueToWhoWaitsForIt) {
  RunningServer running(echo);
  RawClient client(running.port);
  client.send("POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.read_response().body, "POST /p [abc]");
}

TEST(Server, Http10ClosesUnlessAskedToKeep) {
  RunningServer running(echo);
  RawClient closing(running.port), keeping(running.port);
  closing.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_EQ(closing.read_response().header("connection"), "close");
  EXPECT_TRUE(closing.closed());
  keeping.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(keeping.read_response().header("connection"), "keep-alive");
  keeping.send(get("/b", "Connection: close\r\n"));
  EXPECT_EQ(keeping.read_response().body, "GET /b");
  EXPECT_TRUE(keeping.closed());
}

TEST(Server, AHandlerThatFailsIsA500AndALine) {
  RunningServer running([](const Request& q, Reply reply) {
    if (q.path == "/throw") throw std::runtime_error("no such luck");
    if (q.path == "/silent") return;
    reply(text("once"));
    reply(text("twice"));
  });
  {
    RawClient client(running.port);
    client.send(get("/throw") + get("/silent") + get("/twice") + get("/twice"));
    EXPECT_EQ(client.read_response().status, 500);
    EXPECT_EQ(client.read_response().status, 500);
    EXPECT_EQ(client.read_response().body, "once");
    EXPECT_EQ(client.read_response().body, "once");
  }
  running.stop();
  EXPECT_EQ(running.lines, std::vector<std::string>{"http.handler_failed method=GET path=/throw error=\"no such luck\""});
}

TEST(Server, AHeaderValueCannotStartAnother) {
  RunningServer running([](const Request& q, Reply reply) {
    auto r = text("");
    r.headers.emplace_back("X-Echo", *q.param("v"));
    reply(std::move(r));
  });
  RawClient client(running.port);
  client.send(get("/?v=a%0d%0aSet-Cookie:%20b"));
  const auto r = client.read_response();
  EXPECT_EQ(r.header("x-echo"), "a  Set-Cookie: b");
  EXPECT_EQ(r.header("set-cookie"), "");
}

TEST(Server, ALargeAnswerArrivesWhole) {
  const auto big = std::make_shared<const std::string>(5'000'000, 'x');
  RunningServer running([&](const Request&, Reply reply) {
    Response r;
    r.shared_body = big;
    reply(std::move(r));
  });
  RawClient client(running.port);
  client.send(get("/"));
  EXPECT_EQ(client.read_response().body, *big);
}

TEST(Server, SlowAndIdleClientsAreCutOff) {
  ServerSettings settings;
  settings.request_timeout = settings.idle_timeout = 300ms;
  settings.sweep = 50ms;
  RunningServer running(echo, settings);
  RawClient idle(running.port), after_one(running.port), dripping(running.port), half_a_body(running.port);
  after_one.send(get("/a"));
  EXPECT_EQ(after_one.read_response().status, 200);
  half_a_body.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  std::jthread drip([&](std::stop_token stop) {
    for (const char c : get("/" + std::string(500, 'x'))) {
      if (stop.stop_requested() || !dripping.send({&c, 1})) return;
      std::this_thread::sleep_for(50ms);
    }
  });
  EXPECT_EQ(dripping.read_response().status, 408);
  EXPECT_EQ(half_a_body.read_response().status, 408);
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(after_one.closed());
}

TEST(Server, WhoDoesNotReadTheAnswerIsCutOff) {
  ServerSettings settings;
  settings.request_timeout = 300ms;
  settings.sweep = 50ms;
  const auto big = std::make_shared<const std::string>(20'000'000, 'x');
  RunningServer running(
      [&](const Request&, Reply reply) {
        Response r;
        r.shared_body = big;
        reply(std::move(r));
      },
      settings);
  RawClient client(running.port);
  client.send(get("/"));
  for (int tenth = 0; tenth < 50 && (running.server().stats().open_connections > 0 || tenth == 0); ++tenth)
    std::this_thread::sleep_for(100ms);
  EXPECT_EQ(running.server().stats().open_connections, 0u);
}

TEST(Server, HasAsManyConnectionsAsItMay) {
  ServerSettings settings;
  settings.max_connections = 1;
  RunningServer running(echo, settings);
  RawClient first(running.port);
  first.send(get("/a"));
  EXPECT_EQ(first.read_response().status, 200);
  RawClient second(running.port);
  EXPECT_EQ(second.read_response().status, 503);
  EXPECT_EQ(running.server().stats().refused_connections, 1u);
  first.send(get("/b"));
  EXPECT_EQ(first.read_response().status, 200) << "who is in stays in";
}

TEST(Server, WithoutFileDescriptorsItWaitsAndSaysSoOnce) {
  ServerSettings settings;
  settings.sweep = 100ms;
  RunningServer running(echo, settings);
  auto client = std::make_unique<RawClient>();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none_left{static_cast<rlim_t>(client->fd()), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none_left), 0);
  client->connect_to(running.port);
  client->send(get("/a"));
  std::this_thread::sleep_for(350ms);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(client->read_response().status, 200) << "and goes on when there are some again";
  client.reset();
  running.stop();
  ASSERT_EQ(running.lines.size(), 1u);
  EXPECT_TRUE(running.lines[0].starts_with("http.accept_paused error=\"Too many open files\"")) << running.lines[0];
}

TEST(Server, AGracefulStopFinishesWhatIsUnderWay) {
  std::promise<Reply> asked;
  ServerSettings settings;
  settings.sweep = 50ms;
  RunningServer running([&](const Request&, Reply reply) { asked.set_value(std::move(reply)); }, settings);
  auto idle = std::make_unique<RawClient>(running.port), waiting = std::make_unique<RawClient>(running.port);
  waiting->send(get("/a"));
  const Reply reply = asked.get_future().get();
  running.server().stop();
  EXPECT_TRUE(idle->closed());
  reply(text("in the end"));
  const auto r = waiting->read_response();
  EXPECT_EQ(r.body, "in the end");
  EXPECT_EQ(r.header("connection"), "close");
  waiting.reset();
  running.stop();  // the loop runs out by itself, else this hangs
}

TEST(Listen, ATakenPortIsOneClearSentence) {
  RunningServer first(echo);
  boost::asio::io_context io;
  Server second(io, {}, echo, Log::off());
  const auto address = "127.0.0.1:" + std::to_string(first.port);
  const auto got = second.listen(address);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::conflict);
  const auto port = std::to_string(first.port);
  EXPECT_EQ(got.error().what, "listen: " + address + ": port " + port +
                                  " is taken, perhaps by another ghm: stop that program (`ss -ltnp 'sport = :" + port +
                                  "'` names it) or listen on another port");
}

TEST(Listen, ReadsTheUsualAddresses) {
  struct Case {
    std::string address;
    bool good;
  };
  const Case cases[] = {{"127.0.0.1:0", true},
                        {":0", true},
                        {"[::]:0", true},
                        {"localhost:0", true},
                        {"0.0.0.0:0", true},
                        {"", false},
                        {"9480", false},
                        {"127.0.0.1", false},
                        {"127.0.0.1:x", false},
                        {"1.2.3.4:99999", false},
                        {"::1:80", false},
                        {"192.0.2.1:0", false},
                        {"no.such.invalid:0", false}};
  for (const auto& c : cases) {
    boost::asio::io_context io;
    Server server(io, {}, echo, Log::off());
    const auto got = server.listen(c.address);
    EXPECT_EQ(got.has_value(), c.good) << c.address << ": " << (got ? "" : got.error().what);
    if (got) continue;
    EXPECT_TRUE(got.error().what.starts_with("listen: " + c.address + ": ")) << got.error().what;
  }
}

TEST(Listen, SeesALoopbackPeerOnASocketOfBothFamilies) {
  std::promise<Peer> seen;
  boost::asio::io_context io;
  Server server(
      io, {},
      [&](const Request& q, Reply reply) {
        seen.set_value(q.peer);
        reply(text(""));
      },
      Log::off());
  const auto port = server.listen(":0");
  ASSERT_TRUE(port);
  std::jthread loop([&] { io.run(); });
  RawClient client(*port);
  client.send(get("/"));
  const auto peer = seen.get_future().get();
  EXPECT_EQ(peer.address, "127.0.0.1");
  EXPECT_TRUE(peer.loopback);
  EXPECT_FALSE(peer.tls);
  EXPECT_EQ(peer.local_port, *port);
  EXPECT_EQ(client.read_response().status, 200);
  server.stop();
}

}  // namespace
}  // namespace ghm::http
