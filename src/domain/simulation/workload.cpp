#include "domain/simulation/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

namespace ghm::simulation {
namespace {

enum Stream : std::uint64_t { kRackPeriod = 101, kRackJob, kHostPeriod, kHostJob, kBeat };

constexpr std::int64_t kHour = 3600, kDay = 86400;
constexpr double kRackJobShare = 0.55;  // of time in jobs of 32 and more GPUs
constexpr std::int64_t kStartUp = 90;   // seconds from allocation to the first iteration
constexpr double kDailySwing = 0.35;    // of an inference fleet

/// The n-th of equal spans, each row of spans with a length and an offset of its own.
struct Span {
  std::uint64_t number;
  std::int64_t from, until;
};

Span span_at(std::uint64_t h, std::int64_t shortest, std::int64_t longest, std::int64_t second) {
  const auto length = shortest + static_cast<std::int64_t>(unit(mix(h)) * static_cast<double>(longest - shortest));
  const auto offset = static_cast<std::int64_t>(h % static_cast<std::uint64_t>(length));
  const auto n = (second + offset) / length;
  return {static_cast<std::uint64_t>(n), n * length - offset, (n + 1) * length - offset};
}

// Shares of host-sized work; idle and notebooks together make a quarter of all time, as published fleets show.
JobKind host_kind(double u) {
  if (u < 0.40) return JobKind::training;
  if (u < 0.65) return JobKind::inference;
  return u < 0.82 ? JobKind::notebook : JobKind::idle;
}

Demand training(const Job& job, std::int64_t second, Random& noise) {
  const double age = static_cast<double>(second - job.from);
  Demand d;
  d.memory = 0.72 + 0.2 * unit(hash_of(job.id, 7));
  if (age < kStartUp) {
    d.pcie_receive = 0.2;
    return d;
  }
  const double every = 1200 + 1200 * unit(hash_of(job.id, 1)), saves = 25 + 35 * unit(hash_of(job.id, 2));
  if (std::fmod(age, every) < saves && age > every) {  // checkpoint: state streams to the host, the GPU waits
    d.engine = 0.04, d.sm = 0.02, d.dram = 0.06, d.power = 0.08, d.pcie_send = 0.35;
    return d;
  }
  const double beat = 6 + 8 * unit(hash_of(job.id, 3)), exchange = beat * (0.12 + 0.13 * unit(hash_of(job.id, 4)));
  const bool communicates = std::fmod(age, beat) < exchange;
  d.engine = std::min(1.0, 0.985 + 0.008 * noise.noise());
  d.sm = (communicates ? 0.38 : 0.86) + 0.03 * noise.noise();
  d.occupancy = (communicates ? 0.10 : 0.27) + 0.01 * noise.noise();
  d.tensor = (communicates ? 0.06 : 0.58) + 0.02 * noise.noise();
  d.dram = (communicates ? 0.22 : 0.46) + 0.02 * noise.noise();
  d.fp32 = (communicates ? 0.02 : 0.09) + 0.005 * noise.noise();
  d.fp16 = communicates ? 0.002 : 0.012;
  d.power = (communicates ? 0.72 : 1.02) + 0.03 * noise.noise();
  d.link = (communicates ? 0.62 : 0.12) + 0.03 * noise.noise();
  d.pcie_send = 0.012, d.pcie_receive = 0.03;
  return d;
}

Demand inference(const Job& job, std::int64_t second, Random& noise) {
  const double day = 2 * std::numbers::pi * static_cast<double>(second % kDay - 14 * kHour) / kDay;  // busiest at 14:00 UTC
  const double busy = std::clamp(0.62 * (1 + kDailySwing * std::cos(day)) + 0.10 * noise.noise(), 0.02, 1.0);
  Demand d;
  d.engine = busy, d.sm = 0.55 * busy, d.occupancy = 0.16 * busy, d.tensor = 0.22 * busy, d.dram = 0.68 * busy;
  d.fp32 = 0.05 * busy, d.fp16 = 0.03 * busy, d.power = 0.66 * busy, d.link = 0.10 * busy;
  d.pcie_send = 0.02 * busy, d.pcie_receive = 0.03 * busy, d.memory = 0.90;
  d.decode = hash_of(job.id, 5) % 4 == 0 ? 0.3 * busy : 0;
  return d;
}

Demand notebook(const Job& job, std::int64_t second, Random& noise) {
  Demand d;
  d.memory = 0.25 + 0.3 * unit(hash_of(job.id, 6));
  const bool runs = unit(hash_of(job.id, kBeat, second / 240)) < 0.18;  // a cell is run now and then
  if (!runs) return d;
  d.engine = std::clamp(0.45 + 0.15 * noise.noise(), 0.0, 1.0);
  d.sm = 0.5 * d.engine, d.occupancy = 0.1 * d.engine, d.tensor = 0.15 * d.engine, d.dram = 0.3 * d.engine, d.fp32 = 0.1 * d.engine;
  d.power = 0.5 * d.engine, d.pcie_receive = 0.05;
  return d;
}

}  // namespace

Job job_at(std::uint64_t seed, std::size_t rack, std::size_t host, std::int64_t second) {
  const auto big = span_at(hash_of(seed, kRackPeriod, rack), 6 * kHour, 30 * kHour, second);
  if (unit(hash_of(seed, kRackJob, rack, big.number)) < kRackJobShare)
    return {JobKind::training, hash_of(seed, kRackJob, rack, big.number, 1), big.from, big.until};
  const auto small = span_at(hash_of(seed, kHostPeriod, host), kHour, 6 * kHour, second);
  const auto h = hash_of(seed, kHostJob, host, small.number);
  return {host_kind(unit(h)), mix(h), std::max(big.from, small.from), std::min(big.until, small.until)};
}

Demand demand_at(const Job& job, std::int64_t second, Random& noise) {
  switch (job.kind) {
    case JobKind::training: return training(job, second, noise);
    case JobKind::inference: return inference(job, second, noise);
    case JobKind::notebook: return notebook(job, second, noise);
    case JobKind::idle: break;
  }
  return {};
}

std::string name_of(const Job& job) {
  const auto number = job.id % 100'000;
  switch (job.kind) {
    case JobKind::training: return fmt::format("train-{}", number);
    case JobKind::inference: return fmt::format("serve-{}", number);
    case JobKind::notebook: return fmt::format("notebook-{}", number);
    case JobKind::idle: break;
  }
  return {};
}

Job full_load(std::uint64_t seed, std::size_t host, std::int64_t second, std::int64_t seconds) {
  return {JobKind::training, hash_of(seed, kHostJob, host, second, 2), second - kStartUp, second + seconds};
}

}  // namespace ghm::simulation
