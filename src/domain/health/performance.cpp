// Performance dimension of the profile `baseline`. A busy board is compared with its own past and with boards at the same job;
// clocks, PCIe and NVLink with what the part can do.
#include <algorithm>

#include "domain/health/moments.h"
#include "domain/health/rules.h"

namespace ghm::health {
namespace {

std::optional<double> busy_clock_today(const Peer& peer, double t) {
  if (peer.busy_clock) return peer.busy_clock;
  return busy_clock(activity(peer.metrics, t), metric(peer.metrics, t, "DCGM_FI_DEV_SM_CLOCK"), t - kDay, t).value(0);
}

// Median of what the boards at the same job reach today; nullopt with fewer than three.
std::optional<double> usual_of_job(const Evidence& e) {
  constexpr std::size_t kLeastPeers = 3;
  std::vector<double> clocks;
  for (const auto& peer : e.input().peers) {
    if (!peer.same_job) continue;
    if (const auto q = busy_clock_today(peer, e.t())) clocks.push_back(*q);
  }
  if (clocks.size() < kLeastPeers) return std::nullopt;
  return percentile(std::move(clocks), 50);
}

// Own past and peers are two references; the higher one means the larger shortfall.
std::optional<Verdict> throughput(const Evidence& e) {
  constexpr std::size_t kLeastDays = 7;
  const auto& days = e.measures().busy_clock;
  const auto now = days.value(0);
  if (!now) return std::nullopt;
  const double reference = std::max(days.usual(kLeastDays).value_or(0), usual_of_job(e).value_or(0));
  if (reference <= *now || reference <= 0) return std::nullopt;
  return Verdict{100 * (1 - *now / reference), *now, reference, e.t()};
}

std::optional<Verdict> clock(const Evidence& e) {
  constexpr double kPoints = 10, kShare = 0.05;
  const auto& slow = e.measures().slow_clock;
  if (slow.all == 0 || slow.value() <= kShare) return std::nullopt;
  return Verdict{kPoints, slow.value(), kShare, slow.last_at};
}

constexpr double kPciePoints = 5;

std::optional<Verdict> narrow(const Evidence& e) {
  if (!e.present(Of::pcie_width) || !e.present(Of::pcie_max_width)) return std::nullopt;
  const auto &width = e.measures().width, &most = e.measures().most_width;
  if (width.value >= most.value) return std::nullopt;  // both 0 where they were never read together
  return Verdict{kPciePoints, width.value, most.value, width.at};
}

// The link slows down when idle, by design, so that only readings under load count.
std::optional<Verdict> slow_generation(const Evidence& e) {
  constexpr double kShare = 0.95;
  if (!e.present(Of::pcie_gen) || !e.present(Of::pcie_max_gen) || !e.present(Of::activity)) return std::nullopt;
  const auto& slow = e.measures().slow_generation;
  if (slow.all == 0 || slow.value() < kShare) return std::nullopt;
  return Verdict{kPciePoints, slow.value(), kShare, slow.last_at};
}

std::optional<Verdict> pcie(const Evidence& e) {
  const auto verdict = narrow(e);
  return verdict ? verdict : slow_generation(e);
}

std::optional<Verdict> nvlink(const Evidence& e) {
  constexpr double kPoints = 5;
  const double expected = e.input().links_expected;
  const auto& m = e.measures();
  if (m.links_up >= expected) return std::nullopt;
  return Verdict{kPoints, m.links_up, expected, m.links_at};
}

}  // namespace

std::span<const Rule> performance_rules() {
  static const Rule kRules[] = {
      {"performance.throughput", Effect::deduct, {Of::activity, Of::sm_clock}, throughput},
      {"performance.clock", Effect::deduct, {Of::activity, Of::sm_clock, Of::max_sm_clock, Of::reasons}, clock},
      {"performance.pcie", Effect::deduct, {}, pcie},
      {"performance.nvlink", Effect::deduct, {Of::nvlinks}, nvlink},
  };
  return kRules;
}

}  // namespace ghm::health
