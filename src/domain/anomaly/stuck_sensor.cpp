#include "domain/anomaly/stuck_sensor.h"

#include <algorithm>

namespace ghm::anomaly {
namespace {

constexpr int kEnoughChanges = 4;
constexpr float kWeight = 1.0F / 8;

float seconds(Timestamp from, Timestamp to) {
  return std::chrono::duration<float>(to - from).count();
}

}  // namespace

void StuckSensor::take(double x, double driver, Timestamp now) {
  const auto value = static_cast<float>(x), drive = static_cast<float>(driver);
  const bool moved = known_ && value != last_;
  if (moved) {
    const float span = seconds(changed_, now);
    usual_s_ = changes_ == 0 ? span : usual_s_ + kWeight * (span - usual_s_);
    if (changes_ < kEnoughChanges) ++changes_;
  }
  if (!known_ || moved) {
    known_ = true;
    last_ = value;
    changed_ = now;
    low_ = high_ = drive;
    return;
  }
  low_ = std::min(low_, drive);
  high_ = std::max(high_, drive);
}

std::optional<Score> StuckSensor::look(double band, Timestamp now) const {
  if (!known_ || changes_ < kEnoughChanges || usual_s_ <= 0) return std::nullopt;
  if (static_cast<double>(high_ - low_) < band) return std::nullopt;
  const double still = seconds(changed_, now), usual = usual_s_;
  return Score{still, usual, usual, still / usual};
}

}  // namespace ghm::anomaly
