#pragma once
#include <cstdint>

#include "core/time.h"

namespace ghm::anomaly {

/// When a finding becomes an anomaly and when it ends: it opens after it held without a break for `persist`, and closes
/// after it was gone without a break for `calm`. Between the two thresholds nothing changes. 24 bytes.
class Hysteresis {
 public:
  enum class Change : std::uint8_t { none, opened, closed };

  /// over: beyond the opening threshold; under: below the closing one (never both).
  Change take(bool over, bool under, Timestamp now, std::chrono::minutes persist, std::chrono::minutes calm) {
    if (!open_) return wait(over, now, persist);
    if (!under) calm_since_ = {};
    else if (calm_since_ == Timestamp{}) calm_since_ = now;
    if (!under || now - calm_since_ < calm) return Change::none;
    *this = {};
    return Change::closed;
  }
  /// It was open before a restart.
  void reopen(Timestamp since) {
    since_ = since;
    open_ = true;
  }
  /// After a gap: what was not open yet starts anew.
  void rearm() {
    if (!open_) since_ = {};
    calm_since_ = {};
  }
  bool is_open() const { return open_; }
  /// It is beyond the threshold, or open.
  bool is_up() const { return since_ != Timestamp{}; }
  /// Since when it has been so. The epoch: it is not.
  Timestamp since() const { return since_; }

 private:
  Change wait(bool over, Timestamp now, std::chrono::minutes persist) {
    if (!over) since_ = {};
    else if (since_ == Timestamp{}) since_ = now;
    if (!over || now - since_ < persist) return Change::none;
    open_ = true;
    return Change::opened;
  }

  Timestamp since_{}, calm_since_{};
  bool open_ = false;
};

}  // namespace ghm::anomaly
