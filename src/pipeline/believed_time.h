#pragma once
#include <optional>

#include "core/time.h"

namespace ghm::pipeline {

/// The time by which hours are finished and days are old. A clock that leaps ahead (a wrong setting, a bad time server) must
/// not make the store unlink what is young, so a leap is believed only after a day in which nobody took it back; until then
/// time goes on from where it was. What goes back is believed at once: it makes nothing older.
class BelievedTime {
 public:
  static constexpr auto kLeap = std::chrono::minutes(10);  // between two looks, which are about a second apart
  static constexpr auto kProbation = std::chrono::hours(24);

  /// `now`, less the leaps that are not believed yet. Call it regularly. The first look is believed.
  Timestamp at(Timestamp now) {
    const auto step = last_ ? now - *last_ : std::chrono::milliseconds(0);
    last_ = now;
    if (step > kLeap) {
      withheld_ += step;
      believed_from_ = now + kProbation;
    } else if (step < std::chrono::milliseconds(0)) {
      withheld_ = std::max(withheld_ + step, std::chrono::milliseconds(0));
      if (withheld_ < kLeap) withheld_ = {};
    }
    if (now >= believed_from_) withheld_ = {};
    return now - withheld_;
  }

 private:
  std::optional<Timestamp> last_;
  std::chrono::milliseconds withheld_{};
  Timestamp believed_from_{};
};

}  // namespace ghm::pipeline
