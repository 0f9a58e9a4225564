// Performance dimension of the profile `baseline`. A busy board is compared with its own past and with boards at the same job;
// clocks, PCIe and NVLink with what the part can do.
#include <algorithm>
#include <array>

#include "domain/health/rules.h"

namespace ghm::health {
namespace {

constexpr double kUnderLoad = 0.5;

// Mean SM clock at an activity of 0.9 or more, by day; `from` spares the days nobody asks for.
Days busy_clock(const Metric& activity, const Metric& clock, double from, double t) {
  constexpr double kBusy = 0.9;
  Days days(t);
  for_each_joined(std::array{&activity, &clock}, from, t, [&](double at, const auto& v) {
    if (v[0] >= kBusy) days.add(at, v[1]);
  });
  return days;
}

// Median of what the boards at the same job reach today; nullopt with fewer than three.
std::optional<double> usual_of_job(const Evidence& e) {
  constexpr std::size_t kLeastPeers = 3;
  std::vector<double> clocks;
  for (const auto& peer : e.input().peers) {
    if (!peer.same_job) continue;
    const auto clock = metric(peer.metrics, e.t(), "DCGM_FI_DEV_SM_CLOCK");
    if (const auto q = busy_clock(activity(peer.metrics, e.t()), clock, e.t() - kDay, e.t()).value(0)) clocks.push_back(*q);
  }
  if (clocks.size() < kLeastPeers) return std::nullopt;
  return percentile(std::move(clocks), 50);
}

// Own past and peers are two references; the higher one means the larger shortfall.
std::optional<Verdict> throughput(const Evidence& e) {
  constexpr std::size_t kLeastDays = 7;
  const auto days = busy_clock(e[Of::activity], e[Of::sm_clock], e.t() - Days::kCount * kDay, e.t());
  const auto now = days.value(0);
  if (!now) return std::nullopt;
  const double reference = std::max(days.usual(kLeastDays).value_or(0), usual_of_job(e).value_or(0));
  if (reference <= *now || reference <= 0) return std::nullopt;
  return Verdict{100 * (1 - *now / reference), *now, reference, e.t()};
}

std::optional<Verdict> clock(const Evidence& e) {
  constexpr double kPoints = 10, kShare = 0.05, kOfMaximum = 0.9;
  constexpr std::uint64_t kPowerCap = 0x4;  // slow by an asked-for limit: no fault of the clock
  double loaded = 0, slow = 0, last_at = 0;
  for_each_joined(std::array{&e[Of::activity], &e[Of::sm_clock], &e[Of::max_sm_clock], &e[Of::reasons]}, e.t() - kDay, e.t(),
                  [&](double at, const auto& v) {
                    if (v[0] < kUnderLoad) return;
                    ++loaded;
                    if (v[1] >= kOfMaximum * v[2] || has_bits(v[3], kPowerCap)) return;
                    ++slow;
                    last_at = at;
                  });
  if (loaded == 0 || slow / loaded <= kShare) return std::nullopt;
  return Verdict{kPoints, slow / loaded, kShare, last_at};
}

constexpr double kPciePoints = 5;

std::optional<Verdict> narrow(const Evidence& e) {
  if (!e.present(Of::pcie_width) || !e.present(Of::pcie_max_width)) return std::nullopt;
  const auto width = e[Of::pcie_width].readings, most = e[Of::pcie_max_width].readings;
  for (auto w = width.rbegin(), m = most.rbegin(); w != width.rend() && m != most.rend();) {
    if (w->at != m->at) {
      ++(w->at > m->at ? w : m);
      continue;
    }
    if (w->value >= m->value) return std::nullopt;
    return Verdict{kPciePoints, w->value, m->value, w->at};
  }
  return std::nullopt;
}

// The link slows down when idle, by design, so that only readings under load count.
std::optional<Verdict> slow_generation(const Evidence& e) {
  constexpr double kShare = 0.95;
  if (!e.present(Of::pcie_gen) || !e.present(Of::pcie_max_gen) || !e.present(Of::activity)) return std::nullopt;
  double loaded = 0, slow = 0, last_at = 0;
  for_each_joined(std::array{&e[Of::pcie_gen], &e[Of::pcie_max_gen], &e[Of::activity]}, e.t() - kDay, e.t(), [&](double at, const auto& v) {
    if (v[2] < kUnderLoad) return;
    ++loaded;
    if (v[0] >= v[1]) return;
    ++slow;
    last_at = at;
  });
  if (loaded == 0 || slow / loaded < kShare) return std::nullopt;
  return Verdict{kPciePoints, slow / loaded, kShare, last_at};
}

std::optional<Verdict> pcie(const Evidence& e) {
  const auto verdict = narrow(e);
  return verdict ? verdict : slow_generation(e);
}

std::optional<Verdict> nvlink(const Evidence& e) {
  constexpr double kPoints = 5;
  double latest = e.t() - kDay, up = 0;
  for (const auto& link : e.links()) {
    if (link.readings.empty() || link.readings.back().at < latest) continue;
    const auto& last = link.readings.back();
    if (last.at > latest) up = 0;
    latest = last.at;
    if (last.value == 1) ++up;
  }
  const double expected = e.input().links_expected;
  if (up >= expected) return std::nullopt;
  return Verdict{kPoints, up, expected, latest};
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
