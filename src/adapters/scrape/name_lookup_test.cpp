#include "adapters/scrape/name_lookup.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "adapters/scrape/exporter_for_test.h"

namespace ghm::scrape::test {
namespace {

using namespace std::chrono_literals;

// A resolver that answers "quick…" at once and lets all other names wait until it is let go.
struct Resolver {
  std::atomic<bool> let_go = false;
  std::atomic<int> dead_asked = 0;
  NameLookup::Resolve function() {
    return [this](const std::string& host, unsigned short port) -> Result<NameLookup::Endpoints> {
      if (host.starts_with("quick")) return NameLookup::Endpoints{{asio::ip::address_v4::loopback(), port}};
      ++dead_asked;
      while (!let_go) std::this_thread::sleep_for(1ms);
      return Error{Errc::unavailable, "Name or service not known"};
    };
  }
};

TEST(NameLookup, NumericAddressesNeedNoResolver) {
  asio::io_context io(1);
  NameLookup names(io, [](const std::string& host, unsigned short) -> Result<NameLookup::Endpoints> {
    ADD_FAILURE() << host;
    return Error{Errc::unavailable, host};
  });
  for (const char* host : {"127.0.0.1", "::1"}) {
    std::vector<tcp::endpoint> got;
    names.find(host, 9400, [&](Result<NameLookup::Endpoints> e) { got = *e; });
    EXPECT_TRUE(got.empty()) << "never within find()";
    ASSERT_TRUE(run_until(io, [&] { return !got.empty(); }));
    EXPECT_EQ(got[0].address().to_string(), host);
    EXPECT_EQ(got[0].port(), 9400);
  }
}

TEST(NameLookup, AsksTheSystem) {
  asio::io_context io(1);
  NameLookup names(io);
  std::optional<Result<NameLookup::Endpoints>> local, none;
  names.find("localhost", 1, [&](Result<NameLookup::Endpoints> e) { local = std::move(e); });
  names.find("no-such-host.invalid", 1, [&](Result<NameLookup::Endpoints> e) { none = std::move(e); });
  ASSERT_TRUE(run_until(io, [&] { return local && none; }));
  ASSERT_TRUE(*local);
  EXPECT_TRUE(local->value().front().address().is_loopback());
  ASSERT_FALSE(*none);
  EXPECT_NE(none->error().what, "");
}

TEST(NameLookup, TheLoopGoesOnWhileANameHangs) {
  asio::io_context io(1);
  Resolver resolver;
  NameLookup names(io, resolver.function());
  bool dead = false, quick = false;
  names.find("dead", 1, [&](Result<NameLookup::Endpoints>) { dead = true; });
  names.find("quick", 1, [&](Result<NameLookup::Endpoints>) { quick = true; });
  ASSERT_TRUE(run_until(io, [&] { return quick; }));
  EXPECT_FALSE(dead);
  resolver.let_go = true;
  ASSERT_TRUE(run_until(io, [&] { return dead; }));
}

TEST(NameLookup, NamesThatWereDeadBeforeDoNotDelayLiveOnes) {
  asio::io_context io(1);
  Resolver resolver;
  NameLookup names(io, resolver.function());
  const auto ask_all = [&](int& answered) {
    for (int i = 0; i < 100; ++i) names.find("dead" + std::to_string(i), 1, [&](Result<NameLookup::Endpoints>) { ++answered; });
  };
  resolver.let_go = true;
  int first = 0, second = 0;
  ask_all(first);
  ASSERT_TRUE(run_until(io, [&] { return first == 100; }));
  resolver.let_go = false;
  resolver.dead_asked = 0;
  ask_all(second);
  ASSERT_TRUE(run_until(io, [&] { return resolver.dead_asked == NameLookup::kMostThreads / 2; }));
  for (int i = 0; i < 20; ++i) {
    bool quick = false;
    names.find("quick", 1, [&](Result<NameLookup::Endpoints>) { quick = true; });
    ASSERT_TRUE(run_until(io, [&] { return quick; })) << i;
  }
  EXPECT_EQ(resolver.dead_asked, NameLookup::kMostThreads / 2);
  resolver.let_go = true;
  EXPECT_TRUE(run_until(io, [&] { return second == 100; })) << second;
}

TEST(NameLookup, WhatNobodyWaitsForLeavesTheQueue) {
  asio::io_context io(1);
  Resolver resolver;
  NameLookup names(io, resolver.function());
  int answered = 0;
  std::vector<NameLookup::Ticket> tickets;
  for (int i = 0; i < 100; ++i) tickets.push_back(names.find("dead", 1, [&](Result<NameLookup::Endpoints>) { ++answered; }));
  ASSERT_TRUE(run_until(io, [&] { return resolver.dead_asked == NameLookup::kMostThreads; }));
  for (const auto ticket : tickets) names.cancel(ticket);
  resolver.let_go = true;
  ASSERT_TRUE(run_until(io, [&] { return answered == NameLookup::kMostThreads; }));
  run_for(io, 20ms);
  EXPECT_EQ(answered, NameLookup::kMostThreads);
  EXPECT_EQ(resolver.dead_asked, NameLookup::kMostThreads);
}

TEST(NameLookup, TheEndDoesNotWaitForADeadName) {
  auto resolver = std::make_shared<Resolver>();
  const auto began = std::chrono::steady_clock::now();
  {
    asio::io_context io(1);
    NameLookup names(
        io, [resolver, function = resolver->function()](const std::string& host, unsigned short port) { return function(host, port); });
    names.find("dead", 1, [](Result<NameLookup::Endpoints>) { ADD_FAILURE(); });
    ASSERT_TRUE(run_until(io, [&] { return resolver->dead_asked == 1; }));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
  resolver->let_go = true;
}

}  // namespace
}  // namespace ghm::scrape::test
