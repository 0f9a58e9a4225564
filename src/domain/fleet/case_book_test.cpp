#include "domain/fleet/case_book.h"

#include <gtest/gtest.h>

#include "domain/fleet/case_for_test.h"

namespace ghm::fleet {
namespace {

using namespace test;
using enum CaseState;
using What = CaseStep::What;
using std::chrono::days;

TEST(Cases, AGoodRepairGoesThroughAllStatesAndClosesByItself) {
  OneCase one;
  ASSERT_NE(one.id, 0u);
  EXPECT_EQ(one.it().state, open);
  EXPECT_EQ(one.it().watch, days(7)) << "by the action";
  ASSERT_TRUE(one.go(to(acting)));
  EXPECT_FALSE(one.it().acted) << "somebody has begun, no more";
  ASSERT_TRUE(one.go(to(testing)));
  EXPECT_EQ(one.it().acted, kOpened);
  ASSERT_TRUE(one.go(with_test(testing, true)));
  ASSERT_TRUE(one.go(to(watching)));
  EXPECT_EQ(one.it().watch_until(), kOpened + days(7));
  one.pass(days(7) - 10min);
  EXPECT_EQ(one.it().state, watching);
  one.pass(10min);
  EXPECT_EQ(one.it().state, closed);
  EXPECT_EQ(one.it().outcome, CaseOutcome::helped);
  EXPECT_EQ(one.it().steps.back().by, "ghm");
  ASSERT_EQ(one.book.take_changed().size(), 1u);
  EXPECT_EQ(one.book.find(one.id), nullptr) << "closed ones leave the book";
  EXPECT_EQ(one.book.advance(one.id, to(acting), "ana", one.now).error().code, Errc::conflict);
  EXPECT_EQ(one.book.advance(99, to(acting), "ana", one.now).error().code, Errc::not_found);
}

TEST(Cases, NoStepIsSkippedAndWhatIsMissingIsTold) {
  OneCase one;
  for (const auto state : {testing, watching}) EXPECT_EQ(one.go(to(state)).error().code, Errc::conflict);
  ASSERT_TRUE(one.go(to(acting)));
  EXPECT_EQ(one.go(with_test(watching, true)).error().code, Errc::conflict);
  EXPECT_EQ(one.go(with_test(acting, true)).error().code, Errc::invalid_input);
  ASSERT_TRUE(one.go(to(testing)));
  const auto untested = one.go(to(watching));
  ASSERT_FALSE(untested);
  EXPECT_NE(untested.error().what.find("passed test"), std::string::npos) << untested.error().what;
  EXPECT_EQ(one.it().steps.size(), 3u) << "what is refused changes nothing";
}

TEST(Cases, AFailedTestLeadsBackToTheAction) {
  OneCase one;
  ASSERT_TRUE(one.go(to(acting)));
  ASSERT_TRUE(one.go(with_test(testing, true)));
  EXPECT_TRUE(one.it().tested);
  ASSERT_TRUE(one.go(with_test(watching, false)));
  EXPECT_EQ(one.it().state, acting);
  EXPECT_FALSE(one.it().tested);
  EXPECT_FALSE(one.it().acted) << "it has to be acted on anew";
  EXPECT_EQ(one.it().failed, 1);
  EXPECT_EQ(one.it().relapses, 0);
  ASSERT_TRUE(one.go(to(testing)));
  EXPECT_FALSE(one.go(to(watching))) << "the earlier passed test counts no more";
}

TEST(Cases, TheFaultInTheWatchIsARelapse) {
  OneCase one;
  one.until_watching();
  one.pass(days(6));
  one.book.hear(fault(one.now));
  EXPECT_EQ(one.it().state, acting);
  EXPECT_EQ(one.it().relapses, 1);
  one.book.hear(fault(one.now + 1s));
  EXPECT_EQ(one.it().relapses, 1) << "it is known to be broken now";
  one.until_watching();
  EXPECT_EQ(one.it().watch_until(), one.now + days(7)) << "a whole watch once more";
}

TEST(Cases, WhatIsNoRelapse) {
  struct Row {
    const char* why;
    std::function<void(FaultSeen&)> turn;
    bool relapse;
  };
  const Row rows[] = {
      {"the same board, moved to another host", [](FaultSeen& f) { f.host = "h2", f.pci = "other"; }, true},
      {"another board in the same slot", [](FaultSeen& f) { f.board = kNew, f.gpu = "1650009"; }, true},
      {"another family", [](FaultSeen& f) { f.family = "thermal"; }, false},
      {"a neighbour on the host", [](FaultSeen& f) { f.board = kNeighbour, f.gpu = "1650004", f.pci = "00000000:66:00.0"; }, false},
      {"the host as such", [](FaultSeen& f) { f.board = BoardId::none, f.gpu = "", f.pci = ""; }, false},
      {"a sign from before the watch that came late", [](FaultSeen& f) { f.at = kOpened - 1h; }, false},
  };
  for (const auto& row : rows) {
    OneCase one;
    one.until_watching();
    auto f = fault(kOpened + 1h);
    row.turn(f);
    one.book.hear(f);
    EXPECT_EQ(one.it().relapses, row.relapse ? 1 : 0) << row.why;
  }
}

TEST(Cases, ACaseOfAHostHearsAllItsBoards) {
  auto o = opening("reboot_host", "");
  o.board = BoardId::none;
  o.gpu = o.slot = o.pci = "";
  OneCase one(o);
  one.until_watching();
  one.book.hear(fault(kOpened + 1h, "application"));
  EXPECT_EQ(one.it().state, watching) << "programs say nothing about a repair";
  one.book.hear(fault(kOpened + 1h, "pcie"));
  EXPECT_EQ(one.it().state, acting);
}

TEST(Cases, WhatAMachineShowsSaysThatTheActionIsDone) {
  struct Row {
    const char* action;
    ActTrace trace;
    bool of_host, done;
  };
  const Row rows[] = {{"reset_gpu", ActTrace::reset, false, true},    {"reset_gpu", ActTrace::boot, true, true},
                      {"reboot_host", ActTrace::reset, false, false}, {"reboot_host", ActTrace::boot, true, true},
                      {"check_cooling", ActTrace::boot, true, false}, {"update_driver", ActTrace::driver, false, true}};
  for (const auto& row : rows) {
    OneCase one(opening(row.action));
    ActSeen act{kOpened + 1h, row.trace, row.of_host ? BoardId::none : kBoard, "h1", "it was seen", "", {}};
    one.book.hear(act);
    EXPECT_EQ(one.it().state, row.done ? acting : open) << row.action;
    EXPECT_EQ(one.it().acted.has_value(), row.done) << row.action;
    const auto steps = one.it().steps.size();
    one.book.hear(act);
    EXPECT_EQ(one.it().steps.size(), steps) << "it is said once";
  }
  OneCase other;
  other.book.hear(ActSeen{kOpened + 1h, ActTrace::reset, kNeighbour, "h1", "another board", "", {}});
  EXPECT_EQ(other.it().state, open);
  other.book.hear(ActSeen{kOpened - 1h, ActTrace::reset, kBoard, "h1", "long ago", "", {}});
  EXPECT_EQ(other.it().state, open);
}

TEST(Cases, AReplacementNeedsTheNewBoardAndIsThenAboutIt) {
  OneCase one(opening("replace_board"));
  ASSERT_TRUE(one.go(to(acting)));
  EXPECT_FALSE(one.go(to(testing)));
  auto a = to(testing);
  a.replaced_by = "1650003";
  EXPECT_EQ(one.go(a).error().code, Errc::invalid_input);
  a.replaced_by = "1650009";
  a.replaced_board = kNew;
  ASSERT_TRUE(one.go(a));
  EXPECT_EQ(one.it().subject_gpu, "1650009");
  ASSERT_TRUE(one.go(with_test(watching, true)));
  EXPECT_EQ(one.it().watch_until(), kOpened + days(30));
  auto old_board = fault(kOpened + 1h);
  old_board.host = "bench-1";
  old_board.pci = "elsewhere";
  one.book.hear(old_board);
  EXPECT_EQ(one.it().state, watching) << "the old board fails on somebody's bench";
  auto new_board = fault(kOpened + 1h);
  new_board.board = kNew;
  new_board.gpu = "1650009";
  new_board.host = "h2";
  one.book.hear(new_board);
  EXPECT_EQ(one.it().state, acting);
}

TEST(Cases, ASwapThatIsSeenIsNotedAndEndsAWatchOfTheOldBoard) {
  const ActSeen swap{kOpened + 1h, ActTrace::replaced, kBoard, "h1", "another board stands there", "1650009", kNew};
  OneCase replacing(opening("replace_board"));
  replacing.book.hear(swap);
  EXPECT_EQ(replacing.it().state, acting);
  EXPECT_TRUE(replacing.it().acted);
  EXPECT_EQ(replacing.it().steps.back().installed, "1650009");
  replacing.book.hear(swap);
  EXPECT_EQ(replacing.it().steps.size(), 2u);
  ASSERT_TRUE(replacing.go(to(testing)));

  OneCase resetting;
  resetting.until_watching();
  resetting.book.hear(swap);
  EXPECT_EQ(resetting.it().state, acting);
  EXPECT_EQ(resetting.it().failed, 0) << "nothing speaks against the reset";
}

TEST(Cases, TestsOfOtherToolsCount) {
  OneCase one;
  const TestSeen passed{kOpened + 1h, true, kBoard, "h1", "burn-in", "ok"}, failed{kOpened + 2h, false, kBoard, "h1", "burn-in", "bad"};
  ASSERT_TRUE(one.go(to(acting)));
  one.book.hear(passed);
  EXPECT_EQ(one.it().state, acting) << "it is not known that anything was done";
  one.book.hear(ActSeen{kOpened + 30min, ActTrace::reset, kBoard, "h1", "reset", "", {}});
  one.book.hear(passed);
  EXPECT_EQ(one.it().state, testing);
  EXPECT_TRUE(one.it().tested);
  one.book.hear(failed);
  EXPECT_EQ(one.it().state, acting);
  EXPECT_EQ(one.it().failed, 1);
  one.book.hear(failed);
  EXPECT_EQ(one.it().failed, 1);
}

TEST(Cases, TimeWithoutSightIsNoProof) {
  OneCase one;
  one.until_watching();
  one.pass(days(2));
  one.pass(std::chrono::hours(48), [](const RepairCase&) { return std::string("it is silent"); });
  ASSERT_NE(one.book.gap(one.id), nullptr);
  EXPECT_EQ(one.book.gap(one.id)->why, "it is silent");
  one.pass(days(4));
  EXPECT_EQ(one.it().state, watching);
  EXPECT_NEAR(static_cast<double>((*one.it().watch_until() - kOpened).count()), 9 * 86'400e3, 20 * 60e3);
  EXPECT_EQ(one.it().steps.back().what, What::extended);
  one.pass(10min, [](const RepairCase&) { return std::string("it does nothing"); });
  one.pass(days(1) + 1h);
  EXPECT_EQ(one.it().outcome, CaseOutcome::helped) << "ten minutes are none";
}

TEST(Cases, NobodyClosesAsHelpedWhatCannotBeSeen) {
  OneCase one;
  one.until_watching();
  one.pass(days(6));
  one.pass(days(2), [](const RepairCase&) { return std::string("it is silent"); });
  EXPECT_EQ(one.book.close(one.id, {}, "ana", one.now).error().code, Errc::conflict);
  one.pass(10min);
  EXPECT_FALSE(one.book.close(one.id, {}, "ana", one.now)) << "the two days are missing";
}

TEST(Cases, AWatchThatIsNeverSeenNeverEnds) {
  OneCase one;
  one.until_watching();
  one.pass(days(60), [](const RepairCase&) { return std::string("it does nothing"); });
  EXPECT_EQ(one.it().state, watching);
  EXPECT_EQ(one.it().steps.size(), 5u) << "and costs nothing";
}

TEST(Cases, WhatHappenedWhileTheProgramDidNotRunIsNoProofEither) {
  OneCase one;
  one.until_watching();
  one.pass(days(1));
  CaseBook after;
  after.restore({one.it()}, {}, one.book.looked(), 2);
  after.look(kSeen, one.now + days(10));
  EXPECT_EQ(after.find(one.id)->state, watching);
  EXPECT_EQ(after.find(one.id)->watch_until(), kOpened + days(17));
}

TEST(Cases, GapsOnAndOffAreOneStep) {
  OneCase one;
  one.until_watching();
  for (int day = 0; day < 20 && one.book.find(one.id) && one.it().is_active(); ++day) {
    one.pass(std::chrono::hours(4));
    one.pass(std::chrono::hours(20), [](const RepairCase&) { return std::string("it does nothing"); });
  }
  EXPECT_EQ(one.it().state, watching);
  EXPECT_EQ(one.it().steps.size(), 6u);
}

TEST(Cases, OnlyProofClosesAsHelpedAndOtherEndsNeedAReason) {
  OneCase one;
  one.until_watching();
  one.pass(days(3));
  const auto early = one.book.close(one.id, {}, "ana", one.now);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Errc::conflict);
  EXPECT_NE(early.error().what.find("watch of 7 days lasts until"), std::string::npos) << early.error().what;
  EXPECT_EQ(one.book.close(one.id, {CaseOutcome::helped, "I am sure", {}}, "ana", one.now).error().code, Errc::conflict);
  EXPECT_EQ(one.book.close(one.id, {CaseOutcome::did_not_help, "", {}}, "ana", one.now).error().code, Errc::invalid_input);
  ASSERT_TRUE(one.book.close(one.id, {CaseOutcome::cannot_tell, "sold", 120.0}, "ana", one.now));
  EXPECT_EQ(one.it().outcome, CaseOutcome::cannot_tell);
  EXPECT_EQ(one.it().cost, 120.0);
}

TEST(Cases, OneThingHasOneCaseOfAFault) {
  OneCase one;
  EXPECT_EQ(one.book.open(opening()).error().code, Errc::conflict);
  EXPECT_TRUE(one.book.open(opening("check_cooling", "thermal")));
  EXPECT_EQ(one.book.open(opening("none", "pcie")).error().code, Errc::invalid_input);
  EXPECT_EQ(one.book.open(opening("pray", "pcie")).error().code, Errc::invalid_input);
  auto nothing = opening("reset_gpu", "pcie");
  nothing.board = BoardId::none;
  nothing.host = "";
  EXPECT_EQ(one.book.open(nothing).error().code, Errc::invalid_input);
  nothing.host = "h1";
  nothing.action = "replace_board";
  EXPECT_EQ(one.book.open(nothing).error().code, Errc::invalid_input) << "a host has no board of its own";
}

TEST(Cases, TheBookIsBounded) {
  CaseBook book;
  for (std::size_t n = 0; n < CaseBook::kMostActive; ++n) {
    auto o = opening();
    o.board = static_cast<BoardId>(n + 10);
    ASSERT_TRUE(book.open(o));
  }
  auto o = opening();
  o.board = BoardId{9'999'999};
  EXPECT_EQ(book.open(o).error().code, Errc::conflict);
  OneCase one;
  Result<void> said;
  for (int n = 0; n < 400 && said; ++n) said = one.book.note(one.id, "still waiting", {}, "ana", one.now);
  EXPECT_EQ(said.error().code, Errc::conflict);
  EXPECT_LT(one.it().steps.size(), RepairCase::kMostSteps);
}

TEST(Cases, APersonMaySayThatItCameBack) {
  OneCase one;
  one.until_watching();
  EXPECT_EQ(one.go(to(acting)).error().code, Errc::conflict) << "what came back has to be said";
  auto word = to(acting);
  word.note = "users see wrong results again";
  ASSERT_TRUE(one.go(word));
  EXPECT_EQ(one.it().relapses, 1);
}

}  // namespace
}  // namespace ghm::fleet
