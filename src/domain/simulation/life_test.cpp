// The checks of the failure statistics, section 7, on lives without telemetry: many fleet-years in a second.
#include "domain/simulation/life.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "domain/simulation/hazard.h"
#include "domain/simulation/life_for_test.h"

namespace ghm::simulation {
namespace {

using test::kStart;
using test::world_of;

/// What happened to the boards of one model, or all.
struct Told {
  double gpu_days = 0;
  std::array<double, kModes> by_mode{};
  double failures = 0, first = 0, signs_of_first = 0, lead_1h = 0, lead_24h = 0, replaced = 0;
  std::map<Cause, double> causes;
  double rate(double n) const { return 1000 * n / gpu_days; }
};

bool on_top(Cause c) {
  return c == Cause::bad_lot || c == Cause::bad_driver;
}

void add(Told& told, const World& world, const HostLife& life) {
  for (const auto& s : life.stays)
    told.gpu_days += ((s.retired > 0 ? s.retired : world.end()) - std::max(s.deployed, world.start())) / kSecondsOfDay;
  for (const auto& f : life.failures) {
    ++told.causes[f.cause];
    told.replaced += f.resolution == "replaced";
    if (on_top(f.cause)) continue;
    ++told.by_mode[f.mode];
    ++told.failures;
    if (!f.first) continue;
    ++told.first;
    if (f.sign == Sign::none) continue;
    ++told.signs_of_first;
    told.lead_1h += f.at - f.sign_from >= kSecondsOfHour;
    told.lead_24h += f.at - f.sign_from >= kSecondsOfDay;
  }
}

/// A large fleet of `literature` over two years, told once for all tests that look at it.
struct Literature {
  std::map<std::string_view, Told> by_model;
  Told all;
  double expected = 0;  // failures at the table's rates
};

const Literature& literature() {
  static const auto told_once = [] {
    const auto world = world_of(24'000, 730);
    Literature out;
    for (std::size_t h = 0; h < world.hosts(); ++h) {
      const auto life = live(world, h);
      Told host;
      add(host, world, life);
      add(out.all, world, life);
      add(out.by_model[world.part(h).model], world, life);
      const Hazards hazards(world, h);
      for (std::size_t m = 0; m < kModes; ++m) out.expected += hazards.table(m) * host.gpu_days;
    }
    return out;
  }();
  return told_once;
}

Told told(const World& world) {
  Told out;
  for (std::size_t h = 0; h < world.hosts(); ++h) add(out, world, live(world, h));
  return out;
}

TEST(Life, RatesLieInThePublishedBands) {
  const auto& by_model = literature().by_model;
  const auto& a100 = by_model.at("A100-SXM4-80GB");
  const auto& h100 = by_model.at("H100-SXM5-80GB");
  EXPECT_GE(a100.rate(a100.failures), 0.20);
  EXPECT_LE(a100.rate(a100.failures), 0.45);
  EXPECT_GE(h100.rate(h100.failures), 0.25);
  EXPECT_LE(h100.rate(h100.failures), 0.45);
  for (std::size_t m = 0; m < kModes; ++m) {
    EXPECT_GE(h100.rate(h100.by_mode[m]), mode_facts()[m].least) << mode_facts()[m].name;
    EXPECT_LE(h100.rate(h100.by_mode[m]), mode_facts()[m].most) << mode_facts()[m].name;
  }
  // The interval between GPU failures of a job on 1024 H100.
  const double hours = 24 / (1024 * h100.rate(h100.failures) / 1000);
  EXPECT_GE(hours, 50);
  EXPECT_LE(hours, 95);
}

// History, frailty, sites, lemons and repairs move failures about; the fleet's mean stays the table's.
TEST(Life, TheMeanIsTheTables) {
  EXPECT_NEAR(literature().all.failures / literature().expected, 1, 0.15);
}

TEST(Life, ReplacementsAreAsFieldsSee) {
  const auto& all = literature().all;
  const double per_year = all.replaced / all.gpu_days * 365;
  EXPECT_GE(per_year, 0.005);
  EXPECT_LE(per_year, 0.035);
}

// Even who sees every emitted sign knows few first failures ahead: 0.17 to 0.19 by an hour, 0.10 to 0.14 by a day. Signs that
// began with the board's own birth are cut short, hence the room below.
TEST(Life, MostFailuresGiveNoSign) {
  struct Case {
    const char* scenario;
    double hour_low, hour_high, day_low, day_high;
  };
  const Case cases[] = {
      {"literature", 0.155, 0.19, 0.10, 0.14}, {"optimistic", 0.27, 0.34, 0.18, 0.26}, {"pessimistic", 0.07, 0.11, 0.04, 0.08}};
  for (const auto& c : cases) {
    const auto all = told(world_of(12'000, 730, c.scenario));
    EXPECT_GE(all.lead_1h / all.first, c.hour_low) << c.scenario;
    EXPECT_LE(all.lead_1h / all.first, c.hour_high) << c.scenario;
    EXPECT_GE(all.lead_24h / all.first, c.day_low) << c.scenario;
    EXPECT_LE(all.lead_24h / all.first, c.day_high) << c.scenario;
  }
}

TEST(Life, FailuresRepeatOnTheSameBoards) {
  const auto& all = literature().all;
  const double repeats = 1 - all.first / all.failures;
  EXPECT_GE(repeats, 0.20);
  EXPECT_LE(repeats, 0.45);
  for (const auto cause : {Cause::history, Cause::repeat, Cause::same_node, Cause::false_clear, Cause::power_sag}) {
    ASSERT_TRUE(all.causes.contains(cause)) << word_of(cause);
    EXPECT_GT(all.causes.at(cause), 10) << word_of(cause);
  }
  EXPECT_NEAR(all.causes.at(Cause::same_node) / all.failures, facts::kSameNode, 0.015);
}

TEST(Life, NothingCanBeLearntFromNoPrecursor) {
  const auto world = world_of(16'000, 730, "noprecursor");
  Told all;
  std::set<double> hazards;
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    const auto life = live(world, h);
    add(all, world, life);
    for (const auto& s : life.stays) hazards.insert(known_hazard(world, h, s, world.end()));
  }
  EXPECT_EQ(hazards.size(), 1u) << "every board is alike";
  EXPECT_EQ(all.signs_of_first, 0);
  EXPECT_EQ(all.causes.size(), 1u);
  // Exponential: boards that failed before fail no more often, so that repeats are what chance makes of them.
  const double mean = all.failures / 16'000;
  EXPECT_NEAR(1 - all.first / all.failures, mean / 2 * (1 - all.replaced / all.failures), 0.05);
}

TEST(Life, AHealthyFleetHasNoFailures) {
  const auto world = world_of(2'000, 365, "healthy");
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    const auto life = live(world, h);
    EXPECT_THAT(life.failures, testing::IsEmpty());
    for (const auto& e : life.events)
      EXPECT_TRUE(e.kind == "maintenance" || e.kind == "host_reboot" || e.kind == "driver_change" || (e.kind == "xid" && e.code == "63"))
          << e.kind;
  }
}

TEST(Life, EverythingWearsOutVisiblyInWearout) {
  const auto all = told(world_of(8'000, 730, "wearout"));
  EXPECT_GE(all.signs_of_first / all.first, 0.55);
  EXPECT_GE(all.lead_24h / all.signs_of_first, 0.95);
}

TEST(Life, AnotherSiteHasOneBadLotAndOneBadDriver) {
  for (std::uint64_t seed : {1u, 2u, 3u}) {
    const auto world = world_of(960, 365, "shifted", seed);
    std::set<std::string> bad_lots;
    for (std::size_t h = 0; h < world.hosts(); ++h)
      if (const auto lot = world.lot(h); lot.bad) bad_lots.insert(std::to_string(h / 6));
    EXPECT_EQ(bad_lots.size(), 1u) << seed;
    const auto bad = std::ranges::count_if(world.drivers(), &DriverRelease::bad);
    EXPECT_GE(bad, 1) << seed;
    const auto all = told(world);
    EXPECT_GT(all.causes.at(Cause::bad_driver), 5) << seed;
    EXPECT_TRUE(world.place(0).datacenter == "ams2");
  }
}

/// The area under the curve of a model that knows place, lot and age, but neither frailty nor past nor lemons. Models differ in
/// rate; within one the place speaks. bad_lots: only their boards, and only what the lot itself brings, as on Titan, where
/// nothing else failed; else all boards of other lots.
double auc_of_places(const World& world, bool bad_lots) {
  std::vector<std::pair<double, bool>> seen;  // a board's risk, and whether it failed
  const double middle = (world.start() + world.end()) / 2;
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    const bool bad_lot = world.lot(h).bad;
    if (world.lemon(h) || bad_lot != bad_lots) continue;
    const auto life = live(world, h);
    std::set<std::size_t> failed;
    for (const auto& f : life.failures)
      if (bad_lots ? f.cause == Cause::bad_lot : f.cause != Cause::bad_driver && f.first) failed.insert(f.stay);
    double table = 0;
    for (std::size_t m = 0; m < kModes; ++m) table += Hazards(world, h).table(m);
    for (std::size_t i = 0; i < life.stays.size(); ++i) {
      auto known = life.stays[i];
      if (known.deployed > world.start()) continue;
      known.frailty = 1;
      const double hazard = known_hazard(world, h, known, middle), of_lot = Hazards(world, h).at(known, middle, 0).bad_lot;
      if (bad_lots && of_lot == 0) continue;  // not yet of the age
      seen.emplace_back(bad_lots ? of_lot : hazard / table, failed.contains(i));
    }
  }
  std::ranges::sort(seen);
  double below = 0, pairs = 0, positives = 0;
  for (const auto& [risk, failed] : seen)
    if (failed) pairs += below, ++positives;
    else ++below;
  return pairs / (below * positives);
}

TEST(Life, PlaceAndAgeTellMuchOnlyWhereThereAreBadLots) {
  double without = 0, with = 0;
  for (std::uint64_t seed : {1u, 2u, 3u, 4u}) {
    const auto world = world_of(10'000, 365, "literature", seed);
    without += auc_of_places(world, false) / 4;
    with += auc_of_places(world, true) / 4;
  }
  EXPECT_GE(without, 0.50);
  EXPECT_LE(without, 0.60);
  EXPECT_GE(with, 0.70);
  EXPECT_LE(with, 0.82);
}

TEST(Life, OneHostIsToldWithoutTheOthersAndAlwaysAlike) {
  const auto world = world_of(960, 365);
  const auto a = live(world, 17), b = live(world, 17);
  ASSERT_EQ(a.stays.size(), b.stays.size());
  ASSERT_EQ(a.events.size(), b.events.size());
  for (std::size_t i = 0; i < a.stays.size(); ++i) EXPECT_EQ(a.stays[i].id.uuid, b.stays[i].id.uuid);
  for (std::size_t i = 0; i < a.events.size(); ++i) EXPECT_EQ(a.events[i].at, b.events[i].at);
}

TEST(Life, StaysOfASlotFollowOneAnotherAndNamesAreUnique) {
  const auto world = world_of(8'000, 1460);
  std::set<std::string> uuids, serials;
  std::size_t replaced = 0;
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    const auto life = live(world, h);
    for (std::size_t i = 0; i < life.stays.size(); ++i) {
      const auto& s = life.stays[i];
      EXPECT_TRUE(uuids.insert(s.id.uuid).second);
      EXPECT_TRUE(serials.insert(s.id.serial.substr(s.id.serial.size() - 6)).second);
      EXPECT_LT(s.manufactured, s.deployed);
      if (i == 0 || life.stays[i - 1].slot != s.slot) continue;
      ++replaced;
      EXPECT_GT(life.stays[i - 1].retired, 0);
      EXPECT_GE(s.deployed, life.stays[i - 1].retired);
    }
    for (const auto& f : life.failures) {
      EXPECT_GE(f.detected, f.at);
      EXPECT_LE(f.detected, f.at + 15 * 60 + 1);
      if (f.resolved > 0) {
        EXPECT_GT(f.resolved, f.detected);
      }
      EXPECT_GE(f.detected, life.stays[f.stay].deployed);
    }
  }
  EXPECT_GT(replaced, 50u);
}

TEST(Life, ABadPlanIsOneSentence) {
  EXPECT_FALSE(World::create({0, 1, "literature", kStart, kStart + std::chrono::days(1)}));
  EXPECT_FALSE(World::create({8, 1, "sunny", kStart, kStart + std::chrono::days(1)}));
  EXPECT_FALSE(World::create({8, 1, "literature", kStart, kStart}));
}

}  // namespace
}  // namespace ghm::simulation
