#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "adapters/remote_write/encoder_for_test.h"
#include "api/world_for_test.h"

namespace ghm::api {
namespace {

using test::Site;
using ::testing::HasSubstr;

std::string one_sample() {
  return remote_write::test::body_of({{{{{"__name__", "DCGM_FI_DEV_GPU_TEMP"}}, {{61, test::kNow}}}}, {}});
}

http::Request write(std::string body, std::map<std::string, std::string> more = {}) {
  more.emplace("content-type", "application/x-protobuf");
  more.emplace("content-encoding", "snappy");
  more.emplace("x-prometheus-remote-write-version", "0.1.0");
  auto q = test::request("/api/v1/ingest/prometheus", std::move(more), "POST");
  q.body = std::move(body);
  return q;
}

/// A site that answers each write with `outcome`, from another thread.
struct IngestRoute : ::testing::Test {
  IngestRoute() {
    site.remote_write = [this](remote_write::WriteRequest r, bool old, std::function<void(const Result<void>&)> told) {
      got.push_back(std::move(r));
      backfill = old;
      std::jthread([told = std::move(told), this] { told(outcome); });
    };
  }
  Result<void> outcome;
  std::vector<remote_write::WriteRequest> got;
  bool backfill = false;
  Site site;
};

TEST_F(IngestRoute, IsAnsweredWhenItIsKept) {
  const auto r = site.ask(write(one_sample()));
  EXPECT_EQ(r.status, 204);
  EXPECT_EQ(r.bytes(), "");
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].series[0].samples[0].value, 61);
  EXPECT_FALSE(backfill);
  site.ask(write(one_sample(), {{"x-ghm-backfill", "1"}}));
  EXPECT_TRUE(backfill);
  EXPECT_EQ(site.counted.at(0), (std::pair<int, std::string>{204, "/api/v1/ingest/prometheus"}));
}

TEST_F(IngestRoute, WhatCannotBeKeptNowComesAgain) {
  outcome = Error{Errc::unavailable, "readings cannot be kept: disk full"};
  const auto r = site.ask(write(one_sample()));
  EXPECT_EQ(r.status, 503);
  EXPECT_EQ(test::header_of(r, "Retry-After"), "5");
  EXPECT_THAT(r.bytes(), HasSubstr("disk full"));
  outcome = Error{Errc::invalid_input, "too many different times"};
  EXPECT_EQ(site.ask(write(one_sample())).status, 400);
}

TEST_F(IngestRoute, WhatIsNoWriteRequestIsOneSentence) {
  EXPECT_EQ(site.ask(write("garbage")).status, 400);
  EXPECT_EQ(site.ask(write(one_sample(), {{"content-encoding", "gzip"}})).status, 415);
  const auto v2 = site.ask(write(one_sample(), {{"content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"}}));
  EXPECT_EQ(v2.status, 415) << "so that Prometheus falls back to version 1";
  EXPECT_EQ(site.ask(write(one_sample(), {{"x-ghm-backfill", "yes"}})).status, 400);
  EXPECT_EQ(site.ask(test::request("/api/v1/ingest/prometheus")).status, 405);
  EXPECT_TRUE(got.empty());
}

TEST_F(IngestRoute, NeedsAnOperatorExceptFromThisMachine) {
  auto stranger = write(one_sample());
  stranger.peer.loopback = false;
  EXPECT_EQ(site.ask(stranger).status, 401);
  auto led_here = write(one_sample());
  led_here.headers["host"] = "evil.example";
  EXPECT_EQ(site.ask(led_here).status, 403);
  EXPECT_TRUE(got.empty());
  const auto with = [&](Role role) {
    auto q = write(one_sample(), {{"authorization", "Bearer " + create_key(site.records, role, "", test::kNow).value().token}});
    q.peer.loopback = false;
    return site.ask(q).status;
  };
  EXPECT_EQ(with(Role::viewer), 403);
  EXPECT_EQ(with(Role::operator_), 204);
}

TEST(IngestRouteOff, SaysHowToTurnItOn) {
  Site site;
  const auto r = site.ask(write(one_sample()));
  EXPECT_EQ(r.status, 403);
  EXPECT_THAT(r.bytes(), HasSubstr("ingest.prometheus"));
}

TEST(IngestRouteRequired, LoopbackNeedsAKeyToo) {
  Site site;
  site.access.required = true;
  EXPECT_EQ(site.ask(write(one_sample())).status, 401);
}

}  // namespace
}  // namespace ghm::api
