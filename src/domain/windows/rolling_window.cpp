#include "domain/windows/rolling_window.h"

#include <algorithm>
#include <cmath>

namespace ghm::windows {

bool RollingWindow::add(const Point& given) {
  const Point p{given.at, given.value == 0 ? 0 : given.value};  // -0.0 and 0.0 have no order
  if (!std::isfinite(p.value) || p.at <= end_ - span_) return false;
  if (points_.empty() || p.at > points_.back().at) append(p);
  else if (std::ranges::binary_search(points_, p.at, {}, &Point::at)) return false;
  else insert(p);
  advance(p.at);
  return true;
}

void RollingWindow::append(const Point& p) {
  if (!points_.empty()) increase_.add(step(points_.back().value, p.value, counting_));
  sum_.add(p.value);
  points_.push_back(p);
  note_extremes(p);
}

void RollingWindow::insert(const Point& p) {
  const auto next = std::ranges::lower_bound(points_, p.at, {}, &Point::at);
  if (next != points_.begin()) {
    const auto before = std::prev(next)->value;
    increase_.subtract(step(before, next->value, counting_));
    increase_.add(step(before, p.value, counting_));
  }
  increase_.add(step(p.value, next->value, counting_));
  sum_.add(p.value);
  points_.insert(next, p);
  minima_.clear();
  maxima_.clear();
  for (const auto& point : points_) note_extremes(point);
}

// Who is older and not better will never be the best again.
void RollingWindow::note_extremes(const Point& p) {
  while (!minima_.empty() && minima_.back().value >= p.value) minima_.pop_back();
  while (!maxima_.empty() && maxima_.back().value <= p.value) maxima_.pop_back();
  minima_.push_back(p);
  maxima_.push_back(p);
}

void RollingWindow::advance(Timestamp now) {
  end_ = std::max(end_, now);
  while (!points_.empty() && points_.front().at <= end_ - span_) drop_front();
}

void RollingWindow::drop_front() {
  const auto gone = points_.front();
  points_.pop_front();
  sum_.subtract(gone.value);
  if (!points_.empty()) increase_.subtract(step(gone.value, points_.front().value, counting_));
  if (minima_.front().at == gone.at) minima_.pop_front();
  if (maxima_.front().at == gone.at) maxima_.pop_front();
}

std::optional<Rollup> RollingWindow::stats() const {
  if (points_.empty()) return std::nullopt;
  const double first = counting_ == Counting::none ? 0 : points_.front().value;
  return Rollup{points_.front().at, points_.size(), minima_.front().value, maxima_.front().value, points_.back().value, first, sum_,
                increase_};
}

}  // namespace ghm::windows
