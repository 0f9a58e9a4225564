#include "pipeline/remote_gate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ghm::pipeline {
namespace {

TEST(RemoteGate, EachHearsOnce) {
  RemoteGate gate;
  std::vector<std::string> heard;
  const auto answer = [&](const char* who) {
    return [&heard, who](const Result<void>& r) { heard.push_back(who + std::string(r ? " kept" : " " + r.error().what)); };
  };
  const auto a = gate.enter(answer("a")), b = gate.enter(answer("b"));
  ASSERT_TRUE(a && b);
  (*a)({});
  gate.fail_all({Errc::unavailable, "disk full"});
  (*a)({});
  (*b)({});
  EXPECT_EQ(heard, (std::vector<std::string>{"a kept", "b disk full"}));
}

TEST(RemoteGate, TooManyAreTurnedAwayAndSoAreThoseAfterTheEnd) {
  RemoteGate gate;
  std::size_t failed = 0;
  const auto answer = [&](const Result<void>& r) { failed += !r; };
  for (std::size_t i = 0; i < RemoteGate::kMostWaiting; ++i) EXPECT_TRUE(gate.enter(answer));
  EXPECT_FALSE(gate.enter(answer));
  EXPECT_EQ(failed, 1u);
  gate.close();
  EXPECT_EQ(failed, 1 + RemoteGate::kMostWaiting);
  EXPECT_FALSE(gate.enter(answer));
  EXPECT_EQ(failed, 2 + RemoteGate::kMostWaiting);
}

}  // namespace
}  // namespace ghm::pipeline
