#include "pipeline/remote_gate.h"

#include <utility>

namespace ghm::pipeline {

std::optional<Told> RemoteGate::enter(Told answer) {
  {
    std::lock_guard lock(mutex_);
    if (!closed_ && waiting_.size() < kMostWaiting) {
      const auto number = next_++;
      waiting_.emplace(number, std::move(answer));
      return [this, number](const Result<void>& outcome) { this->answer(number, outcome); };
    }
  }
  answer(Error{Errc::unavailable, "too many requests wait for the store: try again shortly"});
  return std::nullopt;
}

void RemoteGate::answer(std::uint64_t number, const Result<void>& outcome) {
  Told told;
  {
    std::lock_guard lock(mutex_);
    const auto found = waiting_.find(number);
    if (found == waiting_.end()) return;
    told = std::move(found->second);
    waiting_.erase(found);
  }
  told(outcome);
}

void RemoteGate::fail_all(const Error& why) {
  std::map<std::uint64_t, Told> all;
  {
    std::lock_guard lock(mutex_);
    all.swap(waiting_);
  }
  for (const auto& [number, told] : all) told(why);
}

void RemoteGate::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  fail_all({Errc::unavailable, "the server is stopping: try again shortly"});
}

}  // namespace ghm::pipeline
