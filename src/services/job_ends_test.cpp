#include "services/job_ends.h"

#include <gtest/gtest.h>

namespace ghm::services {
namespace {

using namespace faults;
const Timestamp kNow = from_unix_ms(1'800'000'000'000);

Sign sign(const char* word, std::uint32_t board, Timestamp at, std::string host = "h1") {
  Sign s;
  s.what = evidence(word);
  s.severity = EvidenceTable::built_in()[s.what].severity;
  s.board = static_cast<BoardId>(board);
  s.gpu = std::to_string(board);
  s.host = std::move(host);
  s.at = at;
  return s;
}

/// A job on boards 1 to 4; 1 and 2 stand in h1, 3 and 4 in h2.
struct Site : JobEnds {
  Site() { set({"train"}, kNow - 1h); }
  void set(const std::set<std::string>& jobs, Timestamp at, std::initializer_list<std::uint32_t> boards = {1, 2, 3, 4}) {
    for (const auto b : boards) runs(static_cast<BoardId>(b), b <= 2 ? "h1" : "h2", jobs, at);
  }
};

TEST(JobEnds, AnEndBehindAFaultIsToldOnce) {
  Site site;
  site.hear(sign("off_bus", 2, kNow));
  site.set({}, kNow + 30s, {1, 3});
  EXPECT_TRUE(site.take().empty()) << "it still runs on board 4";
  site.set({}, kNow + 40s, {4});  // board 2 is off the bus and cannot say
  const auto told = site.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].job, "train");
  EXPECT_EQ(told[0].at, kNow + 40s);
  EXPECT_EQ(told[0].boards, 4u);
  EXPECT_EQ(told[0].silent, 1u);
  EXPECT_EQ(told[0].sentence(),
            "job train ended on 4 GPUs (1 cannot say), 40 s after: the GPU fell off the bus on GPU 2; whether it failed or was ended is "
            "not told");
  site.set({}, kNow + 50s, {2});
  EXPECT_TRUE(site.take().empty());
}

TEST(JobEnds, WhatIsNotEvidenceIsNotTold) {
  struct Case {
    const char* why;
    void (*story)(Site&);
  };
  const Case cases[] = {
      {"no fault at all", [](Site& s) { s.set({}, kNow); }},
      {"a warning only", [](Site& s) { s.hear(sign("corrected_storm", 1, kNow)), s.set({}, kNow + 10s); }},
      {"another's board", [](Site& s) { s.hear(sign("off_bus", 9, kNow, "h9")), s.set({}, kNow + 10s); }},
      {"too long before", [](Site& s) { s.hear(sign("gsp_timeout", 1, kNow)), s.set({}, kNow + 6min); }},
      {"long after the end", [](Site& s) { s.set({}, kNow), s.hear(sign("gsp_timeout", 1, kNow + 2min)); }},
      {"one by one over minutes",
       [](Site& s) {
         s.hear(sign("gsp_timeout", 1, kNow)), s.set({}, kNow + 10s, {1, 2}), s.set({}, kNow + 3min, {3, 4});
       }},
      {"all of it is silent: nobody saw it end",
       [](Site& s) { s.hear(sign("host_silent", 0, kNow, "h1")), s.hear(sign("host_silent", 0, kNow, "h2")); }},
  };
  for (const auto& c : cases) {
    Site site;
    c.story(site);
    EXPECT_TRUE(site.take().empty()) << c.why;
  }
}

TEST(JobEnds, AKernelsLineMayComeLate) {
  Site site;
  site.set({}, kNow);
  EXPECT_TRUE(site.take().empty());
  site.hear(sign("uncorrectable_memory", 3, kNow - 5s, "h2"));
  ASSERT_EQ(site.take().size(), 1u);
}

TEST(JobEnds, AHostThatDiesTakesItsBoardsWord) {
  Site site;
  site.hear(sign("host_silent", 0, kNow, "h1"));
  site.set({}, kNow + 60s, {3, 4});
  const auto told = site.take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].silent, 2u);
}

TEST(JobEnds, TheSameNameAgainIsAnotherRun) {
  Site site;
  for (const auto start : {kNow, kNow + 1h}) {
    site.set({"train"}, start);
    site.hear(sign("gsp_timeout", 1, start + 1min));
    site.set({}, start + 2min);
    EXPECT_EQ(site.take().size(), 1u);
  }
}

}  // namespace
}  // namespace ghm::services
