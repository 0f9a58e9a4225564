#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "api/world_for_test.h"
#include "domain/transport/batch_codec.h"
#include "domain/transport/host_round_for_test.h"

namespace ghm::api {
namespace {

using test::Site;
using ::testing::HasSubstr;

std::string one_round() {
  transport::BatchEncoder encoder;
  transport::test::MovingHost host(1, 3, 1);
  const auto round = host.next(7);
  return encoder.encode({std::string(transport::kAgentIdBytes, 'a'), "h1", "0.1", {}, round.at, round.since_boot, round.boot_id},
                        {&round, 1});
}

http::Request post(std::string body, std::map<std::string, std::string> more = {}) {
  more.emplace("content-type", "application/vnd.ghm.batch");
  auto q = test::request("/api/v1/ingest/batch", std::move(more), "POST");
  q.body = std::move(body);
  return q;
}

struct BatchRoute : ::testing::Test {
  Site site;
  Result<void> outcome;
  std::optional<std::string> got;
  bool backfill = false;
  BatchRoute() {
    site.take_batch = [this](transport::PackedBatch b, bool old, std::function<void(const Result<void>&)> told) {
      got = b.header().host;
      backfill = old;
      std::jthread([told = std::move(told), this] { told(outcome); });
    };
  }
};

TEST_F(BatchRoute, IsAnsweredWhenItIsKept) {
  EXPECT_EQ(site.ask(post(one_round())).status, 204);
  EXPECT_EQ(got, "h1");
  EXPECT_FALSE(backfill);
  site.ask(post(one_round(), {{"x-ghm-backfill", "1"}}));
  EXPECT_TRUE(backfill);
}

TEST_F(BatchRoute, SaysWhetherItWillEverDo) {
  outcome = Error{Errc::unavailable, "readings cannot be kept: disk full"};
  const auto later = site.ask(post(one_round()));
  EXPECT_EQ(later.status, 503);
  EXPECT_EQ(test::header_of(later, "Retry-After"), "5");
  outcome = Error{Errc::conflict, "batch: send it standing alone"};
  EXPECT_EQ(site.ask(post(one_round())).status, 409);
  const auto never = site.ask(post("garbage"));
  EXPECT_EQ(never.status, 400);
  EXPECT_THAT(never.bytes(), HasSubstr("\"batch: ")) << "what an agent looks for before it gives up a round";
  EXPECT_EQ(site.ask(post(one_round(), {{"content-type", "text/plain"}})).status, 415);
  EXPECT_EQ(site.ask(test::request("/api/v1/ingest/batch")).status, 405);
}

TEST_F(BatchRoute, NeedsAnOperatorExceptFromThisMachine) {
  auto stranger = post(one_round());
  stranger.peer.loopback = false;
  EXPECT_EQ(site.ask(stranger).status, 401);
  EXPECT_FALSE(got);
}

TEST(BatchRouteOff, SaysHowToTurnItOn) {
  Site site;
  const auto r = site.ask(post(one_round()));
  EXPECT_EQ(r.status, 403);
  EXPECT_THAT(r.bytes(), HasSubstr("ingest.batch"));
}

}  // namespace
}  // namespace ghm::api
