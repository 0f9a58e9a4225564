#include "domain/fleet/case_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "domain/fleet/case_for_test.h"

namespace ghm::fleet {
namespace {

using namespace test;
using enum CaseState;

TEST(Wilson, AgreesWithPublishedValues) {
  struct Row {
    std::size_t with, of;
    double low, high;
  };
  // 81 of 263, 15 of 148, 0 of 20, 1 of 29: R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in
  // Medicine 17 (1998), table I, method 3. The others by hand.
  const Row rows[] = {{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0.0, 0.1611},
                      {1, 29, 0.0061, 0.1718},   {3, 11, 0.0975, 0.5656},   {11, 11, 0.7412, 1.0}};
  for (const auto& r : rows) {
    const auto i = wilson_interval(r.with, r.of);
    ASSERT_TRUE(i);
    EXPECT_NEAR(i->low, r.low, 5e-5) << r.with << "/" << r.of;
    EXPECT_NEAR(i->high, r.high, 5e-5) << r.with << "/" << r.of;
  }
  EXPECT_FALSE(wilson_interval(0, 0));
}

TEST(Wilson, EndsSolveTheScoreEquationAndEncloseTheShare) {
  for (std::size_t n = 1; n <= 60; ++n)
    for (std::size_t k = 0; k <= n; ++k) {
      const auto i = *wilson_interval(k, n);
      EXPECT_TRUE(0 <= i.low && i.low <= i.share && i.share <= i.high && i.high <= 1);
      for (const double end : {i.low, i.high})
        if (end > 0 && end < 1) {
          EXPECT_NEAR(std::abs(i.share - end) / std::sqrt(end * (1 - end) / static_cast<double>(n)), 1.959964, 1e-5);
        }
    }
}

RepairCase story(std::string action, std::string model, int relapses, std::optional<CaseOutcome> end, int days = 10) {
  auto o = opening(std::move(action));
  o.model = std::move(model);
  OneCase one(o);
  one.until_watching();
  for (int n = 0; n < relapses; ++n) {
    one.now += 1h;
    one.book.hear(fault(one.now));
    one.until_watching();
  }
  const auto closed_at = kOpened + std::chrono::days(days);
  if (end == CaseOutcome::helped) {
    one.book.look(kSeen, one.now);
    one.pass(std::chrono::days(30));
  } else if (end) {
    EXPECT_TRUE(one.book.close(one.id, {end, "so it is", {}}, "ana", closed_at));
  }
  return one.it();
}

TEST(CaseTallies, EachTryCounts) {
  CaseTallies t;
  t.add(story("reset_gpu", "A", 0, CaseOutcome::helped));
  t.add(story("reset_gpu", "A", 2, CaseOutcome::helped));
  t.add(story("reset_gpu", "B", 1, CaseOutcome::did_not_help));
  t.add(story("reset_gpu", "B", 1, {}));
  t.add(story("reset_gpu", "B", 0, {}));
  t.add(story("check_cooling", "A", 0, CaseOutcome::cannot_tell));
  t.add(story("check_cooling", "A", 0, CaseOutcome::cancelled));
  const auto all = t.rows({.action = true, .fault = false, .model = false});
  ASSERT_EQ(all.size(), 2u);
  const auto& reset = all[0];
  EXPECT_EQ(reset.group.action, "reset_gpu");
  EXPECT_EQ(reset.group.model, "");
  EXPECT_EQ(reset.counts.closed, 3u);
  EXPECT_EQ(reset.counts.helped, 2u);
  EXPECT_EQ(reset.counts.relapses, 4u);
  EXPECT_EQ(reset.counts.did_not_help, 5u) << "four relapses, and one that was tried again and given up";
  EXPECT_NEAR(reset.share->share, 2.0 / 7, 1e-12);
  EXPECT_EQ(all[1].counts.cannot_tell, 1u);
  EXPECT_EQ(all[1].counts.cancelled, 1u);
  EXPECT_FALSE(all[1].share);
  EXPECT_EQ(all[1].median_days, 10.0) << "cancelled ones took no time";
  EXPECT_EQ(t.rows({}).size(), 3u);
}

TEST(CaseTallies, GivenUpRightBehindARelapseIsNotCountedTwice) {
  OneCase one;
  one.until_watching();
  one.book.hear(fault(kOpened + 1h));
  ASSERT_TRUE(one.book.close(one.id, {CaseOutcome::did_not_help, "it came back", {}}, "ana", kOpened + 2h));
  CaseTallies t;
  t.add(one.it());
  EXPECT_EQ(t.rows({})[0].counts.did_not_help, 1u);
  OneCase never;
  ASSERT_TRUE(never.book.close(never.id, {CaseOutcome::did_not_help, "nobody had time", {}}, "ana", kOpened + 2h));
  CaseTallies u;
  u.add(never.it());
  EXPECT_EQ(u.rows({})[0].counts.did_not_help, 0u) << "nothing was tried";
  EXPECT_EQ(u.rows({})[0].counts.closed, 1u);
  OneCase begun;
  ASSERT_TRUE(begun.go(to(acting)));
  ASSERT_TRUE(begun.book.close(begun.id, {CaseOutcome::did_not_help, "errors go on", {}}, "ana", kOpened + 2h));
  u.add(begun.it());
  EXPECT_EQ(u.rows({})[0].counts.did_not_help, 1u) << "a person's word stands";
}

TEST(CaseTallies, WhatHelpedIsOfTheModelWhereItIsKnown) {
  CaseTallies t;
  for (int n = 0; n < 3; ++n) t.add(story("reset_gpu", "A", 0, CaseOutcome::helped));
  t.add(story("reset_gpu", "B", 0, CaseOutcome::did_not_help));
  t.add(story("replace_board", "B", 0, CaseOutcome::did_not_help));
  const auto a = t.what_helped("memory", "A", false);
  ASSERT_EQ(a.size(), 2u);
  EXPECT_EQ(says_what_helped(a[1]), "a new board helped 0 of 1 time against memory faults of any model (0-79 %)");
  EXPECT_EQ(says_what_helped(a[0]), "a GPU reset helped 3 of 3 times against memory faults of this model (44-100 %)");
  const auto c = t.what_helped("memory", "C", false);
  ASSERT_EQ(c.size(), 2u);
  EXPECT_EQ(says_what_helped(c[0]), "a GPU reset helped 3 of 4 times against memory faults of any model (30-95 %)");
  EXPECT_TRUE(t.what_helped("thermal", "A", false).empty());
  EXPECT_TRUE(t.what_helped("memory", "A", true).empty()) << "a simulated fleet proves nothing about a real one";
}

}  // namespace
}  // namespace ghm::fleet
