#include "domain/anomaly/event_burst.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ghm::anomaly {
namespace {

constexpr double kDay = 86400;
constexpr float kMemory = 30 * 86400.0F;
constexpr double kBinSeconds = 300, kWindowSeconds = kBinSeconds * EventBurst::kBins;

}  // namespace

void EventBurst::rearm() {
  known_ = false;
  bins_ = {};
  total_ = 0;
  head_ = filled_ = 0;
}

void EventBurst::turn(Timestamp now, bool learn) {
  for (; now - bin_from_ >= kBin; bin_from_ += kBin) {
    head_ = static_cast<std::uint8_t>((head_ + 1) % kBins);
    if (filled_ == kBins - 1 && learn) {
      past_events_ += bins_[head_];
      past_seconds_ += static_cast<float>(kBinSeconds);
    }
    if (filled_ < kBins - 1) ++filled_;
    bins_[head_] = 0;
  }
  if (past_seconds_ > kMemory) past_seconds_ /= 2, past_events_ /= 2;
  total_ = std::accumulate(bins_.begin(), bins_.end(), 0.0F);
}

void EventBurst::take(double counter, Timestamp now, bool learn) {
  if (!known_ || now - bin_from_ > kBins * kBin) {
    rearm();
    known_ = true;
    last_ = counter;
    bin_from_ = now;
    return;
  }
  if (now - bin_from_ >= kBin) turn(now, learn);
  if (counter > last_) {
    bins_[head_] += static_cast<float>(counter - last_);
    total_ += static_cast<float>(counter - last_);
  }
  last_ = counter;
}

Score EventBurst::look(PriorRate prior) const {
  if (total_ <= 0) return {0, 0, 1, 0};
  const double a_second =
      (static_cast<double>(past_events_) + prior.per_day * prior.days) / (static_cast<double>(past_seconds_) + prior.days * kDay);
  Score best{total_, a_second * kWindowSeconds, std::sqrt(a_second * kWindowSeconds), 0};
  double n = 0, seconds = 0;
  for (std::size_t back = 0; back <= filled_; ++back) {
    n += static_cast<double>(bins_[(head_ + kBins - back) % kBins]);
    seconds += kBinSeconds;
    const double m = a_second * seconds;
    if (n <= m) continue;
    const double z = std::sqrt(2 * (n * std::log(n / m) - (n - m)));
    if (z > best.z) best = {n, m, std::sqrt(m), z};
  }
  return best;
}

}  // namespace ghm::anomaly
