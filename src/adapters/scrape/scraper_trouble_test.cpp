// Everything that a target can do wrong: one sentence that says where, what and what to do; then it behaves, and is read again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

#include "adapters/scrape/http_client.h"
#include "adapters/scrape/scrapes_for_test.h"

namespace ghm::scrape::test {
namespace {

constexpr std::size_t kLimit = 1u << 20;

/// The first connection gets `bad`, all later ones a page.
Exporter::Script first_time(Exporter::Script bad) {
  auto times = std::make_shared<int>(0);
  return [bad, good = always(page_answer("x 1\n")), times](Peer& p) { return ++*times == 1 ? bad(p) : good(p); };
}

Exporter::Script drip(std::string bytes, std::chrono::milliseconds every) {
  return [bytes, every](Peer& p) -> awaitable<void> {
    co_await p.request();
    for (std::size_t i = 0;; i = (i + 1) % bytes.size()) {
      co_await p.send(bytes.substr(i, 1));
      co_await p.pause(every);
    }
  };
}

Exporter::Script endless(std::string head, std::string piece) {
  return [head, piece](Peer& p) -> awaitable<void> {
    co_await p.request();
    co_await p.send(head);
    while (true) co_await p.send(piece);
  };
}

Exporter::Script hang() {
  return [](Peer& p) -> awaitable<void> {
    co_await p.request();
    co_await p.request();
  };
}

Exporter::Script broken_off(std::string bytes) {
  return [bytes](Peer& p) -> awaitable<void> {
    co_await p.request();
    co_await p.send(bytes);
    co_await p.pause(10ms);
    p.reset();
  };
}

struct Bad {
  const char* why;
  Exporter::Script script;
  std::string want;  // after the place; a regular expression
};

std::vector<Bad> bad_targets() {
  const std::string ok = "HTTP/1.1 200 OK\r\n", chunked = ok + "Transfer-Encoding: chunked\r\n\r\n", kilobyte(1024, 'x'),
                    large(64u << 10, 'x');
  return {
      {"closes without a word", once(""), "the connection was closed without an answer: look into the log of the program there"},
      {"hangs", hang(), "connected, but no answer within 700ms: the program there hangs, restart it"},
      {"drips", drip(page_answer(kilobyte), 5ms),
       "the answer was not complete within 700ms \\([0-9]+ bytes came\\): look for a slow exporter or network, or raise the time-out"},
      {"drips a chunked page", drip(chunked + "1\r\nx\r\n", 1ms),
       "the answer was not complete within 700ms \\([0-9]+ bytes came\\): .*|the answer's chunks are broken: .*"},
      {"a page without end", endless(ok + "\r\n", large), "the answer is over 1 MiB: check that address and path name an exporter"},
      {"chunks without end", endless(chunked, "10000\r\n" + large + "\r\n"),
       "the answer is over 1 MiB: check that address and path name an exporter"},
      {"a head without end", endless(ok, "X-Y: " + kilobyte + "\r\n"),
       "the answer's head is over 16384 bytes: check that this is an exporter"},
      {"a length beyond the limit", once(ok + "Content-Length: 1048577\r\n\r\n"),
       "the answer is over 1 MiB: check that address and path name an exporter"},
      {"cut off", once(ok + "Content-Length: 500\r\n\r\nx 1\n"),
       "the answer was cut off after 4 of 500 bytes: look at the exporter or the proxy in between"},
      {"cut off between chunks", once(chunked + "4\r\nx 1\n\r\n"),
       "the answer was cut off after 4 bytes: look at the exporter or the proxy in between"},
      {"broken off", broken_off(ok + "Content-Length: 500\r\n\r\nx 1\n"),
       "the connection broke after 44 bytes of the answer \\(Connection reset by peer\\): look into the log of the program there"},
      {"broken chunks", once(chunked + "hello\r\nx 1\n\r\n"),
       "the answer's chunks are broken: look at the exporter or the proxy in between"},
      {"broken gzip", once(page_answer("no gzip at all", "Content-Encoding: gzip\r\n")),
       "the answer is broken gzip: look at the exporter or the proxy in between"},
      {"another protocol", once("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
       "the answer is not HTTP: mend the port, or set scheme to https if it speaks TLS"},
      {"a TLS alert", once(std::string("\x15\x03\x01\x00\x02\x02\x46", 7)),
       "the answer is not HTTP: mend the port, or set scheme to https if it speaks TLS"},
      {"binary", once(page_answer(std::string("\x89PNG\r\n\x1a\n\0\0\0", 11))),
       "the answer is binary, not an exporter's page: check the port and metrics_path"},
      {"HTML", once(page_answer("\n<html><body>welcome")), "the answer is HTML, not an exporter's page: check the port and metrics_path"},
      {"500", once("HTTP/1.1 500 Oh\r\nContent-Length: 22\r\n\r\n\nGPU 3 is lost\nmore text"),
       "answered 500 Internal Server Error \\('GPU 3 is lost'\\): look into the exporter's log; a dead GPU can do this to dcgm-exporter"},
      {"500 with a huge body", once("HTTP/1.1 500 Oh\r\nContent-Length: 99999999\r\n\r\n"),
       "answered 500 Internal Server Error: look into the exporter's log; .*"},
      {"503", once("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), "answered 503 Service Unavailable: look into the exporter's log; .*"},
      {"404", once("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), "answered 404 Not Found: check metrics_path"},
      {"401", once("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
       "answered 401 Unauthorized: check basic_auth or authorization of this target group"},
      {"http on an https port of Go", once("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"),
       "answered 400 Bad Request \\('Client sent an HTTP request to an HTTPS server.'\\): check scheme and metrics_path"},
      {"a redirect", once("HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n"),
       "answered 302 Found to http://evil/: redirects are not followed, so name the final address in the target"},
  };
}

// All at once in one loop: none disturbs another.
TEST(ScraperTrouble, EachIsOneSentenceAndTheTargetIsReadAgainAfterwards) {
  Rig rig({.interval = 800ms, .timeout = 700ms, .max_page = kLimit});
  const auto all = bad_targets();
  std::vector<std::unique_ptr<Exporter>> exporters;
  std::vector<telemetry::Target> targets;
  for (const auto& bad : all) {
    exporters.push_back(std::make_unique<Exporter>(rig.io, first_time(bad.script)));
    targets.push_back(rig.target(exporters.back()->address()));
  }
  rig.scraper.set_targets(targets);
  ASSERT_TRUE(rig.wait_for_all(targets, 2));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& address = targets[i].address;
    const auto first = std::ranges::find(rig.seen, address, &Seen::target);
    EXPECT_THAT(first->error, testing::MatchesRegex("http://" + address + "/metrics: (" + all[i].want + ")")) << all[i].why;
    EXPECT_EQ(first->page, "") << all[i].why;
    EXPECT_EQ(first->error.find('\n'), std::string::npos) << all[i].why;
    const auto second = std::find_if(first + 1, rig.seen.end(), [&](const Seen& s) { return s.target == address; });
    EXPECT_EQ(second->error, "") << all[i].why;
    EXPECT_EQ(second->page, "x 1\n") << all[i].why;
    const auto lines = std::ranges::count_if(rig.log_lines, [&](const std::string& l) { return l.find("target=" + address) != l.npos; });
    EXPECT_EQ(lines, 2) << all[i].why << ": told once that it fails, once that it recovered";
  }
}

TEST(ScraperTrouble, NobodyIsThere) {
  Rig rig;
  EXPECT_EQ(rig.first("127.0.0.1:1").error.substr(0, 64), "http://127.0.0.1:PORT/metrics: connection refused: start the exp");
  const auto seen = rig.first("no-such-host.invalid:9400");
  EXPECT_THAT(
      seen.error,
      testing::MatchesRegex(
          "http://no-such-host.invalid:PORT/metrics: the name 'no-such-host.invalid' has no address \\(.*\\): mend the name or the DNS"));
}

// The host drops what is sent to it: a listener whose queue is full does the same.
TEST(ScraperTrouble, NobodyAnswersTheCall) {
  Rig rig;
  tcp::acceptor full(rig.io);
  full.open(tcp::v4());
  full.bind({asio::ip::address_v4::loopback(), 0});
  full.listen(0);
  std::vector<tcp::socket> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(rig.io);
    waiting.back().async_connect(full.local_endpoint(), [](const auto&) {});
  }
  run_for(rig.io, 20ms);
  const auto seen = rig.first("127.0.0.1:" + std::to_string(full.local_endpoint().port()));
  EXPECT_EQ(seen.error, "http://127.0.0.1:PORT/metrics: no connection within 100ms: check the host's power and the firewall");
}

TEST(ScraperTrouble, APageIsAtMost64MiBUnlessToldOtherwise) {
  Rig rig({.interval = 300ms, .timeout = 300ms});
  Exporter exporter(rig.io, once("HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n"));
  EXPECT_EQ(rig.first(exporter.address()).error,
            "http://127.0.0.1:PORT/metrics: the answer is over 64 MiB: check that address and path name an exporter");
}

// The same connection without rounds: the time it takes on a busy machine does not matter.
TEST(ScraperTrouble, TheLimitIsKeptToTheByte) {
  constexpr std::size_t kMiB64 = 64u << 20;
  asio::io_context io(1);
  const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  Exporter whole(io, once(head + std::string(kMiB64, '\n'))), beyond(io, once(head + std::string(kMiB64 + 1, '\n')));
  std::thread server([&] { io.run_for(40s); });
  const auto page = http_request("GET", "http://" + whole.address() + "/", {}, {}, "", 20s);
  const auto refused = http_request("GET", "http://" + beyond.address() + "/", {}, {}, "", 20s);
  io.stop();
  server.join();
  ASSERT_TRUE(page) << page.error().what;
  EXPECT_EQ(page->body.size(), kMiB64);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, testing::HasSubstr("the answer is over 64 MiB"));
}

TEST(ScraperTrouble, GzipThatInflatesBeyondTheLimitIsRefused) {
  Rig rig({.interval = 300ms, .timeout = 300ms, .max_page = kLimit});
  Exporter exporter(rig.io, once(page_answer(gzip(std::string(kLimit + 1, '\n')), "Content-Encoding: gzip\r\n")));
  EXPECT_EQ(rig.first(exporter.address()).error,
            "http://127.0.0.1:PORT/metrics: the answer is over 1 MiB when inflated: check that address and path name an exporter");
}

TEST(ScraperTrouble, ASlowTargetDelaysNoOther) {
  Rig rig({.interval = 300ms, .timeout = 300ms});
  Exporter quick(rig.io, always(page_answer("x 1\n"))), hanging(rig.io, hang()), dripping(rig.io, drip("HTTP/1.1 200 OK\r\n", 1ms)),
      endless_one(rig.io, endless("HTTP/1.1 200 OK\r\n\r\n", std::string(64u << 10, '\n')));
  std::vector<telemetry::Target> targets{rig.target(quick.address()), rig.target("no-such-host.invalid:1")};
  for (auto* slow : {&hanging, &dripping, &endless_one}) targets.push_back(rig.target(slow->address()));
  rig.scraper.set_targets(targets);
  const auto quick_ones = [&] { return std::ranges::count(rig.seen, quick.address(), &Seen::target); };
  ASSERT_TRUE(run_until(rig.io, [&] { return quick_ones() >= 4; }));
  std::vector<Seen> of_quick;
  std::ranges::copy_if(rig.seen, std::back_inserter(of_quick), [&](const Seen& s) { return s.target == quick.address(); });
  for (const auto& s : of_quick) {
    EXPECT_EQ(s.error, "");
    EXPECT_LT(s.took, 250ms);
  }
  EXPECT_LT(of_quick[3].when - of_quick[0].when, 2s) << "three rounds of 300 ms; one after the other, the slow ones take 900 ms of each";
}

/// No file can be opened while it lives.
class NoFilesLeft {
 public:
  NoFilesLeft() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);
    ::close(next);
    const rlimit full{static_cast<rlim_t>(next), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &full);
  }
  ~NoFilesLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(ScraperTrouble, AFullTableOfOpenFilesIsNamedAndOutlived) {
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    Rig rig;
    Exporter exporter(rig.io, always(page_answer("x 1\n")));
    run_for(rig.io, 5ms);  // the exporter listens
    Seen seen;
    {
      NoFilesLeft none;
      seen = rig.first(host + ":" + std::to_string(exporter.port()));
    }
    EXPECT_THAT(seen.error, testing::MatchesRegex("http://" + host +
                                                  ":PORT/metrics: too many open files \\(limit [0-9]+\\): raise it with "
                                                  "LimitNOFILE= in the service file or `ulimit -n`"));
    ASSERT_TRUE(rig.wait_for(2));
    EXPECT_EQ(rig.seen.back().error, "");
  }
}

TEST(ScraperTrouble, AKeptConnectionNeedsNoNewFile) {
  Rig rig;
  Exporter exporter(rig.io, always(page_answer("x 1\n")));
  rig.first(exporter.address());
  NoFilesLeft none;
  ASSERT_TRUE(rig.wait_for(3));
  EXPECT_EQ(rig.scraper.stats().failed, 0u);
}

}  // namespace
}  // namespace ghm::scrape::test
