#include "domain/anomaly/event_burst.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace ghm::anomaly {
namespace {

const Timestamp kStart = from_unix_ms(1'700'000'000'000);
constexpr PriorRate kTwiceADay{2, 2}, kHardlyEver{0.001, 10};

struct Counter {
  EventBurst burst;
  double counter = 1000;
  int minute = 0;
  void pass(int minutes, double a_minute = 0, bool learn = true) {
    for (int end = minute + minutes; minute < end; ++minute) burst.take(counter += a_minute, now(), learn);
  }
  Timestamp now() const { return kStart + std::chrono::minutes(minute); }
};

// n ln(n/m) - (n - m), as in the book.
double glr(double n, double m) {
  return std::sqrt(2 * (n * std::log(n / m) - (n - m)));
}

TEST(EventBurst, ATable) {
  struct Case {
    const char* why;
    PriorRate prior;
    double events;
    double low, high;  // of z
  };
  const Case cases[] = {
      {"nothing happened", kTwiceADay, 0, 0, 0},
      {"an event twice a day is no burst", kTwiceADay, 1, 0, 4},
      {"thirty at once are", kTwiceADay, 30, 15, 30},
      {"one of what hardly ever happens is news", kHardlyEver, 1, 4, 6},
  };
  for (const auto& c : cases) {
    Counter counter;
    counter.pass(30);
    counter.counter += c.events;
    counter.pass(1);
    const auto score = counter.burst.look(c.prior);
    EXPECT_GE(score.z, c.low) << c.why;
    EXPECT_LE(score.z, c.high) << c.why;
  }
}

TEST(EventBurst, TheFirstValueIsWhereCountingBeginsAndARestartIsNoEvent) {
  Counter c;
  c.pass(5);
  EXPECT_EQ(c.burst.look(kHardlyEver).z, 0) << "a thousand errors of earlier years";
  c.counter = 0;
  c.pass(5);
  EXPECT_EQ(c.burst.look(kHardlyEver).z, 0);
  c.counter = 3;
  c.pass(1);
  EXPECT_GT(c.burst.look(kHardlyEver).z, 4);
}

TEST(EventBurst, WhatHappenedDuringAGapOfHoursIsNotABurst) {
  Counter c;
  c.pass(30);
  c.minute += 300;
  c.counter += 100;
  c.pass(5);
  EXPECT_EQ(c.burst.look(kTwiceADay).z, 0);
}

TEST(EventBurst, ABoardThatAlwaysErrsIsNormalForItself) {
  Counter c;
  c.pass(5 * 24 * 60, 0.5);
  EXPECT_LT(c.burst.look(kTwiceADay).z, 3);
  c.pass(30, 10);
  EXPECT_GT(c.burst.look(kTwiceADay).z, 20) << "but twenty times as many are not";
}

TEST(EventBurst, ItsSpansAreAsTheFormulaSays) {
  Counter c;
  c.pass(120);
  c.pass(1, 50);
  const double rate = kTwiceADay.per_day * kTwiceADay.days / (kTwiceADay.days * 86400 + 60 * 60);
  const auto score = c.burst.look(kTwiceADay);
  EXPECT_EQ(score.value, 50);
  EXPECT_NEAR(score.z, glr(50, rate * 300), 0.3) << "all in the last five minutes";
}

TEST(EventBurst, AnHourLaterItIsOver) {
  Counter c;
  c.pass(30);
  c.pass(10, 100, false);
  EXPECT_GT(c.burst.look(kTwiceADay).z, 10);
  c.pass(70, 0, false);
  EXPECT_EQ(c.burst.look(kTwiceADay).z, 0);
}

// Poisson events at the own rate: how often z passes 5 in a year of boards.
TEST(EventBurst, CriesWolfAsSeldomAsItsSigmasSay) {
  std::mt19937 random(11);
  Counter c;
  int beyond = 0;
  std::poisson_distribution<int> a_minute(20.0 / 1440);
  for (int i = 0; i < 365 * 1440; ++i) {
    c.counter += a_minute(random);
    c.pass(1);
    beyond += c.burst.look({20, 0.5}).z > 6;
  }
  EXPECT_EQ(beyond, 0);
}

static_assert(sizeof(EventBurst) <= 96);

}  // namespace
}  // namespace ghm::anomaly
