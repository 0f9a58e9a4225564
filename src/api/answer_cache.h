#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "domain/views/fleet_snapshot.h"

namespace ghm::api {

/// What was made from one snapshot, by name; all of it goes when the snapshot changes. One thread.
/// T is cheap to copy and says with size() how many bytes it keeps.
template <class T>
class AnswerCache {
 public:
  explicit AnswerCache(std::size_t most_bytes = 32u << 20) : most_bytes_(most_bytes) {}

  /// nullptr: not there. Valid until the next put().
  const T* find(const std::shared_ptr<const views::FleetSnapshot>& fleet, const std::string& name) {
    if (fleet != fleet_) renew(fleet);
    const auto found = kept_.find(name);
    return found == kept_.end() ? nullptr : &found->second;
  }

  const T& put(const std::shared_ptr<const views::FleetSnapshot>& fleet, const std::string& name, T value) {
    // Names come from outside (queries): when they are many, starting over is cheaper than keeping account of them.
    if (fleet != fleet_ || bytes_ + value.size() > most_bytes_ || kept_.size() >= kMostNames) renew(fleet);
    bytes_ += value.size();
    return kept_.insert_or_assign(name, std::move(value)).first->second;
  }

 private:
  static constexpr std::size_t kMostNames = 1000;
  void renew(const std::shared_ptr<const views::FleetSnapshot>& fleet) {
    fleet_ = fleet;  // held, so that no later snapshot can have the same address
    kept_.clear();
    bytes_ = 0;
  }

  std::shared_ptr<const views::FleetSnapshot> fleet_;
  std::unordered_map<std::string, T> kept_;
  std::size_t most_bytes_, bytes_ = 0;
};

}  // namespace ghm::api
