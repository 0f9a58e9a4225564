#include "pipeline/keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "pipeline/partial_rows.h"

namespace ghm::pipeline {
namespace {

constexpr auto kMaintainEvery = 1s;

// Gathers what is waiting into one batch, so that one fsync serves all of it.
ToKeep merge(std::deque<ToKeep> parts) {
  ToKeep all;
  for (auto& part : parts) {
    std::move(part.rows.begin(), part.rows.end(), std::back_inserter(all.rows));
    std::move(part.records.begin(), part.records.end(), std::back_inserter(all.records));
    std::move(part.told.begin(), part.told.end(), std::back_inserter(all.told));
    std::move(part.with_rows.begin(), part.with_rows.end(), std::back_inserter(all.with_rows));
    all.urgent.insert(all.urgent.end(), part.urgent.begin(), part.urgent.end());
  }
  join_partial_rows(all.rows);
  return all;
}

void tell(ToKeep& all, const Result<void>& outcome) {
  for (const auto& told : std::exchange(all.told, {})) told(outcome);
}

}  // namespace

Keeper::Keeper(store::TelemetryStore& telemetry, store::RecordStore& records, KeeperSettings settings, Log log)
    : telemetry_(telemetry), records_(records), settings_(settings), log_(std::move(log)) {}

Result<void> Keeper::run(Mailbox<ToKeep>& in, Clock& clock, std::stop_token stop) {
  for (;;) {
    auto parts = in.take_all(stop);
    if (parts.empty()) return {};
    ToKeep all = merge(std::move(parts));
    if (auto done = keep(all, clock, stop); !done) return done;
    if (auto done = maintain(clock.now()); !done) return done;
    clock.sleep_until(clock.now() + settings_.gather, stop);
  }
}

// The board comes before its readings: after a crash between the two, a board without readings is harmless, readings of a board that
// nobody knows are lost. That a batch was taken comes last: what was not written down is sent again, and is stored once.
Result<void> Keeper::write_in_turn(ToKeep& all) {
  if (!all.records.empty())
    if (auto done = records_.put(all.records); !done) return done;
  if (!all.rows.empty())
    if (auto done = telemetry_.append(all.rows); !done) return done;
  return all.with_rows.empty() ? Result<void>() : records_.put(all.with_rows);
}

// In one transaction where the store can.
Result<void> Keeper::write(ToKeep& all) {
  if (both_ != nullptr) std::ranges::move(std::exchange(all.with_rows, {}), std::back_inserter(all.records));
  if (auto done = both_ != nullptr ? both_->keep(all.rows, all.records) : write_in_turn(all); !done) return done;
  if (settings_.kept && !(all.rows.empty() && all.urgent.empty())) settings_.kept(all.rows, all.urgent);
  return {};
}

Result<void> Keeper::keep(ToKeep& all, Clock& clock, std::stop_token stop) {
  for (auto wait = 250ms;; wait = std::min(wait * 2, std::chrono::milliseconds(10'000))) {
    auto done = write(all);
    tell(all, done);
    if (done) {
      set_trouble("");
      return {};
    }
    set_trouble(done.error().what);
    if (done.error().code != Errc::unavailable) return done;
    if (!clock.sleep_until(clock.now() + wait, stop)) return done;
  }
}

Result<void> Keeper::maintain(Timestamp now) {
  if (now < next_maintenance_ && next_maintenance_ - now <= kMaintainEvery) return {};  // unless the clock went back
  auto more = telemetry_.maintain(believed_.at(now));
  if (!more) {
    set_trouble(more.error().what);
    return more.error().code == Errc::corrupt ? Result<void>(more.error()) : Result<void>();
  }
  next_maintenance_ = *more ? now : now + kMaintainEvery;
  return {};
}

void Keeper::set_trouble(const std::string& what) {
  std::lock_guard lock(mutex_);
  if (what != trouble_) {
    if (what.empty()) log_.info("store.recovered");
    else log_.error("store.failed", {{"error", what}});
  }
  trouble_ = what;
}

std::string Keeper::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace ghm::pipeline
