#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/world_for_test.h"

namespace ghm::api {
namespace {

using test::json_of;
using test::kNow;
using test::request;
using test::Site;
using testing::HasSubstr;

http::Request post(std::string_view target, std::string body) {
  auto q = request(target, {{"content-type", "application/json"}}, "POST");
  q.body = std::move(body);
  return q;
}

TEST(StoryApi, TellsTheFleet) {
  Site site;
  const auto story = json_of(site.ask(request("/api/v1/fleet/story")));
  EXPECT_EQ(story["as_of"], format_rfc3339(kNow));
  EXPECT_EQ(story["headline"], "2 GPUs have no score yet.");
  EXPECT_TRUE(story["clusters"].empty());
}

TEST(ExplainApi, ReadingIsNoWrite) {
  Site site;
  const auto asked = site.ask(post("/api/v1/explain", R"({"gpus":["1650001"]})"));
  ASSERT_EQ(asked.status, 200) << "this machine may read without a key, so it may ask";
  const auto answer = json_of(asked);
  EXPECT_EQ(answer["chosen"], 1);
  EXPECT_EQ(answer["rest"], 1);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/explain?gpus=1650001")))["chosen"], 1);
  site.not_writable = "disk full";
  EXPECT_EQ(site.ask(post("/api/v1/explain", R"({"gpus":["1650001"]})")).status, 200) << "nothing is kept";
  auto stranger = post("/api/v1/explain", R"({"gpus":["1650001"]})");
  stranger.peer.loopback = false;
  EXPECT_EQ(site.ask(stranger).status, 401);
  auto viewer = stranger;
  viewer.headers["authorization"] = "Bearer " + create_key(site.records, Role::viewer, "a viewer", kNow)->token;
  EXPECT_EQ(site.ask(viewer).status, 200);
}

TEST(ExplainApi, SaysWhatIsWrong) {
  Site site;
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "gpus: expected a list"},       {R"({"gpus":[]})", "at least one"},          {R"({"gpus":["9"]})", "There is no GPU '9'"},
      {R"({"gpus":[7]})", "gpus: expected"}, {R"({"gpus":["1650001"],"x":1})", "x: not"}, {"no json", "expected a JSON object"},
  };
  for (const auto& [body, says] : cases) {
    const auto r = site.ask(post("/api/v1/explain", body));
    EXPECT_EQ(r.status, 400) << body;
    EXPECT_THAT(json_of(r)["detail"].get<std::string>(), HasSubstr(says)) << body;
  }
  EXPECT_EQ(site.ask(request("/api/v1/explain")).status, 400);
}

TEST(ExplainApi, ABoardThatIsNamedTwiceIsOne) {
  Site site;
  EXPECT_EQ(json_of(site.ask(post("/api/v1/explain", fmt::format(R"({{"gpus":["1650001","{}"]}})", test::kUuid))))["chosen"], 1);
}

TEST(GroupHealthApi, HasWhatARacksPageNeeds) {
  Site site;
  const auto g = json_of(site.ask(request("/api/v1/fleet/health?by=rack&id=r1")));
  EXPECT_EQ(g["kind"], "rack");
  EXPECT_EQ(g["gpus"], 2);
  EXPECT_EQ(g["members"].size(), 2u);
  EXPECT_EQ(g["members"][0]["temperature"], 61);
  EXPECT_EQ(g["place"]["datacenter"], "dc1");
  EXPECT_EQ(g["figures"]["temperature"]["sum"], 122);
  EXPECT_TRUE(g["fell"].is_null());
  EXPECT_EQ(json_of(site.ask(request("/api/v1/fleet/health?by=model&id=NVIDIA H100 80GB HBM3")))["place"]["datacenter"], nullptr);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/fleet/health?by=host")))["groups"][0]["name"], "gpu-host-1");
  EXPECT_EQ(site.ask(request("/api/v1/fleet/health?by=rack&id=r9")).status, 404);
  EXPECT_EQ(site.ask(request("/api/v1/fleet/health?by=shelf")).status, 400);
  EXPECT_EQ(site.ask(request("/api/v1/fleet/health?id=r1")).status, 400);
}

TEST(EventsApi, KnowPlaces) {
  Site site;
  const auto event = [&](const char* key, const char* host, int code) {
    site.records.kept[{"event", key}] = {"event", key, kNow, views::Json{{"kind", "xid"}, {"host", host}, {"code", code}}.dump()};
  };
  event("1", "gpu-host-1", 79);
  event("2", "gpu-host-2", 48);
  const auto in_rack = json_of(site.ask(request("/api/v1/events?rack=r1")))["items"];
  ASSERT_EQ(in_rack.size(), 1u);
  EXPECT_EQ(in_rack[0]["code"], 79);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/events?datacenter=dc1")))["items"].size(), 1u);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/events?host=gpu-host-9")))["items"].size(), 0u);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/events")))["items"].size(), 2u);
}

TEST(GpusApi, FilterByRegionDriverAndBatch) {
  Site site;
  EXPECT_EQ(json_of(site.ask(request("/api/v1/gpus?region=eu")))["total"], 2);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/gpus?region=us")))["total"], 0);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/gpus?driver=1.2")))["total"], 0);
  EXPECT_EQ(json_of(site.ask(request("/api/v1/gpus?batch=L1")))["total"], 0);
}

TEST(PastHealthApi, IsHonestWhenReadingsAreGone) {
  Site site;
  const auto h = json_of(site.ask(request("/api/v1/gpus/1650001/health?at=" + format_rfc3339(kNow - 1h))));
  EXPECT_TRUE(h["score"].is_null());
  EXPECT_THAT(h["note"].get<std::string>(), HasSubstr("no reading"));
  EXPECT_EQ(h["kept_score"], 64) << "the score that was kept is still told";
  EXPECT_EQ(site.ask(request("/api/v1/gpus/1650001/health?at=" + format_rfc3339(kNow + 1h))).status, 400);
  EXPECT_EQ(site.ask(request("/api/v1/gpus/1650001/health?at=2001-01-01T00:00:00Z")).status, 400) << "before it was there";
  EXPECT_EQ(site.ask(request("/api/v1/gpus/1650001/health?at=soon")).status, 400);
}

TEST(PeersApi, StandBesideEachSeries) {
  Site site;
  const auto without = json_of(site.ask(request("/api/v1/gpus/1650001/metrics?metrics=DCGM_FI_DEV_GPU_TEMP")));
  EXPECT_FALSE(without["series"]["DCGM_FI_DEV_GPU_TEMP"].contains("peers"));
  const auto with =
      json_of(site.ask(request("/api/v1/gpus/1650001/metrics?metrics=DCGM_FI_DEV_GPU_TEMP,DCGM_FI_DEV_CLOCK_THROTTLE_REASONS&peers=1")));
  const auto& peers = with["series"]["DCGM_FI_DEV_GPU_TEMP"]["peers"];
  EXPECT_EQ(peers["of"], 1);
  EXPECT_EQ(peers["p50"].size(), with["t"].size());
  EXPECT_TRUE(peers["p50"][0].is_null()) << "one peer is no band";
  EXPECT_FALSE(with["series"]["DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"].contains("peers")) << "bits have no order";
  EXPECT_EQ(site.ask(request("/api/v1/gpus/1650001/metrics?peers=2")).status, 400);
}

}  // namespace
}  // namespace ghm::api
