#pragma once
#include <atomic>
#include <functional>

#include "core/log.h"
#include "services/back_scoring.h"

namespace ghm::services {

struct LookingBackSettings {
  BackScoringSettings scoring;
  std::chrono::days raw{30};                 // readings older than that are gone
  std::chrono::milliseconds first{20s};      // after the start: live scores come first
  std::chrono::milliseconds again{6h};       // after a look that found nothing more
  std::chrono::milliseconds settled{10min};  // after readings of the past came in
  int share_percent = 10;                    // of one core, at most
};

/// Scores of the past in the background of a server (back_scoring.h): soon after its start, when readings of the past came in, and a few
/// times a day. It rests nine times as long as each small piece took, so that live scores and answers hardly notice.
class LookingBack {
 public:
  using Fleet = std::function<FleetPast()>;
  LookingBack(const store::TelemetryStore& telemetry, const store::RecordStore& records, Fleet fleet, LookingBackSettings settings,
              BackScoring::Keep keep, Log log)
      : telemetry_(telemetry),
        records_(records),
        fleet_(std::move(fleet)),
        settings_(settings),
        keep_(std::move(keep)),
        log_(std::move(log)) {}

  /// Until stopped. A store that cannot be read or written now is asked again with the next look.
  void run(Clock& clock, std::stop_token stop);
  /// Readings of the past came in. Any thread.
  void more_came() { more_came_ = true; }
  /// Rounds of boards since the start. Any thread.
  std::uint64_t rounds() const { return rounds_; }

 private:
  void look(Clock& clock, std::stop_token stop);
  bool wait(Clock& clock, std::stop_token stop);

  const store::TelemetryStore& telemetry_;
  const store::RecordStore& records_;
  Fleet fleet_;
  LookingBackSettings settings_;
  BackScoring::Keep keep_;
  Log log_;
  std::atomic<bool> more_came_ = false;
  std::atomic<std::uint64_t> rounds_ = 0;
};

}  // namespace ghm::services
