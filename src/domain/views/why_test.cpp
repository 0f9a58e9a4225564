#include "domain/views/why.h"

#include <gmock/gmock.h>

#include "domain/views/gpu_health_view.h"
#include "domain/views/story.h"
#include "domain/views/story_fleet_for_test.h"

namespace ghm::views {
namespace {

using test::ill, test::kNow, test::well_fleet;
using testing::HasSubstr;

struct Why : ::testing::Test {
  FleetSnapshot fleet = well_fleet(20);
  WhyParts parts;

  const Json& ask(std::size_t board) {
    parts.gpu = gpu_detail(fleet, board, {});
    parts.health = gpu_health(fleet, board);
    parts.story = fleet_story(fleet, {});
    answer = why_gpu(parts);
    return answer;
  }
  std::string first_action() const { return answer["actions"].empty() ? "" : answer["actions"][0]["action"].get<std::string>(); }
  Json answer;
};

TEST_F(Why, AWellBoardNeedsNothing) {
  const auto& why = ask(5);
  EXPECT_THAT(why["verdict"].get<std::string>(), HasSubstr("Nothing asks for action"));
  EXPECT_TRUE(why["fell"].is_null());
  EXPECT_FALSE(why["unknown"].empty()) << "it never knows everything";
}

TEST_F(Why, WornOutMemoryIsAnRma) {
  fleet.boards[5].health = ill("memory.remap_failed", 70, true, 40);
  ask(5);
  EXPECT_EQ(first_action(), "replace_board");
  EXPECT_THAT(answer["verdict"].get<std::string>(), HasSubstr("RMA"));
}

TEST_F(Why, AnXidHasTheCataloguesFirstStep) {
  parts.events = {{"items",
                   {{{"at", "2027-01-15T07:00:00Z"}, {"kind", "xid"}, {"code", 119}, {"detail", "GSP"}},
                    {{"at", "2027-01-15T06:00:00Z"}, {"kind", "xid"}, {"code", 31}, {"detail", "page fault"}},
                    {{"at", "2027-01-15T05:00:00Z"}, {"kind", "xid"}, {"code", 31}, {"detail", "page fault"}}}}};
  ask(5);
  ASSERT_EQ(answer["xids"].size(), 2u);
  EXPECT_EQ(answer["xids"][1]["code"], 31);
  EXPECT_EQ(answer["xids"][1]["count"], 2);
  EXPECT_EQ(answer["xids"][1]["origin"], "application");
  EXPECT_EQ(first_action(), answer["xids"][0]["first_action"]);
  EXPECT_THAT(answer["actions"].dump(), HasSubstr("restart_job")) << "Xid 31 is a program's fault";
}

TEST_F(Why, AHotRackComesBeforeTheBoard) {
  for (const auto i : {24, 25, 26, 33, 34, 35, 40, 41, 42}) fleet.boards[static_cast<std::size_t>(i)].health = ill("thermal.throttle");
  ask(33);
  EXPECT_EQ(first_action(), "look_at_the_place");
  ASSERT_EQ(answer["near"].size(), 1u);
  EXPECT_EQ(answer["near"][0]["shows_it"], true);
  ask(27);
  EXPECT_EQ(answer["near"][0]["shows_it"], false) << "it stands there, but is well";
  EXPECT_EQ(first_action(), "");
}

TEST_F(Why, SaysSinceWhenItFell) {
  parts.history = {{"items",
                    {{{"at", "2027-01-10T00:00:00Z"}, {"score", 97.0}},
                     {{"at", "2027-01-12T00:00:00Z"}, {"score", nullptr}},
                     {{"at", "2027-01-13T06:15:00Z"}, {"score", 71.0}},
                     {{"at", "2027-01-14T00:00:00Z"}, {"score", 70.0}}}}};
  ask(5);
  EXPECT_EQ(answer["fell"]["from"], 97);
  EXPECT_EQ(answer["fell"]["to"], 70);
  EXPECT_EQ(answer["fell"]["since"], "2027-01-13T06:15:00Z");
}

TEST_F(Why, SaysWhatIsUnlikeItsPeers) {
  const auto series = [](double own, double p10, double p50, double p90, bool load) {
    return Json{
        {"unit", "celsius"},
        {"avg", {own, nullptr}},
        {"peers",
         {{"of", 7}, {"figure", "avg"}, {"under_load", load}, {"p10", {p10, nullptr}}, {"p50", {p50, nullptr}}, {"p90", {p90, nullptr}}}}};
  };
  parts.metrics = {{"series",
                    {{"DCGM_FI_DEV_GPU_TEMP", series(88, 60, 63, 66, true)},
                     {"DCGM_FI_DEV_MEMORY_TEMP", series(70, 66, 68, 72, true)},
                     {"DCGM_FI_DEV_GPU_UTIL", series(97, 96, 98, 99, true)}}}};
  ask(5);
  ASSERT_EQ(answer["unlike_peers"].size(), 1u);
  EXPECT_EQ(answer["unlike_peers"][0]["metric"], "DCGM_FI_DEV_GPU_TEMP");
  parts.metrics["series"]["DCGM_FI_DEV_GPU_UTIL"] = series(3, 96, 98, 99, true);
  ask(5);
  ASSERT_EQ(answer["unlike_peers"].size(), 1u) << "an idle board's temperature is not compared with busy ones";
  EXPECT_EQ(answer["unlike_peers"][0]["metric"], "DCGM_FI_DEV_GPU_UTIL");
}

TEST_F(Why, ASilentBoardIsLookedForFirst) {
  fleet.boards[5].silent = true;
  ask(5);
  EXPECT_EQ(first_action(), "look_at_the_host");
  EXPECT_THAT(answer["verdict"].get<std::string>(), HasSubstr("is silent"));
}

TEST_F(Why, ReadsAsText) {
  fleet.boards[5].health = ill("memory.remap_failed", 70, true, 40);
  const auto text = why_text(ask(5), 120);
  for (const auto* part : {"serial S5", "memory.remap_failed", "CRITICAL", "what to do", "because:", "not known", "as of "})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(why_text(Json(), 80), HasSubstr("as of -")) << "a document of another version is no crash";
}

}  // namespace
}  // namespace ghm::views
