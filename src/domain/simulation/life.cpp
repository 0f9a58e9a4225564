// A host's boards live day by day. A day's hazard is constant; a failure strikes when the hazard that has been lived through
// reaches an exponential draw, which is exact for such hazards. Repeats, neighbours and cleared faults are put on a list when
// their cause happens.
#include "domain/simulation/life.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "domain/simulation/hazard.h"
#include "domain/simulation/life_noise.h"
#include "domain/simulation/repair.h"

namespace ghm::simulation {
namespace {

using namespace facts;
enum Stream : std::uint64_t { kLife = 601, kFrailty, kReplacement };

constexpr double kMinute = 60, kLongestDelay = 15 * kMinute;
constexpr double kNeighbourWithin = 120;
constexpr int kMostBoardsOfASlot = 9;
constexpr double kFalseClearDays = 10;
constexpr int kBlackwellLinkXid = 149, kLinkXid = 74;

struct Scheduled {
  double at;
  int slot;
  std::size_t mode;
  Cause cause;
};

struct SlotState {
  std::size_t stay = 0;
  double left = 0;        // of the exponential draw, in expected failures
  double in_service = 0;  // from this moment on
  double last_failure = 0;
  bool must_be_replaced = false;
  int boards = 0;  // that were here
};

class Teller {
 public:
  Teller(const World& world, std::size_t host)
      : world_(world), hazards_(world, host), random_(hash_of(world.plan().seed, kLife, host)), repair_(world, host) {
    life_.number = host;
    life_.place = world.place(host);
    life_.part = &world.part(host);
  }

  HostLife tell() && {
    const auto lot = world_.lot(life_.number);
    for (int slot = 0; slot < world_.gpus_of(life_.number); ++slot) {
      slots_.emplace_back();
      settle(slot, lot.deployed, lot.manufactured, lot);
    }
    sag();
    for (double day = world_.start(); day < world_.horizon(); day += kSecondsOfDay) live_day(day);
    add_noise(world_, life_);
    put_in_order();
    return std::move(life_);
  }

 private:
  // A board moves into a slot.
  void settle(int slot, double deployed, double manufactured, const Lot& lot) {
    auto& s = slots_[static_cast<std::size_t>(slot)];
    Stay stay;
    stay.slot = slot;
    const auto host = life_.number;
    const auto gpu = host * kGpusPerHost + static_cast<std::size_t>(slot);
    // The first boards are numbered from 0 on, later ones from the end of six digits down: serial numbers never meet.
    const auto number = s.boards == 0 ? gpu : 1'000'000 - gpu * kMostBoardsOfASlot - static_cast<std::size_t>(s.boards);
    stay.id = identity_of(world_.plan().seed, *life_.part, slot, number);
    stay.lot = lot.name;
    stay.bad_lot = lot.bad;
    stay.deployed = deployed;
    stay.manufactured = manufactured;
    stay.frailty = world_.uneven() ? Random(hash_of(world_.plan().seed, kFrailty, gpu, s.boards)).gamma_half() : 1;
    s.stay = life_.stays.size();
    s.left = random_.exponential(1);
    s.in_service = std::max(deployed, world_.start());
    s.last_failure = 0;
    s.must_be_replaced = false;
    ++s.boards;
    life_.stays.push_back(std::move(stay));
  }

  void sag() {
    for (const double t : world_.sags(life_.number)) {
      repair_.reboot_all(life_, t, kSagMinutes * kMinute, "the power feed sagged");
      if (random_.uniform() >= kSagFailure) continue;
      const auto slot = static_cast<int>(random_.next() % slots_.size());
      scheduled_.push_back({t, slot, kVrm, Cause::power_sag});
    }
  }

  void live_day(double day) {
    const double until = std::min(day + kSecondsOfDay, world_.horizon());
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) live_day(static_cast<int>(slot), day, until);
    take_scheduled(until);
  }

  void live_day(int slot, double day, double until) {
    auto& s = slots_[static_cast<std::size_t>(slot)];
    const double from = std::max(day, s.in_service);
    if (from >= until || !world_.failing()) return;
    const auto hazard = hazards_.at(life_.stays[s.stay], (from + until) / 2, s.last_failure);
    const double lived = hazard.total() * (until - from) / kSecondsOfDay;
    if (lived < s.left) {
      s.left -= lived;
      return;
    }
    const double at = from + (until - from) * s.left / lived;
    const auto [mode, cause] = hazards_.pick(hazard, random_.uniform(), random_);
    s.left = random_.exponential(1);
    fail(slot, at, mode, cause);
  }

