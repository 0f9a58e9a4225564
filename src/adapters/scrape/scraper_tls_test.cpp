#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <fstream>
#include <thread>

#include "adapters/scrape/certificates_for_test.h"
#include "adapters/scrape/http_client.h"
#include "adapters/scrape/scrapes_for_test.h"

namespace ghm::scrape::test {
namespace {

using telemetry::ScrapeAccess;

/// A CA, another that nobody trusts, a server for 127.0.0.1, one for another name, one that has expired, and a client.
struct Pki {
  TempFolder folder;
  Identity ca = make_identity(folder, "ca", nullptr, "");
  Identity other_ca = make_identity(folder, "other-ca", nullptr, "");
  Identity server = make_identity(folder, "server", &ca, "IP:127.0.0.1,DNS:gpu-host-1");
  Identity elsewhere = make_identity(folder, "elsewhere", &ca, "DNS:elsewhere");
  Identity expired = make_identity(folder, "expired", &ca, "IP:127.0.0.1", -1);
  Identity client = make_identity(folder, "client", &ca, "");
};

class ScraperTls : public testing::Test {
 protected:
  static void SetUpTestSuite() { pki = new Pki; }
  static void TearDownTestSuite() { delete std::exchange(pki, nullptr); }
  static ScrapeAccess https(const std::string& ca_file) {
    ScrapeAccess a;
    a.scheme = "https";
    a.ca_file = ca_file;
    return a;
  }
  static Pki* pki;
};
Pki* ScraperTls::pki = nullptr;

TEST_F(ScraperTls, ReadsAndKeepsTheConnection) {
  auto context = server_context(pki->server);
  std::string page(300'000, '\n');
  Rig rig({.interval = 300ms, .timeout = 300ms});
  Exporter exporter(rig.io, always(page_answer(page)), &context);
  rig.scraper.set_targets({rig.target(exporter.address(), https(pki->ca.cert_file))});
  ASSERT_TRUE(rig.wait_for(3));
  for (const auto& s : rig.seen) {
    EXPECT_EQ(s.error, "");
    EXPECT_EQ(s.page.size(), page.size());
  }
  EXPECT_EQ(exporter.connections(), 1);
}

TEST_F(ScraperTls, EachWrongIsOneSentence) {
  struct Case {
    const char* why;
    const Identity& server;
    const Identity* wants_client_of;
    ScrapeAccess access;
    std::string want;
  };
  const std::string place = "https://127.0.0.1:PORT/metrics: ";
  auto named = https(pki->ca.cert_file), careless = https(""), with_client = named, half = named, no_file = https(pki->folder / "none.pem"),
       no_pem = https(pki->server.key_file);
  named.server_name = "elsewhere";
  careless.insecure_skip_verify = true;
  with_client.cert_file = pki->client.cert_file;
  with_client.key_file = pki->client.key_file;
  half.cert_file = pki->client.cert_file;
  half.key_file = pki->server.key_file;
  const Case cases[] = {
      {"trusted", pki->server, nullptr, https(pki->ca.cert_file), ""},
      {"the system's CAs do not know it", pki->server, nullptr, https(""),
       place + "the server's certificate is not trusted \\(.*\\): set tls_config.ca_file to the CA that signed it"},
      {"another CA", pki->server, nullptr, https(pki->other_ca.cert_file),
       place + "the server's certificate is not trusted \\(.*\\): set tls_config.ca_file to the CA that signed it"},
      {"another name", pki->elsewhere, nullptr, https(pki->ca.cert_file),
       place + "the server's certificate is not for '127.0.0.1': set tls_config.server_name to the name that stands in it"},
      {"another name, and told so", pki->elsewhere, nullptr, named, ""},
      {"expired", pki->expired, nullptr, https(pki->ca.cert_file), place + "the server's certificate has expired: renew it"},
      {"nothing is checked", pki->expired, nullptr, careless, ""},
      {"a client certificate is missing", pki->server, &pki->ca, https(pki->ca.cert_file),
       place + "the server refused the client certificate or wants one \\(.*\\): set tls_config.cert_file and key_file to a pair that it "
               "accepts"},
      {"a client certificate is there", pki->server, &pki->ca, with_client, ""},
      {"a client certificate of the wrong CA", pki->server, &pki->other_ca, with_client,
       place + "the server refused the client certificate or wants one \\(.*\\): .*"},
      {"no CA file", pki->server, nullptr, no_file, place + "tls_config.ca_file .*none.pem: .*: expected PEM certificates"},
      {"a CA file without certificates", pki->server, nullptr, no_pem,
       place + "tls_config.ca_file .*server.key: .*: expected PEM certificates"},
      {"a key that is not the certificate's", pki->server, nullptr, half,
       place + "tls_config.key_file .*server.key: .*: expected the PEM private key of cert_file"},
  };
  Rig rig({.interval = 500ms * kSlowness, .timeout = 500ms * kSlowness});
  std::deque<asio::ssl::context> contexts;
  std::deque<Exporter> exporters;
  std::vector<telemetry::Target> targets;
  for (const auto& c : cases) {
    contexts.push_back(server_context(c.server, c.wants_client_of));
    exporters.emplace_back(rig.io, always(page_answer("x 1\n")), &contexts.back());
    targets.push_back(rig.target(exporters.back().address(), c.access));
  }
  rig.scraper.set_targets(targets);
  ASSERT_TRUE(rig.wait_for_all(targets, 1));
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const auto seen = rig.first_of(targets[i]);
    EXPECT_THAT(seen.error, testing::MatchesRegex(cases[i].want)) << cases[i].why;
    EXPECT_EQ(seen.page, cases[i].want.empty() ? "x 1\n" : "") << cases[i].why;
  }
}

TEST_F(ScraperTls, PlainAndTlsMixedUp) {
  auto context = server_context(pki->server);
  {
    Rig rig;
    Exporter plain(rig.io, [](Peer& p) -> awaitable<void> {
      std::array<char, 1> first{};
      co_await p.socket().async_receive(asio::buffer(first), use_awaitable);
      co_await p.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request");
    });
    EXPECT_EQ(rig.first(plain.address(), https(pki->ca.cert_file)).error,
              "https://127.0.0.1:PORT/metrics: the server does not speak TLS on this port: set scheme to http or mend the port");
  }
  {
    Rig rig;
    Exporter tls(rig.io, always(page_answer("x 1\n")), &context);
    EXPECT_THAT(rig.first(tls.address()).error,
                testing::MatchesRegex("http://127.0.0.1:PORT/metrics: .*(closed without an answer|not HTTP|broke after).*"));
  }
  {
    Rig rig;
    Exporter silent(rig.io, [](Peer& p) -> awaitable<void> { co_await p.pause(10s); });
    EXPECT_EQ(rig.first(silent.address(), https(pki->ca.cert_file)).error,
              "https://127.0.0.1:PORT/metrics: no TLS handshake within 100ms: check that this port speaks TLS");
  }
}

TEST_F(ScraperTls, APeerThatLeavesInTheMiddleIsCutOff) {
  auto context = server_context(pki->server);
  Rig rig({.interval = 300ms, .timeout = 300ms});
  Exporter exporter(rig.io, once("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nx 1\n"), &context);
  EXPECT_EQ(rig.first(exporter.address(), https(pki->ca.cert_file)).error,
            "https://127.0.0.1:PORT/metrics: the answer was cut off after 4 of 500 bytes: look at the exporter or the proxy in between");
}

TEST_F(ScraperTls, ANewCaFileCountsWithoutARestart) {
  auto context = server_context(pki->server);
  Rig rig({.interval = 150ms, .timeout = 150ms});
  Exporter exporter(rig.io, always(page_answer("x 1\n")), &context);
  const auto ca_file = pki->folder / "rotated.crt";
  std::filesystem::copy_file(pki->other_ca.cert_file, ca_file);
  EXPECT_NE(rig.first(exporter.address(), https(ca_file)).error, "");
  std::filesystem::remove(ca_file);
  std::filesystem::copy_file(pki->ca.cert_file, ca_file);
  ASSERT_TRUE(run_until(rig.io, [&] { return rig.seen.back().error.empty(); }));
}

std::string authorization_of(const std::string& head) {
  const auto at = head.find("Authorization: ");
  return at == head.npos ? "" : head.substr(at + 15, head.find('\r', at) - at - 15);
}

TEST(ScraperCredentials, AreSentFromFilesThatMayChange) {
  TempFolder folder;
  const auto secret = folder / "secret";
  const auto write = [&](const std::string& text) { std::ofstream(secret) << text; };
  ScrapeAccess basic, bearer;
  basic.username = "ghm";
  basic.password_file = bearer.credentials_file = secret;
  struct Case {
    const ScrapeAccess& access;
    std::string file, want;
  };
  const Case cases[] = {{basic, "pass:word\n", "Basic Z2htOnBhc3M6d29yZA=="}, {bearer, "t0ken\r\n", "Bearer t0ken"}};
  for (const auto& c : cases) {
    Rig rig;
    std::vector<std::string> asked;
    Exporter exporter(rig.io, [&](Peer& p) -> awaitable<void> {
      while (true) {
        asked.push_back(authorization_of(co_await p.request()));
        co_await p.send(page_answer("x 1\n"));
      }
    });
    write(c.file);
    rig.first(exporter.address(), c.access);
    EXPECT_EQ(asked.back(), c.want);
    write("rotated and longer");
    ASSERT_TRUE(rig.wait_for(2));
    EXPECT_NE(asked.back(), c.want);
    EXPECT_NE(asked.back(), "");
  }
}

TEST(ScraperCredentials, ABadFileIsNamedAndItsContentIsNot) {
  TempFolder folder;
  const auto secret = folder / "secret";
  ScrapeAccess bearer;
  bearer.credentials_file = secret;
  Rig rig;
  int connections = 0;
  Exporter exporter(rig.io, [&](Peer&) -> awaitable<void> {
    ++connections;
    co_return;
  });
  EXPECT_THAT(rig.first(exporter.address(), bearer).error, testing::HasSubstr("authorization.credentials_file: " + secret));
  std::ofstream(secret) << "hunter2\nX-Smuggled: 1";
  rig.seen.clear();
  ASSERT_TRUE(rig.wait_for(1));
  EXPECT_THAT(rig.seen.back().error, testing::HasSubstr(secret + ": expected one line with the secret"));
  EXPECT_THAT(rig.seen.back().error, testing::Not(testing::HasSubstr("hunter2")));
  EXPECT_EQ(connections, 0);
}

// The blocking client of the command line goes the same way.
TEST_F(ScraperTls, TheCommandLinesClientSpeaksItToo) {
  auto context = server_context(pki->server);
  asio::io_context io(1);
  std::string asked;
  Exporter exporter(
      io,
      [&](Peer& p) -> awaitable<void> {
        asked = co_await p.request();
        co_await p.send("HTTP/1.1 404 Not Found\r\nX-Word: yes\r\nContent-Length: 2\r\n\r\nno");
      },
      &context);
  std::jthread server([&] { io.run_for(5s); });
  const auto answer =
      http_request("POST", "https://" + exporter.address() + "/x?y=z", https(pki->ca.cert_file), {{"X-Key", "k"}}, "{}", 4s);
  const auto smuggled = http_request("GET", "https://" + exporter.address() + "/", {}, {{"X", "a\r\nY: b"}}, "", 4s);
  io.stop();
  server.join();
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->headers.at("x-word"), "yes");
  EXPECT_EQ(answer->body, "no");
  EXPECT_THAT(asked, testing::StartsWith("POST /x?y=z HTTP/1.1\r\nHost: " + exporter.address() + "\r\n"));
  EXPECT_THAT(asked, testing::HasSubstr("X-Key: k\r\nContent-Length: 2\r\n"));
  EXPECT_FALSE(smuggled);
}

}  // namespace
}  // namespace ghm::scrape::test
