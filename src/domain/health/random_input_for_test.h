#pragma once
#include <cmath>
#include <random>

#include "domain/health/windows.h"

/// Boards made up by chance: any interval, any age, gaps, resets, odd values, everything that an Input can hold.
namespace ghm::health::test {

class RandomInput {
 public:
  explicit RandomInput(std::uint64_t seed) : random_(seed) {}

  Input make() {
    Input in;
    in.t = 1'790'006'400 + whole(0, 86'400);
    in.interval_s = std::vector<double>{600, 900, 1800, 3600, 2700.5}[static_cast<std::size_t>(whole(0, 4))];
    in.deployed_at = chance(0.2) ? in.t - whole(-10, 40) * kDay / 2 : in.t - 400 * kDay;
    metrics(in, in.metrics);
    if (chance(0.3)) outage(in);
    if (chance(0.8)) happenings(in);
    for (int n = whole(0, 4); n > 0; --n) {
      Peer p{{}, chance(0.7), chance(0.7)};
      metrics(in, p.metrics);
      in.peers.push_back(std::move(p));
    }
    in.links_expected = chance(0.5) ? whole(0, 4) : 0;
    if (chance(0.5)) in.bandwidth_test = Input::BandwidthTest{in.t - whole(-1, 32) * kDay, real(0.5, 1.1)};
    if (chance(0.5)) in.previous_scores = scores(in);
    return in;
  }
  bool chance(double p) { return real(0, 1) < p; }
  double real(double from, double to) { return std::uniform_real_distribution(from, to)(random_); }
  int whole(int from, int to) { return std::uniform_int_distribution(from, to)(random_); }
  std::mt19937_64& engine() { return random_; }