  // Of today, in the order in which they happen; what one brings may be of today too.
  void take_scheduled(double until) {
    for (;;) {
      const auto next = std::ranges::min_element(scheduled_, {}, &Scheduled::at);
      if (next == scheduled_.end() || next->at >= until) return;
      const auto s = *next;
      scheduled_.erase(next);
      fail(s.slot, s.at, s.mode, s.cause);
    }
  }

  void fail(int slot, double at, std::size_t mode, Cause cause) {
    auto& s = slots_[static_cast<std::size_t>(slot)];
    if (at < s.in_service || at >= world_.horizon()) return;
    Failure f;
    f.stay = s.stay;
    f.mode = mode;
    f.at = std::floor(at);
    f.cause = cause;
    f.first = s.last_failure == 0;
    f.detected = std::floor(f.at + std::min(kLongestDelay, random_.lognormal(kLogDelayMinutes, kLogDelaySigma) * kMinute) + 1);
    show_sign(f, s);
    strike(f, slot);
    mend(f, slot);
    life_.failures.push_back(f);
  }

  bool has_sign(std::size_t mode, Cause cause) {
    const bool silent = cause == Cause::power_sag || cause == Cause::bad_lot;  // by evidence: no telemetry sign
    return random_.uniform() < world_.scenario().modes[mode].precursor && !silent && mode_facts()[mode].shapes[0].share > 0;
  }

  SignShape shape_of(std::size_t mode) {
    const bool worn = world_.scenario().name == "wearout";
    const auto usable = [&](const SignShape& s) { return s.share > 0 && !(worn && s.sudden); };
    double all = 0;
    for (const auto& s : mode_facts()[mode].shapes) all += usable(s) ? s.share : 0;
    double u = random_.uniform() * all;
    for (const auto& s : mode_facts()[mode].shapes)
      if (usable(s) && (u -= s.share) < 0) return s;
    return mode_facts()[mode].shapes[0];
  }

  void show_sign(Failure& f, const SlotState& s) {
    if (!has_sign(f.mode, f.cause)) return;
    const auto& m = world_.scenario().modes[f.mode];
    const auto shape = shape_of(f.mode);
    const bool worn = world_.scenario().name == "wearout";
    const double factor = worn ? 1 : shape.lead_factor, sigma = shape.lead_sigma > 0 && !worn ? shape.lead_sigma : m.lead_sigma;
    const double lead = random_.lognormal(m.lead_hours * factor, sigma) * kSecondsOfHour;
    const double back = s.last_failure > 0 ? s.in_service : life_.stays[s.stay].deployed;
    f.sign = shape.sign;
    f.sign_from = std::floor(std::max(back, f.at - lead));
    life_.effects.push_back({Effect::Kind::sign, life_.stays[s.stay].slot, f.sign_from, f.at, shape.sign, {}, random_.lognormal(1, 0.5)});
    if (f.sign == Sign::remap_staircase) climb(f);
  }

  // Row after row is remapped, each with its Xid.
  void climb(const Failure& f) {
    const auto rows = 4 + random_.next() % 9;
    for (std::size_t n = 0; n < rows; ++n) {
      const double at = std::floor(f.sign_from + (f.at - f.sign_from) * random_.uniform());
      life_.effects.push_back({Effect::Kind::mark_row, life_.stays[f.stay].slot, at, at, f.sign, {}, 1});
      life_.events.push_back({at, "xid", static_cast<int>(f.stay), "63", {}});
    }
  }

  int xid_of(std::size_t mode) const {
    const int xid = mode_facts()[mode].xid;
    return xid == kLinkXid && spec_of(*life_.part).architecture == "Blackwell" ? kBlackwellLinkXid : xid;
  }

  void strike(const Failure& f, int slot) {
    const auto fault = world_.scenario().modes[f.mode].failure;
    life_.effects.push_back({Effect::Kind::strike, slot, f.at, f.at, {}, fault, 1});
    const int stay = static_cast<int>(f.stay);
    if (const int xid = xid_of(f.mode); xid != 0) life_.events.push_back({f.detected - 1, "xid", stay, std::to_string(xid), {}});
    life_.events.push_back({f.detected, "job_failed", stay, {}, {}});
  }

  // What is done about it, and what comes of it.
  void mend(Failure& f, int slot) {
    auto& s = slots_[static_cast<std::size_t>(slot)];
    const auto& m = world_.scenario().modes[f.mode];
    const bool permanent = random_.uniform() < m.permanent;
    const bool cleared = permanent && !s.must_be_replaced && world_.uneven() && random_.uniform() < kFalseClear;
    const bool replace = s.must_be_replaced || (permanent && !cleared);
    const double back = replace ? repair_.replace(life_, f, random_) : repair_.restore(life_, f, random_);
    const bool swapped = replace || f.resolution == "replaced";
    s.in_service = back;
    s.last_failure = f.at;
    s.must_be_replaced = cleared;
    if (world_.uneven()) follow(f, slot, back, swapped, cleared);
    if (swapped && back < world_.horizon() && s.boards < kMostBoardsOfASlot) take_in_new(slot, back);
  }

