#include "adapters/scrape/scraper.h"

#include <sys/resource.h>

#include <set>

#include "adapters/scrape/scrapes_for_test.h"

namespace ghm::scrape::test {
namespace {

std::string large_page() {
  std::string page;
  for (int i = 0; page.size() < 235'000; ++i) page += "DCGM_FI_DEV_GPU_TEMP{gpu=\"" + std::to_string(i) + "\"} 41\n";
  return page;
}

std::string chunked(const std::string& page, std::size_t size) {
  std::string out = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < page.size(); at += size) {
    const auto piece = page.substr(at, size);
    char head[20];
    std::snprintf(head, sizeof head, "%zx\r\n", piece.size());
    out += head + piece + "\r\n";
  }
  return out + "0\r\n\r\n";
}

TEST(Scraper, ReadsPagesHoweverTheyAreFramed) {
  const std::string page = large_page();
  struct Case {
    const char* why;
    std::string answer, page;
  };
  const Case cases[] = {
      {"a length", page_answer(page), page},
      {"one chunk", chunked(page, page.size()), page},
      {"chunks of 4 kB", chunked(page, 4096), page},
      {"chunks of 7 bytes", chunked(page, 7), page},
      {"until the connection ends", "HTTP/1.0 200 OK\r\n\r\n" + page, page},
      {"gzip that was not asked for", page_answer(gzip(page), "Content-Encoding: gzip\r\n"), page},
      {"chunked gzip",
       [&] {
         auto c = chunked(gzip(page), 1000);
         return c.insert(17, "Content-Encoding: gzip\r\n");
       }(),
       page},
      {"an empty page", page_answer(""), ""},
  };
  for (const auto& c : cases) {
    Rig rig({.interval = 400ms, .timeout = 400ms});
    Exporter exporter(rig.io, once(c.answer));
    const auto seen = rig.first(exporter.address());
    EXPECT_EQ(seen.error, "") << c.why;
    EXPECT_TRUE(seen.page == c.page) << c.why << ": " << seen.page.size() << " bytes of " << c.page.size();
    EXPECT_EQ(rig.scraper.stats().ok, 1u) << c.why;
  }
}

TEST(Scraper, AsksAsPrometheusDoes) {
  Rig rig;
  std::string asked;
  Exporter exporter(rig.io, [&](Peer& p) -> awaitable<void> {
    asked = co_await p.request();
    co_await p.send(page_answer("x 1\n"));
  });
  telemetry::ScrapeAccess access;
  access.metrics_path = "/federate?match[]=x";
  access.accept_gzip = true;
  rig.first(exporter.address(), access);
  EXPECT_EQ(asked, "GET /federate?match[]=x HTTP/1.1\r\nHost: " + exporter.address() +
                       "\r\nUser-Agent: ghm/" GHM_VERSION
                       "\r\nAccept-Encoding: gzip\r\nAccept: text/plain;version=0.0.4;q=0.9,*/*;q=0.1\r\n"
                       "X-Prometheus-Scrape-Timeout-Seconds: 0.1\r\n\r\n");
}

TEST(Scraper, KeepsOneConnectionAndHandsOnWhoIsSimulated) {
  Rig rig;
  Exporter exporter(rig.io, always(page_answer("x 1\n", "Ghm-Simulated: wearout/7\r\n")));
  const auto before = SystemClock().now();
  rig.scraper.set_targets({rig.target(exporter.address())});
  ASSERT_TRUE(rig.wait_for(4));
  EXPECT_EQ(exporter.connections(), 1);
  for (const auto& s : rig.seen) {
    EXPECT_EQ(s.page, "x 1\n");
    EXPECT_EQ(s.simulated, "wearout/7");
    EXPECT_GE(s.at, before);
    EXPECT_LT(s.took, 100ms);
  }
  EXPECT_EQ(rig.scraper.stats().failed, 0u);
  EXPECT_TRUE(rig.log_lines.empty());
}

TEST(Scraper, AConnectionThatWasClosedWhileIdleIsReplacedSilently) {
  for (const bool reset : {false, true}) {
    Rig rig;
    Exporter exporter(rig.io, [reset](Peer& p) -> awaitable<void> {
      co_await p.request();
      co_await p.send(page_answer("x 1\n"));
      co_await p.pause(20ms);
      if (reset) p.reset();
    });
    rig.scraper.set_targets({rig.target(exporter.address())});
    ASSERT_TRUE(rig.wait_for(3));
    EXPECT_EQ(rig.scraper.stats().ok, 3u) << rig.seen.back().error;
    EXPECT_EQ(rig.scraper.stats().failed, 0u);
    EXPECT_EQ(exporter.connections(), 3);
  }
}

TEST(Scraper, ItIsReplacedOnlyOnce) {
  Rig rig;
  int requests = 0;
  Exporter exporter(rig.io, [&](Peer& p) -> awaitable<void> {
    co_await p.request();
    if (++requests == 1) co_await p.send(page_answer("x 1\n"));
    if (requests == 1) co_await p.request();
  });
  rig.scraper.set_targets({rig.target(exporter.address())});
  ASSERT_TRUE(rig.wait_for(2));
  EXPECT_EQ(rig.seen[1].error, "http://" + exporter.address() +
                                   "/metrics: the connection was closed without an answer: look into the log of the program there");
  EXPECT_EQ(exporter.connections(), 2);
}

TEST(Scraper, ATargetKeepsItsOwnPhaseInEveryRoundAndAfterARestart) {
  std::vector<std::chrono::milliseconds> phases;
  for (int run = 0; run < 2; ++run) {
    Rig rig({.interval = 200ms, .timeout = 200ms, .max_page = 1000});
    rig.scraper.set_targets({rig.target("127.0.0.1:1")});  // refused at once
    ASSERT_TRUE(rig.wait_for(3));
    for (const auto& s : rig.seen) phases.push_back(s.at.time_since_epoch() % 200ms);
  }
  for (const auto& phase : phases) {
    const auto apart = std::chrono::abs(phase - phases[0]);
    EXPECT_LT(std::min(apart, 200ms - apart), 40ms) << phase.count() << " after " << phases[0].count();
  }
}

TEST(Scraper, TargetsAreSpreadOverTheInterval) {
  Rig rig({.interval = 400ms, .timeout = 400ms, .max_page = 1000});
  std::vector<telemetry::Target> targets;
  for (int i = 1; i <= 80; ++i) targets.push_back(rig.target("127.0.0.1:" + std::to_string(i)));
  const auto start = std::chrono::steady_clock::now();
  rig.scraper.set_targets(targets);
  ASSERT_TRUE(rig.wait_for(80));
  std::array<int, 4> quarters{};
  for (std::size_t i = 0; i < 80; ++i)
    ++quarters[static_cast<std::size_t>(std::clamp<std::int64_t>((rig.seen[i].when - start) / 100ms, 0, 3))];
  for (const int n : quarters) EXPECT_GE(n, 8) << quarters[0] << " " << quarters[1] << " " << quarters[2] << " " << quarters[3];
}

// Every address of 127/8 is this machine: one listener plays a whole fleet.
TEST(Scraper, AThousandTargetsAreReadFromOneLoop) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  const rlimit raised{files.rlim_max, files.rlim_max};
  if (files.rlim_max < 2500 || ::setrlimit(RLIMIT_NOFILE, &raised) != 0) GTEST_SKIP() << "2,500 open files are not allowed here";
  constexpr std::size_t kHosts = 1000;
  Rig rig({.interval = 1s * kSlowness, .timeout = 1s * kSlowness});
  Exporter fleet(rig.io, always(page_answer("x 1\n")), nullptr, asio::ip::address_v4::any());
  std::vector<telemetry::Target> targets;
  for (std::size_t i = 0; i < kHosts; ++i)
    targets.push_back(
        rig.target("127.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + ":" + std::to_string(fleet.port())));
  rig.scraper.set_targets(targets);
  ASSERT_TRUE(rig.wait_for(kHosts + kHosts / 2));
  EXPECT_EQ(rig.scraper.stats().failed, 0u);
  EXPECT_EQ(fleet.connections(), kHosts) << "each keeps its one connection";
  std::set<std::string> read;
  for (const auto& s : rig.seen) read.insert(s.target);
  EXPECT_EQ(read.size(), kHosts);
  rig.scraper.stop();
  ::setrlimit(RLIMIT_NOFILE, &files);
}

TEST(Scraper, TheSetOfTargetsChangesWhileItRuns) {
  Rig rig;
  Exporter a(rig.io, always(page_answer("a 1\n"))), b(rig.io, always(page_answer("b 1\n")));
  rig.scraper.set_targets({rig.target(a.address())});
  ASSERT_TRUE(rig.wait_for(2));
  rig.scraper.set_targets({rig.target(a.address()), rig.target(b.address()), rig.target(b.address())});
  EXPECT_EQ(rig.scraper.targets(), 2u);
  ASSERT_TRUE(run_until(rig.io, [&] { return rig.seen.back().page == "b 1\n"; }));
  EXPECT_EQ(a.connections(), 1) << "a known target goes on undisturbed";
  rig.scraper.set_targets({rig.target(b.address())});
  rig.seen.clear();
  ASSERT_TRUE(rig.wait_for(3));
  for (const auto& s : rig.seen) EXPECT_EQ(s.page, "b 1\n");
  EXPECT_EQ(rig.scraper.targets(), 1u);
}

TEST(Scraper, NothingComesAfterStop) {
  Rig rig;
  Exporter fast(rig.io, always(page_answer("x 1\n")));
  Exporter hanging(rig.io, [](Peer& p) -> awaitable<void> {
    co_await p.request();
    co_await p.pause(60ms);
    co_await p.send(page_answer("late 1\n"));
  });
  rig.scraper.set_targets({rig.target(fast.address()), rig.target(hanging.address()), rig.target("no-such-host.invalid:1")});
  ASSERT_TRUE(run_until(rig.io, [&] { return hanging.connections() > 0; }));
  rig.scraper.stop();
  const auto before = rig.seen.size();
  run_for(rig.io, 250ms);
  EXPECT_EQ(rig.seen.size(), before);
  EXPECT_EQ(rig.scraper.targets(), 0u);
}

TEST(Scraper, TheSinkMayStopOrChangeTheScraper) {
  asio::io_context io(1);
  Exporter exporter(io, always(page_answer("x 1\n")));
  std::unique_ptr<Scraper> scraper;
  int scrapes = 0;
  scraper = std::make_unique<Scraper>(
      io, ScraperSettings{50ms, 50ms},
      [&](const Scrape& s) {
        const std::string page(s.page);
        if (++scrapes == 1) scraper->set_targets({{exporter.address(), {{"rack", "R2"}}, s.target.access}});
        if (scrapes == 2) scraper->stop();
        EXPECT_EQ(page, s.page);
      },
      Log::off());
  scraper->set_targets({{exporter.address(), {}, std::make_shared<telemetry::ScrapeAccess>()}});
  EXPECT_TRUE(run_until(io, [&] { return scrapes == 2; }));
  run_for(io, 150ms);
  EXPECT_EQ(scrapes, 2);
}

TEST(Scraper, RoundsThatPassedWhileTheLoopWasBusyAreCountedAsMissed) {
  asio::io_context io(1);
  Exporter exporter(io, always(page_answer("x 1\n")));
  int scrapes = 0;
  Scraper scraper(
      io, {50ms, 50ms},
      [&](const Scrape&) {
        if (++scrapes == 1) std::this_thread::sleep_for(170ms);  // three rounds and a bit
      },
      Log::off());
  scraper.set_targets({{exporter.address(), {}, std::make_shared<telemetry::ScrapeAccess>()}});
  ASSERT_TRUE(run_until(io, [&] { return scrapes == 2; }));
  EXPECT_GE(scraper.stats().missed, 2u);
  EXPECT_LE(scraper.stats().missed, 4u);
  scraper.stop();
}

TEST(Scraper, AHangingTargetCostsNoRound) {
  Rig rig({.interval = 100ms, .timeout = 100ms, .max_page = 1000});
  Exporter exporter(rig.io, [](Peer& p) -> awaitable<void> {
    co_await p.request();
    co_await p.request();
  });
  rig.scraper.set_targets({rig.target(exporter.address())});
  ASSERT_TRUE(rig.wait_for(3));
  EXPECT_LT(rig.seen[2].when - rig.seen[0].when, 290ms);
  EXPECT_EQ(rig.scraper.stats().missed, 0u);
}

}  // namespace
}  // namespace ghm::scrape::test
