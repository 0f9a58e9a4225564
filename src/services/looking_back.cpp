#include "services/looking_back.h"

namespace ghm::services {
namespace {

// The hour in hand, and the one that may still wait for its live scores, are not the past yet.
constexpr auto kFresh = 1h;

}  // namespace

void LookingBack::run(Clock& clock, std::stop_token stop) {
  for (auto go = clock.sleep_until(clock.now() + settings_.first, stop); go; go = wait(clock, stop)) look(clock, stop);
}

bool LookingBack::wait(Clock& clock, std::stop_token stop) {
  const auto next = clock.now() + settings_.again;
  while (clock.now() < next && !more_came_)
    if (!clock.sleep_until(std::min(next, clock.now() + 10s), stop)) return false;
  return !more_came_ || clock.sleep_until(clock.now() + settings_.settled, stop);
}

void LookingBack::look(Clock& clock, std::stop_token stop) {
  more_came_ = false;
  const auto now = clock.now();
  const TimeRange within{std::chrono::ceil<std::chrono::days>(now - settings_.raw), std::chrono::floor<std::chrono::hours>(now - kFresh)};
  BackScoring back(telemetry_, records_, fleet_(), within, settings_.scoring, keep_);
  std::uint64_t hours = 0, rounds = 0;
  while (!stop.stop_requested()) {
    const auto begun = std::chrono::steady_clock::now();
    const auto done = back.step(stop);
    if (!done) return log_.warn("past_scores.failed", {{"error", done.error().what}});
    if (done->finished) break;
    hours += done->hours;
    rounds += done->rounds;
    rounds_ += done->rounds;
    const auto took = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    if (!clock.sleep_until(clock.now() + took * (100 - settings_.share_percent) / settings_.share_percent, stop)) return;
  }
  if (rounds > 0) log_.info("past_scores.done", {{"board_hours", std::to_string(hours)}, {"rounds", std::to_string(rounds)}});
}

}  // namespace ghm::services
