#include "domain/validation/edges.h"

#include <gtest/gtest.h>

namespace ghm::validation {
namespace {

const Timestamp kStart = from_unix_ms(1'700'000'000'000);
constexpr int kNotPrinted = -1, kRefused = -2;

/// One page of a story: what the gauge says and what the window counts; and the codes that are news.
struct Told {
  int gauge;
  std::vector<XidEdges::Count> counts;
  std::vector<int> news;
};

struct Story {
  const char* why;
  std::optional<int> before;  // of an earlier run
  std::vector<Told> pages;    // 10 s apart
};

void tell(const Story& story) {
  XidEdges edges;
  if (story.before) edges.restore(*story.before);
  auto now = kStart;
  for (std::size_t i = 0; i < story.pages.size(); ++i, now += 10s) {
    const auto& p = story.pages[i];
    const auto gauge = p.gauge >= 0 ? std::optional(p.gauge) : std::nullopt;
    EXPECT_EQ(edges.see({p.gauge != kNotPrinted, gauge, p.counts}, now), p.news) << story.why << ", page " << i;
  }
}

TEST(XidEdges, Stories) {
  const Story stories[] = {
      {"the gauge sticks: one event", {}, {{0, {}, {}}, {79, {}, {79}}, {79, {}, {}}, {79, {}, {}}}},
      {"a first sight is no event", {}, {{79, {}, {}}, {79, {}, {}}}},
      {"another code is", {}, {{31, {}, {}}, {79, {}, {79}}}},
      {"back to 0 is not, and the same code after it is", {}, {{79, {}, {}}, {0, {}, {}}, {79, {}, {79}}}},
      {"a gauge that is printed only after a fault", {}, {{kNotPrinted, {}, {}}, {79, {}, {79}}, {kNotPrinted, {}, {}}, {79, {}, {79}}}},
      {"a refused gauge says nothing", {}, {{79, {}, {}}, {kRefused, {}, {}}, {79, {}, {}}}},
      {"after a restart of ghm: the same code is old", 79, {{79, {}, {}}}},
      {"after a restart of ghm: another code is new", 31, {{79, {}, {79}}}},
      {"after a restart of ghm: what the window counts is old", 79, {{79, {{79, 2}}, {}}, {79, {{79, 3}}, {79}}}},
      {"both witnesses at once are one event", {}, {{0, {}, {}}, {79, {{79, 1}}, {79}}, {79, {{79, 1}}, {}}}},
      {"the gauge first", {}, {{0, {}, {}}, {79, {}, {79}}, {79, {{79, 1}}, {}}}},
      {"the count first", {}, {{0, {}, {}}, {0, {{79, 1}}, {79}}, {79, {{79, 1}}, {}}}},
      {"the gauge cannot show a second of the same code", {}, {{0, {}, {}}, {31, {{31, 1}}, {31}}, {31, {{31, 3}}, {31, 31}}}},
      {"what leaves the window is no event", {}, {{0, {{31, 2}}, {}}, {0, {{31, 1}}, {}}, {0, {}, {}}, {0, {{31, 1}}, {31}}}},
      {"a 45 hides a 79 in the gauge, not in the window", {}, {{0, {}, {}}, {45, {{45, 1}, {79, 1}}, {45, 79}}}},
  };
  for (const auto& s : stories) tell(s);
}

TEST(XidEdges, AfterTheWindowTheSameCodeIsANewFault) {
  XidEdges edges;
  const std::vector<XidEdges::Count> one{{31, 1}};
  edges.see({true, 0, {}}, kStart);
  EXPECT_EQ(edges.see({true, 31, one}, kStart + 10s), std::vector{31});
  EXPECT_TRUE(edges.see({true, 31, {}}, kStart + 20min).empty());
  EXPECT_EQ(edges.see({true, 31, one}, kStart + 21min), std::vector{31});
}

TEST(XidEdges, ABurstIsBounded) {
  XidEdges edges;
  const std::vector<XidEdges::Count> many{{31, 100'000}};
  edges.see({true, 0, {}}, kStart);
  EXPECT_EQ(edges.see({true, 31, many}, kStart + 10s).size(), 100u);
}

TEST(WorseEdge, OnlyAChangeForTheWorseIsAnEvent) {
  WorseEdge edge;
  EXPECT_FALSE(edge.see(20)) << "a first sight";
  EXPECT_FALSE(edge.see(20));
  EXPECT_FALSE(edge.see(0));
  EXPECT_EQ(edge.see(10), 0);
  EXPECT_EQ(edge.see(20), 10);
}

}  // namespace
}  // namespace ghm::validation