  void follow(const Failure& f, int slot, double back, bool swapped, bool cleared) {
    if (cleared) scheduled_.push_back({back + random_.lognormal(kFalseClearDays, 1) * kSecondsOfDay, slot, f.mode, Cause::false_clear});
    if (!swapped && random_.uniform() < mode_facts()[f.mode].repeat) {
      const double gap = random_.lognormal(kRepeatGapHours, kRepeatGapSigma) * kSecondsOfHour;
      scheduled_.push_back({std::max(back, f.at + gap), slot, f.mode, Cause::repeat});
    }
    if (slots_.size() > 1 && f.cause != Cause::same_node && random_.uniform() < kSameNode) {
      const auto other = (static_cast<std::size_t>(slot) + 1 + random_.next() % (slots_.size() - 1)) % slots_.size();
      scheduled_.push_back({f.at + random_.uniform() * kNeighbourWithin, static_cast<int>(other), f.mode, Cause::same_node});
    }
  }

  // A spare of the same model, from a later lot.
  void take_in_new(int slot, double at) {
    const auto h = hash_of(world_.plan().seed, kReplacement, life_.number, slot, slots_[static_cast<std::size_t>(slot)].boards);
    const Lot lot{
        fmt::format("L{:05X}", hash_of(world_.plan().seed, kReplacement, static_cast<std::int64_t>(at / kSecondsOfYear * 4)) % 0xFFFFF),
        std::floor(at / kSecondsOfDay - 60 - static_cast<double>(h % 120)) * kSecondsOfDay, at, false};
    settle(slot, at, lot.manufactured, lot);
  }

  // What lies behind the end goes, but for signs of what is to come.
  void end_the_tale() {
    const double end = world_.end();
    for (auto& s : life_.stays)
      if (s.retired >= end) s.retired = 0;
    for (auto& f : life_.failures)
      if (f.resolved >= end) f.resolved = 0;
    std::ranges::copy_if(life_.failures, std::back_inserter(life_.to_come),
                         [&](const Failure& f) { return f.detected >= end && life_.stays[f.stay].deployed < end; });
    std::erase_if(life_.failures, [&](const Failure& f) { return f.detected >= end; });
    std::erase_if(life_.events, [&](const LifeEvent& e) { return e.at < world_.start() || e.at >= end; });
    std::erase_if(life_.effects, [&](const Effect& e) { return e.from >= end; });
  }

  // By slot and time, without the boards that come behind the end.
  void put_stays_in_order() {
    std::vector<std::size_t> order, place(life_.stays.size());
    for (std::size_t i = 0; i < life_.stays.size(); ++i)
      if (life_.stays[i].deployed < world_.end()) order.push_back(i);
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return std::pair(life_.stays[i].slot, life_.stays[i].deployed); });
    std::vector<Stay> sorted;
    for (std::size_t i = 0; i < order.size(); ++i) {
      place[order[i]] = i;
      sorted.push_back(std::move(life_.stays[order[i]]));
    }
    life_.stays = std::move(sorted);
    for (auto* failures : {&life_.failures, &life_.to_come})
      for (auto& f : *failures) f.stay = place[f.stay];
    for (auto& e : life_.events)
      if (e.stay >= 0) e.stay = static_cast<int>(place[static_cast<std::size_t>(e.stay)]);
  }

  void put_in_order() {
    end_the_tale();
    put_stays_in_order();
    std::ranges::stable_sort(life_.failures, {}, &Failure::detected);
    std::ranges::stable_sort(life_.events, {}, &LifeEvent::at);
    std::ranges::stable_sort(life_.effects, {}, &Effect::from);
  }

  static constexpr std::size_t kVrm = 6;
  static constexpr double kSagMinutes = 12;

  const World& world_;
  const Hazards hazards_;
  Random random_;
  Repair repair_;
  HostLife life_;
  std::vector<SlotState> slots_;
  std::vector<Scheduled> scheduled_;
};

constexpr std::string_view kCauses[] = {"background", "history",   "repeat",    "bad_lot",
                                        "bad_driver", "power_sag", "same_node", "false_clear"};

}  // namespace

std::string_view word_of(Cause cause) {
  return kCauses[static_cast<std::size_t>(cause)];
}

HostLife live(const World& world, std::size_t host) {
  return Teller(world, host).tell();
}

}  // namespace ghm::simulation
