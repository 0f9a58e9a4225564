#include "domain/anomaly/stuck_sensor.h"

#include <gtest/gtest.h>

#include <functional>

namespace ghm::anomaly {
namespace {

const Timestamp kStart = from_unix_ms(1'700'000'000'000);

struct Sensor {
  StuckSensor sensor;
  int minute = 0;
  void pass(int minutes, const std::function<double(int)>& says, const std::function<double(int)>& driver) {
    for (int end = minute + minutes; minute < end; ++minute) sensor.take(says(minute), driver(minute), now());
  }
  Timestamp now() const { return kStart + std::chrono::minutes(minute); }
  std::optional<Score> look(double band) const { return sensor.look(band, now()); }
};

const auto moving = [](int minute) { return 60.0 + minute % 3; };
const auto still = [](int) { return 61.0; };
const auto steady = [](int) { return 300.0; };
const auto swinging = [](int minute) { return minute / 5 % 2 == 0 ? 100.0 : 650.0; };

TEST(StuckSensor, ATable) {
  struct Case {
    const char* why;
    std::function<double(int)> says, driver;
    double band;
    bool is_stuck;
  };
  const Case cases[] = {
      {"it moves", moving, swinging, 140, false},
      {"power swings and it stands still", still, swinging, 140, true},
      {"an idle board's temperature may stand still", still, steady, 140, false},
      {"what moves by itself may not", still, steady, 0, true},
      {"small swings move no whole degree", still, [](int m) { return 300.0 + 20 * (m % 2); }, 140, false},
  };
  for (const auto& c : cases) {
    Sensor s;
    s.pass(60, moving, swinging);
    s.pass(60, c.says, c.driver);
    const auto score = s.look(c.band);
    const bool is_stuck = score && score->value >= 900 && score->z >= 4;
    EXPECT_EQ(is_stuck, c.is_stuck) << c.why;
  }
}

TEST(StuckSensor, LearnsHowOftenASlowExporterRefreshes) {
  Sensor s;
  s.pass(
      200, [](int minute) { return minute / 20; }, swinging);
  ASSERT_TRUE(s.look(0));
  EXPECT_NEAR(s.look(0)->expected, 1200, 60);
  EXPECT_LT(s.look(0)->z, 1.1) << "twenty minutes without a change are what it always does";
}

TEST(StuckSensor, SaysNothingOfASensorThatNeverMoved) {
  Sensor s;
  s.pass(500, still, swinging);
  EXPECT_FALSE(s.look(0)) << "a constant is no sensor, as far as anybody knows";
}

TEST(StuckSensor, AGapIsNotStandingStill) {
  Sensor s;
  s.pass(60, moving, swinging);
  s.minute += 600;
  s.sensor.rearm();
  s.pass(1, moving, swinging);
  EXPECT_LT(s.look(0)->value, 120);
}

static_assert(sizeof(StuckSensor) <= 48);

}  // namespace
}  // namespace ghm::anomaly
