#include "domain/validation/source_of_truth.h"

#include <gtest/gtest.h>

namespace ghm::validation {
namespace {

using telemetry::BoardId;
const Timestamp kStart = from_unix_ms(1'700'000'000'000);
constexpr SourceNumber kFirst = 1, kSecond = 2;
const std::vector<BoardId> kBoards{BoardId{1}, BoardId::none, BoardId{2}};

struct SourceOfTruthTest : ::testing::Test {
  std::size_t contested(SourceNumber source, Timestamp at, const std::vector<BoardId>& boards = kBoards) {
    return truth.see(source, boards, at, 10s).size();
  }
  SourceOfTruth truth;
};

TEST_F(SourceOfTruthTest, TheFirstIsBelievedForAsLongAsItTalks) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(contested(kFirst, kStart + i * 10s), 0u);
    EXPECT_EQ(contested(kSecond, kStart + i * 10s + 3s), 2u) << "both boards, and none for the one without identity";
  }
  EXPECT_EQ(truth.believed(BoardId{1}), kFirst);
}

TEST_F(SourceOfTruthTest, ThePairIsNewsOnce) {
  contested(kFirst, kStart);
  EXPECT_EQ(truth.see(kSecond, kBoards, kStart, 10s), (std::vector<SourceOfTruth::Contested>{{0, kFirst, true}, {2, kFirst, false}}));
  EXPECT_FALSE(truth.see(kSecond, kBoards, kStart + 10s, 10s).at(0).first_time);
}

TEST_F(SourceOfTruthTest, AfterTwoIntervalsOfSilenceTheOtherTakesOverWithinOne) {
  contested(kFirst, kStart);
  EXPECT_EQ(contested(kSecond, kStart + 3s), 2u);
  EXPECT_EQ(contested(kSecond, kStart + 13s), 2u);
  const auto before = truth.generation();
  EXPECT_EQ(contested(kSecond, kStart + 23s), 0u) << "20 s after the first's last word, and at its own next turn";
  EXPECT_NE(truth.generation(), before);
  EXPECT_EQ(contested(kFirst, kStart + 24s), 2u) << "who returns is the second now: no flapping";
}

TEST_F(SourceOfTruthTest, OnlyTheBoardsThatBothShowAreContested) {
  contested(kFirst, kStart, {BoardId{1}});
  EXPECT_EQ(contested(kSecond, kStart), 1u);
  EXPECT_EQ(truth.believed(BoardId{2}), kSecond);
}

TEST_F(SourceOfTruthTest, AHundredQuietRoundsChangeNothing) {
  contested(kFirst, kStart);
  const auto before = truth.generation();
  for (int i = 1; i < 100; ++i) contested(kFirst, kStart + i * 10s);
  EXPECT_EQ(truth.generation(), before);
}

TEST_F(SourceOfTruthTest, ASourceThatIsReadNoLongerHoldsNothing) {
  contested(kFirst, kStart);
  truth.forget(kFirst);
  EXPECT_EQ(contested(kSecond, kStart + 1s), 0u);
}

TEST_F(SourceOfTruthTest, AClockThatIsSetBackDoesNotFreeABoard) {
  contested(kFirst, kStart);
  contested(kFirst, kStart - 1h);
  EXPECT_EQ(contested(kSecond, kStart + 5s), 2u);
}

}  // namespace
}  // namespace ghm::validation
