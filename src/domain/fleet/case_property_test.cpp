// What holds for any history: no impossible state is reached, and the steps alone lead to the same case.
#include <gtest/gtest.h>

#include <random>

#include "domain/fleet/case_for_test.h"

namespace ghm::fleet {
namespace {

using namespace test;
using enum CaseState;

class Player {
 public:
  explicit Player(unsigned seed) : random_(seed), one_(opening(kActions[pick(4)])) {}

  void play(int moves) {
    for (int n = 0; n < moves && one_.book.find(one_.id) != nullptr; ++n) {
      one_.now += std::chrono::minutes(pick(60 * 24));
      move();
      if (one_.book.find(one_.id) != nullptr) check();
      for (const auto& c : one_.book.take_changed()) newest_ = c;
    }
    ASSERT_TRUE(newest_);
    const auto again = replay(*newest_, newest_->steps);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *newest_);
  }
  std::optional<RepairCase> newest() const { return newest_; }

 private:
  static constexpr const char* kActions[] = {"reset_gpu", "replace_board", "check_cooling", "reboot_host"};

  int pick(int n) { return std::uniform_int_distribution(0, n - 1)(random_); }
  std::string name() { return pick(2) == 0 ? "1650009" : "1650003"; }

  void move() {
    CaseAdvance a = to(static_cast<CaseState>(1 + pick(3)));
    if (pick(3) == 0) a.note = "a note";
    if (pick(3) == 0) a.test = CaseAdvance::Test{"diag", "", pick(4) != 0};
    if (pick(4) == 0) a.replaced_by = name();
    switch (pick(8)) {
      case 0: one_.book.hear(fault(one_.now - std::chrono::hours(pick(30)))); break;
      case 1:
        one_.book.hear(ActSeen{one_.now, static_cast<ActTrace>(1 << pick(5)), kBoard, "h1", "seen", pick(2) ? name() : "", {}});
        break;
      case 2: one_.book.hear(TestSeen{one_.now, pick(4) != 0, kBoard, "h1", "nightly", ""}); break;
      case 3: one_.book.hear_cleared(17, "reset", one_.now); break;
      case 4:
        one_.pass(std::chrono::minutes(pick(60 * 24 * 9)),
                  [&](const RepairCase&) { return pick(50) == 0 ? std::string("silent") : std::string(); });
        break;
      case 5:
        if (pick(20) == 0) (void)one_.book.close(one_.id, {static_cast<CaseOutcome>(pick(4)), "a reason", 5.0}, "ana", one_.now);
        break;
      default: (void)one_.go(a);
    }
  }

  void check() {
    const auto& c = one_.it();
    EXPECT_EQ(c.outcome.has_value(), c.state == closed);
    EXPECT_EQ(c.watch_until().has_value(), c.state == watching);
    EXPECT_LE(c.steps.size(), RepairCase::kMostSteps);
    EXPECT_LE(c.relapses, c.failed);
    if (c.state == watching) {
      EXPECT_TRUE(c.tested) << "watched without a passed test";
    }
    if (c.state == testing || c.state == watching) {
      EXPECT_TRUE(c.acted);
      EXPECT_TRUE(c.action != "replace_board" || c.swapped);
    }
    if (c.outcome == CaseOutcome::helped) {
      const auto& end = c.steps.back();
      EXPECT_EQ(end.from, watching);
      std::optional<Timestamp> began;
      for (const auto& s : c.steps)
        if (s.to == watching && s.from == testing) began = s.at;
      EXPECT_TRUE(began && end.at - *began >= c.watch) << "closed before the watch was over";
    }
    if (c.is_active()) {
      EXPECT_EQ(why_not_proven(c, one_.now).empty(), c.is_proven(one_.now));
    }
    for (const auto& next : next_steps(c, one_.now)) EXPECT_NE(next.to, c.state);
  }

  std::mt19937 random_;
  OneCase one_;
  std::optional<RepairCase> newest_;
};

TEST(CaseProperties, NoHistoryReachesAnImpossibleStateAndAllReplay) {
  std::map<std::string_view, int> ends;
  int relapses = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    Player player(seed);
    player.play(60);
    if (HasFatalFailure()) FAIL() << "seed " << seed;
    ++ends[player.newest()->outcome ? to_string(*player.newest()->outcome) : "active"];
    relapses += player.newest()->relapses;
  }
  for (const auto* end : {"helped", "did_not_help", "cannot_tell", "cancelled", "active"}) EXPECT_GT(ends[end], 0) << end;
  EXPECT_GT(relapses, 100) << "the histories are worth the name";
}

TEST(CaseProperties, AnyOtherStepIsRefused) {
  auto c = open_case(opening());
  for (int what = 0; what < 10; ++what)
    for (int from = 0; from < 5; ++from)
      for (int to = 0; to < 5; ++to) {
        CaseStep s{.at = kOpened,
                   .what = static_cast<CaseStep::What>(what),
                   .from = static_cast<CaseState>(from),
                   .to = static_cast<CaseState>(to)};
        if (s.what == CaseStep::What::closed) s.outcome = CaseOutcome::cancelled;
        const bool may =
            from == 0 && ((s.what == CaseStep::What::acting && s.to == acting) || (s.what == CaseStep::What::note && s.to == open) ||
                          (s.what == CaseStep::What::closed && s.to == closed));
        EXPECT_EQ(fits(c, s), may) << what << " " << from << " " << to;
      }
}

TEST(CaseProperties, AHistoryThatDoesNotFitIsNoCase) {
  OneCase one;
  one.until_watching();
  auto steps = one.it().steps;
  EXPECT_TRUE(replay(one.it(), steps));
  std::swap(steps[1], steps[2]);
  EXPECT_FALSE(replay(one.it(), steps));
  EXPECT_FALSE(replay(one.it(), {}));
}

}  // namespace
}  // namespace ghm::fleet