 private:
  template <class Value>
  Series series(const Input& in, Value value) {
    Series s;
    const double kept = chance(0.7) ? 1.0 : real(0.3, 1), offset = chance(0.8) ? 0 : real(0, in.interval_s);
    for (double at = in.t - (chance(0.7) ? 32 : whole(1, 10)) * kDay - offset; at <= in.t + 2 * in.interval_s; at += in.interval_s)
      if (kept == 1 || chance(kept)) s.push_back({at, value()});
    return s;
  }
  template <class Value>
  void put(Metrics& m, const Input& in, const std::string& name, Value value) {
    const double p = real(0, 1);
    if (p < 0.06) m[name] = std::nullopt;
    else if (p < 0.10) m[name] = Series{};
    else if (p < 0.94) m[name] = series(in, value);
  }
  auto counter(double chance_of_step, double most) {
    return [this, chance_of_step, most, sum = real(0, 100)]() mutable {
      if (chance(0.002)) sum = 0;
      if (chance(chance_of_step)) sum += std::floor(real(0, most));
      return sum;
    };
  }
  void metrics(const Input& in, Metrics& m) {
    const double load = real(0.4, 1), rare = chance(0.5) ? 0 : 0.01;
    const auto among = [this](std::vector<double> values) {
      return [this, values] { return values[static_cast<std::size_t>(whole(0, static_cast<int>(values.size()) - 1))]; };
    };
    const std::string dev = "DCGM_FI_DEV_";
    put(m, in, dev + "CLOCK_THROTTLE_REASONS", [=, this] { return chance(0.05) ? std::floor(real(0, 512)) : 0; });
    // By day and night on some boards, and then of ever more degrees per watt on some.
    const double swing = chance(0.3) ? 250 : 0, worse = chance(0.5) ? 1.5 : 1;
    auto night = [step = in.interval_s, seconds = 0.0]() mutable {
      seconds += step;
      return std::pair(std::sin(seconds / kDay * 6.28), seconds > 25 * kDay);
    };
    put(m, in, dev + "GPU_TEMP", [=, this, middle = real(50, 80), drift = chance(0.3) ? real(0, 0.01) : 0]() mutable {
      const auto [sine, late] = night();
      return std::round((middle += drift) + real(-8, 8) + 0.06 * swing * sine * (late ? worse : 1));
    });
    put(m, in, "DCGM_FI_PROF_GR_ENGINE_ACTIVE", [=, this] { return chance(0.9) ? load + real(-0.02, 0.02) : real(0, 1); });
    put(m, in, dev + "GPU_UTIL", [=, this] { return std::round(100 * load); });
    put(m, in, dev + "FAN_SPEED", [=, this, low = real(60, 95)] { return low + real(0, 5); });
    for (const auto* kind : {"VOL", "AGG"}) {
      put(m, in, dev + "ECC_SBE_" + kind + "_TOTAL", counter(0.05, chance(0.1) ? 6000 : 60));
      put(m, in, dev + "ECC_DBE_" + kind + "_TOTAL", counter(rare, 3));
    }
    for (const auto* flag : {"ROW_REMAP_PENDING", "ROW_REMAP_FAILURE", "BANKS_REMAP_ROWS_AVAIL_NONE"})
      put(m, in, dev + flag, [=, this, set = chance(0.1)] { return set || chance(rare) ? 1.0 : 0.0; });
    put(m, in, dev + "POWER_USAGE", [=, this]() mutable { return 500 + real(-15, 15) + swing * night().first; });
    put(m, in, dev + "SM_CLOCK", [=, this, slower = chance(0.2) ? 150 : 0, n = 0.0]() mutable {
      const bool late = ++n * in.interval_s > 31 * kDay;
      return (chance(0.9) ? 1755.0 : 1400 + 15.0 * whole(0, 25)) - (late ? slower : 0);
    });
    put(m, in, dev + "MAX_SM_CLOCK", [] { return 1830.0; });
    put(m, in, dev + "POWER_MGMT_LIMIT_DEF", [] { return 700.0; });
    put(m, in, dev + "ENFORCED_POWER_LIMIT", [=, this] { return chance(0.9) ? 700.0 : 500.0; });
    put(m, in, dev + "TOTAL_ENERGY_CONSUMPTION", counter(1, 4e8));
    put(m, in, dev + "PCIE_LINK_WIDTH", among({16, 16, 8}));
    put(m, in, dev + "PCIE_MAX_LINK_WIDTH", among({16}));
    put(m, in, dev + "PCIE_LINK_GEN", [=, this, slow = chance(0.3)] { return slow ? 1.0 : 5.0; });
    put(m, in, dev + "PCIE_MAX_LINK_GEN", among({5}));
    put(m, in, dev + "CORRECTABLE_REMAPPED_ROWS", counter(rare, 3));
    put(m, in, dev + "UNCORRECTABLE_REMAPPED_ROWS", counter(rare, 2));
    put(m, in, dev + "PCIE_REPLAY_COUNTER", counter(0.5, chance(0.5) ? 10 : 1000));
    for (const auto* name :
         {"NVLINK_ERROR_DL_CRC", "NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", "NVLINK_ERROR_DL_REPLAY", "NVLINK_REPLAY_ERROR_COUNT_TOTAL"})
      put(m, in, dev + name, counter(0.1, chance(0.5) ? 3 : 300));
    for (int n = 0; n < 3; ++n) put(m, in, dev + "NVLINK_GET_STATE@nvlink" + std::to_string(n), among({1, 1, 1, 0}));
  }
  // The whole board is silent for a while.
  void outage(Input& in) {
    const double from = moment(in);
    const Interval gap{from, from + real(0, 2) * kDay};
    for (auto& [name, s] : in.metrics)
      if (s) std::erase_if(*s, [&](const Reading& r) { return gap.covers(r.at); });
  }
  double moment(const Input& in) { return in.t - std::floor(real(-1, 33 * 24) * 4) * 900; }  // often the same, so that ties happen
  std::vector<Interval> intervals(const Input& in) {
    std::vector<Interval> out;
    for (int n = whole(0, 5); n > 0; --n) {
      const double from = moment(in);
      out.push_back({from, from + real(0, 3) * kDay});
    }
    return out;
  }
  void happenings(Input& in) {
    const std::vector<std::string> kinds{"xid", "xid", "xid", "gpu_reset", "gpu_missing", "drain", "undrain", "note"};
    const std::vector<int> codes{48, 63, 64, 79, 94, 119, 120, 13, 162, 74, 9999};
    in.events.emplace();
    for (int n = whole(0, 40); n > 0; --n) {
      const auto& kind = kinds[static_cast<std::size_t>(whole(0, 7))];
      in.events->push_back({moment(in), kind, kind == "xid" ? codes[static_cast<std::size_t>(whole(0, 10))] : 0});
    }
    if (chance(0.5)) in.jobs.emplace();
    for (int n = in.jobs ? whole(0, 60) : 0; n > 0; --n) in.jobs->push_back({moment(in), chance(0.95)});
    in.maintenance = intervals(in);
    in.source_silent = chance(0.5) ? std::vector<Interval>{} : intervals(in);
  }
  Series scores(const Input& in) {
    Series s;
    for (double at = in.t - 32 * kDay; at <= in.t + 900; at += 900)
      if (chance(0.7)) s.push_back({at, real(60, 100)});
    return s;
  }

  std::mt19937_64 random_;
};

}  // namespace ghm::health::test
