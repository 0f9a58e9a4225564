#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/world_for_test.h"

namespace ghm::api {
namespace {

using namespace test;
using ::testing::HasSubstr;
using views::QuarantineItem;
using views::QuarantineQuery;

/// A site whose quarantine answers one value and remembers what it was asked.
struct QuarantineRoutes : ::testing::Test {
  QuarantineRoutes() {
    auto fleet = small_fleet();
    fleet.refused_by = {{"h1:9400", "DCGM_FI_DEV_GPU_TEMP", "out_of_range", 7}, {"h2:9400", "DCGM_FI_DEV_FAN_SPEED", "sentinel", 3}};
    site.fleet = std::make_shared<views::FleetSnapshot>(std::move(fleet));
    World world{site.telemetry, site.records, [this] { return site.fleet; }, site.clock, {}, {}, {}, {}};
    world.quarantine = [this](const QuarantineQuery& q) {
      asked.push_back(q);
      QuarantineItem item{
          41, "h1:9400", fleet::BoardId{11}, kUuid, {}, telemetry::field::gpu_temp, "4000", telemetry::Reason::out_of_range, kNow, kNow,
          1,  true};
      return views::QuarantinePage{{item}, 41, 5};
    };
    world.replay = [this](const QuarantineQuery& q, bool dry_run) -> Result<views::ReplayReport> {
      asked.push_back(q);
      dry_runs.push_back(dry_run);
      if (stuck) return Error{Errc::unavailable, "the store does not take them"};
      return views::ReplayReport{3, 2, 1};
    };
    site.handler = make_handler(std::move(world), Log::off());
    token = create_key(site.records, Role::operator_, "", kNow)->token;
  }
  http::Response replay(const std::string& body, const std::string& key) {
    auto q =
        request("/api/v1/quarantine/replay",
                key.empty() ? std::map<std::string, std::string>{} : std::map<std::string, std::string>{{"authorization", "Bearer " + key}},
                "POST");
    q.body = body;
    return site.ask(q);
  }

  Site site;
  std::vector<QuarantineQuery> asked;
  std::vector<bool> dry_runs;
  bool stuck = false;
  std::string token;
};

TEST_F(QuarantineRoutes, CountsAndSamples) {
  const auto all = json_of(site.ask(request("/api/v1/quarantine")));
  EXPECT_EQ(all["items"].size(), 2u);
  EXPECT_EQ(all["next"], "41");
  EXPECT_EQ(all["kept"], 5);
  const auto& sample = all["samples"][0];
  EXPECT_EQ(sample["gpu"], "1650001") << "by its serial, whatever the page called it";
  EXPECT_EQ(sample["host"], "gpu-host-1");
  EXPECT_EQ(sample["metric"], "DCGM_FI_DEV_GPU_TEMP");
  EXPECT_EQ(sample["value"], "4000");
  EXPECT_EQ(sample["replayable"], true);
}

TEST_F(QuarantineRoutes, FiltersReachCountsAndSamples) {
  const auto some = json_of(site.ask(request("/api/v1/quarantine?reason=sentinel&source=h2:9400&gpu=1650001&limit=7&cursor=41")));
  EXPECT_EQ(some["items"].size(), 1u);
  const auto& q = asked.at(0);
  EXPECT_EQ(q.reason, telemetry::Reason::sentinel);
  EXPECT_EQ(q.source, "h2:9400");
  EXPECT_EQ(q.board, fleet::BoardId{11});
  EXPECT_EQ(q.limit, 7u);
  EXPECT_EQ(q.before, 41u);
  site.ask(request("/api/v1/quarantine?metric=dcgm_gpu_temp"));
  EXPECT_EQ(asked.at(1).metric, telemetry::field::gpu_temp) << "by any of its names";
}

TEST_F(QuarantineRoutes, WrongFiltersAreOneSentence) {
  for (const auto& [query, want] : {std::pair{"reason=ugly", "expected one of sentinel, not_finite"},
                                    {"metric=NO_SUCH", "expected a DCGM name"},
                                    {"limit=0", "from 1 to 1000"},
                                    {"cursor=x", "cursor"},
                                    {"colour=red", "is not known"}}) {
    const auto r = site.ask(request(std::string("/api/v1/quarantine?") + query));
    EXPECT_EQ(r.status, 400) << query;
    EXPECT_THAT(std::string(r.bytes()), HasSubstr(want)) << query;
  }
}

TEST_F(QuarantineRoutes, AReplayNeedsAnOperator) {
  EXPECT_EQ(replay("{}", "").status, 403) << "loopback without a key may look, not act";
  EXPECT_EQ(replay("{}", create_key(site.records, Role::viewer, "", kNow)->token).status, 403);
  EXPECT_TRUE(dry_runs.empty());
  const auto done = replay(R"({"reason":"out_of_range","metric":"DCGM_FI_DEV_GPU_TEMP","source":"h1:9400","dry_run":true})", token);
  EXPECT_EQ(done.status, 200);
  const auto report = json_of(done);
  EXPECT_EQ(report["replayed"], 3);
  EXPECT_EQ(report["still_refused"], 2);
  EXPECT_EQ(report["lost"], 1);
  EXPECT_EQ(report["dry_run"], true);
  EXPECT_EQ(asked.at(0).metric, telemetry::field::gpu_temp);
  EXPECT_EQ(replay("", token).status, 200) << "all of it";
  EXPECT_EQ(dry_runs, (std::vector{true, false}));
}

TEST_F(QuarantineRoutes, AReplayThatIsMisspeltDoesNothing) {
  for (const char* body : {"[]", "{", R"({"dryrun":true})", R"({"dry_run":"yes"})", R"({"reason":"ugly"})", R"({"metric":"NO_SUCH"})"})
    EXPECT_EQ(replay(body, token).status, 400) << body;
  EXPECT_TRUE(dry_runs.empty());
}

TEST_F(QuarantineRoutes, AStuckStoreIsSaidSo) {
  stuck = true;
  const auto r = replay("{}", token);
  EXPECT_EQ(r.status, 503);
  EXPECT_THAT(std::string(r.bytes()), HasSubstr("the store does not take them"));
}

}  // namespace
}  // namespace ghm::api
