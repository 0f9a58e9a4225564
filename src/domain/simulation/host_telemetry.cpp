#include "domain/simulation/host_telemetry.h"

#include <algorithm>
#include <cmath>

#include "domain/simulation/faults.h"
#include "domain/simulation/links.h"
#include "domain/simulation/memory_errors.h"
#include "domain/simulation/signs.h"
#include "domain/simulation/thermal.h"

namespace ghm::simulation {
namespace {

enum Stream : std::uint64_t { kBoard = 801, kLost, kJobs, kLinks };

constexpr double kInletC = 24, kInletSpread = 0.9;
constexpr double kPreheatC = 3.5;
constexpr double kSettled = 600;           // seconds in which temperatures come to rest
constexpr double kLostByHost = 0.2;        // of lost readings: the whole host's scrape
constexpr int kLooks = 3, kLookApart = 7;  // a minute's work is the mean of three looks at it

Demand mean_demand(const Job& job, std::int64_t t, Random& noise) {
  Demand mean;
  constexpr double Demand::*kParts[] = {&Demand::engine, &Demand::sm,        &Demand::occupancy,    &Demand::tensor,
                                        &Demand::dram,   &Demand::fp32,      &Demand::fp16,         &Demand::power,
                                        &Demand::link,   &Demand::pcie_send, &Demand::pcie_receive, &Demand::decode};
  for (int look = 0; look < kLooks; ++look) {
    const auto d = demand_at(job, t - look * kLookApart, noise);
    for (const auto part : kParts) mean.*part += d.*part / kLooks;
    mean.memory = d.memory;
  }
  return mean;
}

Surroundings surroundings(const World& world, std::size_t host) {
  Surroundings s;
  s.number = host;
  s.rack = host / kHostsPerRack;
  Random rack(hash_of(world.plan().seed, kBoard, 1, s.rack));
  s.inlet_c = kInletC + world.scenario().inlet_offset_c + kInletSpread * rack.normal();
  return s;
}

// A driver reload. What InfoROM keeps stays.
void restart_counters(Board& b) {
  reset_memory(b.memory);
  const auto up = b.links.up;
  const int width = b.links.pcie_width;
  reset_links(b.links, b.spec->nvlinks);
  b.links.up = up;
  b.links.pcie_width = width;
  b.thermal.energy_mj = 0;
}

void make_work_again(Board& b) {
  b.ill = {};
  b.events.clear();
  restart_counters(b);
  be_new(b.links, b.spec->nvlinks);
  b.links.pcie_width = 16;
}

// A board that was there before the archive begins has worked since its driver was loaded.
void age(Board& b) {
  const double up = b.random.uniform(3, 60) * kSecondsOfDay;
  b.thermal.energy_mj = std::floor(up * b.tdp() * b.random.uniform(0.45, 0.65)) * 1000;
  b.thermal.power_cap_ns = std::floor(up * b.random.uniform(0.05, 0.15)) * 1e9;
  b.links.pcie_replays = std::floor(b.random.exponential(up / kSecondsOfDay / 2));
}

// A row is marked after some errors that were corrected.
void remap(Board& b) {
  mark_row(b.memory);
  const double errors = 2 + std::floor(b.random.exponential(6));
  b.memory.sbe_volatile += errors;
  b.memory.sbe_aggregate += errors;
}

// Links of healthy boards: in one of a hundred spells of two hours some PCIe replays, on one of thirty days some CRC errors.
// Source: failure statistics, section 7 (healthy: pcie_replay_per_min p99 0.5, nvlink_crc_per_day).
void disturb_links(Board& b, std::uint64_t stream, std::int64_t t, double dt) {
  constexpr std::int64_t kSpell = 7200, kDay = 86400;
  constexpr double kSpells = 0.01, kReplaysPerMinute = 0.7, kDays = 0.03, kCrcPerDay = 3;
  if (unit(hash_of(stream, 1, t / kSpell)) < kSpells) {
    const double rate = 2 * kReplaysPerMinute * unit(hash_of(stream, 2, t / kSpell));
    b.links.pcie_replays += std::floor(rate * dt / 60 + b.random.uniform());
  }
  if (b.spec->nvlinks > 0 && unit(hash_of(stream, 3, t / kDay)) < kDays && b.random.uniform() < kCrcPerDay * dt / kSecondsOfDay)
    b.links.crc += 1;
}

Board new_board(const World& world, const HostLife& life, const Stay& stay) {
  Board b;
  b.random = Random(hash_of(world.plan().seed, kBoard, life.number, stay.slot, static_cast<std::int64_t>(stay.deployed)));
  auto& r = b.random;
  b.part = life.part;
  b.spec = &spec_of(*life.part);
  b.id = stay.id;
  b.traits.resistance = std::clamp(1 + 0.05 * r.normal(), 0.88, 1.14);
  b.traits.leakage = std::clamp(1 + 0.02 * r.normal(), 0.94, 1.06);
  b.traits.idle_w = r.uniform(b.part->idle_w_low, b.part->idle_w_high);
  b.traits.preheat_c = stay.slot < kGpusPerHost / 2 ? 0 : kPreheatC;
  be_new(b.memory, *b.part);
  be_new(b.links, b.spec->nvlinks);
  if (stay.deployed < world.start()) age(b);
  return b;
}

}  // namespace

HostTelemetry::HostTelemetry(const World& world, HostLife life)
    : world_(world),
      life_(std::move(life)),
      around_(surroundings(world, life_.number)),
      hot_(world.hot_spell(life_.number)),
      inlet_(around_.inlet_c),
      lost_(hash_of(world.plan().seed, kLost, life_.number)),
      slots_(static_cast<std::size_t>(world.gpus_of(life_.number))) {}

void HostTelemetry::take_board(std::size_t slot, double t) {
  auto& s = slots_[slot];
  const auto here = [&](const Stay& stay) {
    return stay.slot == static_cast<int>(slot) && stay.deployed <= t && (stay.retired == 0 || t < stay.retired);
  };
  if (s.stay >= 0 && here(life_.stays[static_cast<std::size_t>(s.stay)])) return;
  const auto it = std::ranges::find_if(life_.stays, here);
  s.stay = it == life_.stays.end() ? -1 : static_cast<int>(it - life_.stays.begin());
  if (s.stay < 0) return;
  s.board = new_board(world_, life_, *it);
  s.resistance = s.board.traits.resistance;
}

void HostTelemetry::begin_effects(double t) {
  for (; next_effect_ < life_.effects.size() && life_.effects[next_effect_].from <= t; ++next_effect_) {
    const auto& e = life_.effects[next_effect_];
    happen(e, t);
    if (e.until > t) slots_[static_cast<std::size_t>(e.slot)].on.push_back(&e);
  }
  for (auto& s : slots_) std::erase_if(s.on, [t](const Effect* e) { return e->until <= t; });
}

// The moments among the effects.
void HostTelemetry::happen(const Effect& e, double t) {
  auto& s = slots_[static_cast<std::size_t>(e.slot)];
  if (s.stay < 0) return;
  switch (e.kind) {
    case Effect::Kind::strike: strike(e.fault, s.board, around_, std::max(e.from, t - 60)); break;
    case Effect::Kind::mark_row: remap(s.board); break;
    case Effect::Kind::reboot: restart_counters(s.board); break;
    case Effect::Kind::repair: make_work_again(s.board); break;
    default: break;
  }
}

void HostTelemetry::work(Slot& s, std::int64_t second, double dt) {
  const auto t = static_cast<double>(second);
  auto& b = s.board;
  live_through(b, around_, world_.scenario(), t);
  b.xids.clear();
  if (b.ill.frozen) return;
  const bool idle = t < around_.idle_until || std::ranges::any_of(s.on, [](auto* e) { return e->kind == Effect::Kind::idle; });
  b.demand = idle ? Demand{} : mean_demand(around_.job, second, b.random);
  b.traits.resistance = s.resistance;
  for (const auto* e : s.on) show_before(*e, b, t, b.part->resistance_c_per_w);
  step_thermal(b, around_, t, dt);
  step_memory(b, t, dt);
  step_links(b, t, dt);
  disturb_links(b, hash_of(world_.plan().seed, kLinks, life_.number, b.id.index), second, dt);
  for (const auto* e : s.on) show_after(*e, b, t, dt);
}

bool HostTelemetry::reaches_archive(const Slot& s, double t, bool host_scraped) {
  double lost = (1 - kLostByHost) * world_.missing_share();
  bool recorded = host_scraped;
  for (const auto* e : s.on) {
    lost = std::max(lost, missing_by(*e, t));
    recorded = recorded && e->kind != Effect::Kind::unrecorded;
  }
  return lost_.uniform() >= lost && recorded;
}

void HostTelemetry::step(std::int64_t second, double dt, std::vector<Row>& rows) {
  const auto t = static_cast<double>(second);
  around_.inlet_c = inlet_ + (hot_ && hot_->holds(t) ? facts::kHotRackC : 0);
  if (second >= around_.job.until) around_.job = job_at(hash_of(world_.plan().seed, kJobs), around_.rack, around_.number, second);
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) take_board(slot, t);
  begin_effects(t);
  const bool host_scraped = lost_.uniform() >= kLostByHost * world_.missing_share();
  for (auto& s : slots_) {
    if (s.stay < 0) continue;
    work(s, second, begun_ ? dt : kSettled);
    if (s.board.ill.gone || std::ranges::any_of(s.on, [](auto* e) { return e->kind == Effect::Kind::absent; })) continue;
    ++expected_;
    if (!reaches_archive(s, t, host_scraped)) {
      ++missing_;
      continue;
    }
    rows.push_back({s.stay, {}});
    read_columns(s.board, rows.back().values);
  }
  begun_ = true;
}

}  // namespace ghm::simulation
