#include "pipeline/believed_time.h"

#include <gtest/gtest.h>

namespace ghm::pipeline {
namespace {

const Timestamp kStart = from_unix_ms(1'770'638'400'000);

TEST(BelievedTime, FollowsAClockThatGoes) {
  BelievedTime time;
  for (int s = 0; s < 100'000; s += 7) EXPECT_EQ(time.at(kStart + s * 1s), kStart + s * 1s);
}

TEST(BelievedTime, GoesOnFromWhereItWasWhenTheClockLeapsAheadAndBack) {
  for (const auto leap : {std::chrono::hours(1), std::chrono::hours(24), std::chrono::hours(24 * 400)}) {
    BelievedTime time;
    time.at(kStart);
    for (int s = 1; s < 3600; ++s) EXPECT_LE(time.at(kStart + leap + s * 1s), kStart + s * 1s);
    EXPECT_EQ(time.at(kStart + 1h), kStart + 1h) << "taken back: nothing is left of it";
  }
}

TEST(BelievedTime, BelievesALeapThatLastsADay) {
  BelievedTime time;
  time.at(kStart);
  const auto after = kStart + std::chrono::days(3);  // asleep over the weekend
  EXPECT_EQ(time.at(after), kStart);
  for (int m = 1; m < 24 * 60; ++m) EXPECT_LT(time.at(after + m * 1min), after);
  EXPECT_EQ(time.at(after + 24h), after + 24h);
}

TEST(BelievedTime, BelievesAClockThatGoesBackAtOnce) {
  BelievedTime time;
  time.at(kStart);
  EXPECT_EQ(time.at(kStart - 1h), kStart - 1h);
  EXPECT_EQ(time.at(kStart - 1h + 1s), kStart - 1h + 1s);
}

}  // namespace
}  // namespace ghm::pipeline
