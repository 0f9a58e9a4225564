#pragma once
#include <deque>
#include <optional>

#include "domain/windows/rollup.h"

namespace ghm::windows {

/// The last `span` of one series, in the numbers of a Rollup, kept up with each reading: smallest and largest stand at
/// the front of two queues of candidates (Lemire, "Streaming maximum-minimum filter using no more than three comparisons
/// per element", Nordic Journal of Computing 13, 2006); sum and increase are exact, so what leaves is simply subtracted.
/// Memory: the readings of the span.
class RollingWindow {
 public:
  /// span > 0: the window at `now` is now - span < at <= now.
  RollingWindow(std::chrono::milliseconds span, Counting counting) : span_(span), counting_(counting) {}

  /// A reading; the window's end moves to it when it is the newest. O(1) on average; a late one O(readings). Passed over
  /// (false): older than the window, at an instant that has one already, or not finite.
  bool add(const Point& point);
  /// Moves the end of the window; never back.
  void advance(Timestamp now);

  /// nullopt when the window is empty. `from` is the oldest reading's time. O(1) but for the copy of two sums.
  std::optional<Rollup> stats() const;
  const std::deque<Point>& points() const { return points_; }

 private:
  void append(const Point& point);
  void insert(const Point& point);
  void drop_front();
  void note_extremes(const Point& point);

  std::chrono::milliseconds span_;
  Counting counting_;
  Timestamp end_ = Timestamp{};
  std::deque<Point> points_, minima_, maxima_;  // the latter two: candidates, best first
  ExactSum sum_, increase_;
};

}  // namespace ghm::windows
