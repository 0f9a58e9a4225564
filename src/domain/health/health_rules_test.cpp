// The rules' borders, one board at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "domain/health/uptime.h"
#include "domain/health/windows.h"

namespace ghm::health {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr double kT = 1'790'006'400, kStep = 600;
const std::string kDev = "DCGM_FI_DEV_";
const std::string kActive = "DCGM_FI_PROF_GR_ENGINE_ACTIVE";

template <class Value>
Series readings(Value value, double days = 1) {
  Series s;
  for (double at = kT - days * kDay + kStep; at <= kT; at += kStep) s.push_back({at, value(at)});
  return s;
}
Series steady(double value, double days = 1) {
  return readings([value](double) { return value; }, days);
}
// Day k before t gets values[k]; older days the last.
Series daily(const std::vector<double>& values, double days) {
  return readings([&](double at) { return values[std::min(values.size() - 1, static_cast<std::size_t>((kT - at) / kDay))]; }, days);
}
Series counting(double per_step, double days) {
  double sum = 0;
  return readings([&](double) { return sum += per_step; }, days);
}

Input board() {
  Input in;
  in.t = kT;
  in.interval_s = kStep;
  in.deployed_at = kT - 300 * kDay;
  in.source_silent.emplace();
  in.events.emplace();
  in.metrics = {{kActive, steady(0.95, 32)},
                {kDev + "CLOCK_THROTTLE_REASONS", steady(0)},
                {kDev + "SM_CLOCK", steady(1700, 32)},
                {kDev + "MAX_SM_CLOCK", steady(1800)},
                {kDev + "POWER_USAGE", steady(500)},
                {kDev + "POWER_MGMT_LIMIT_DEF", steady(700)},
                {kDev + "ENFORCED_POWER_LIMIT", steady(700)},
                {kDev + "PCIE_LINK_WIDTH", steady(16)},
                {kDev + "PCIE_MAX_LINK_WIDTH", steady(16)},
                {kDev + "PCIE_LINK_GEN", steady(5)},
                {kDev + "PCIE_MAX_LINK_GEN", steady(5)},
                {kDev + "TOTAL_ENERGY_CONSUMPTION", counting(2.85e8, 32)}};
  return in;
}

const Dimension& dimension(const Report& r, std::string_view name) {
  return *std::ranges::find(r.dimensions, name, &Dimension::name);
}
std::vector<std::string> fired(const Input& in) {
  std::vector<std::string> out;
  for (const auto& d : score(baseline(), in).dimensions)
    for (const auto& f : d.findings) out.push_back(f.rule);
  return out;
}
const Finding* finding(const Report& r, std::string_view rule) {
  for (const auto& d : r.dimensions)
    for (const auto& f : d.findings)
      if (f.rule == rule) return &f;
  return nullptr;
}

TEST(HealthRules, ABoardInOrderLosesNothing) {
  const auto r = score(baseline(), board());
  EXPECT_THAT(fired(board()), IsEmpty());
  for (const auto* name : {"power", "performance", "reliability"}) EXPECT_EQ(dimension(r, name).score, 100) << name;
}

TEST(HealthRules, ThePowerDimensionNamesWhatItMisses) {
  auto in = board();
  for (const auto* gone : {"POWER_USAGE", "ENFORCED_POWER_LIMIT", "POWER_MGMT_LIMIT_DEF"}) in.metrics[kDev + gone] = Series{};
  const auto power = dimension(score(baseline(), in), "power");
  EXPECT_FALSE(power.score);
  EXPECT_DOUBLE_EQ(power.coverage, 4.0 / 7);
  EXPECT_THAT(power.missing, ElementsAre(kDev + "POWER_USAGE", kDev + "POWER_MGMT_LIMIT_DEF", kDev + "ENFORCED_POWER_LIMIT"));
}

TEST(HealthRules, SpikesNeedAStablePair) {
  struct Case {
    const char* why;
    double rise, activity_step, clock_step;
    bool skip_one, skip_two;
    int spikes;
  };
  const Case cases[] = {{"a jump at steady load", 20.5, 0, 0, false, false, 1},
                        {"exactly 20 W", 20, 0, 0, false, false, 0},
                        {"load moved", 20.5, -0.06, 0, false, false, 0},
                        {"clock moved", 20.5, 0, 31, false, false, 0},
                        {"clock moved a little", 20.5, 0, 30, false, false, 1},
                        {"one reading between is lost", 20.5, 0, 0, true, false, 1},
                        {"two are lost", 20.5, 0, 0, true, true, 0},
                        {"a fall", -40, 0, 0, false, false, 0}};
  for (const auto& c : cases) {
    auto in = board();
    const double when = kT - 50 * kStep;
    const auto after = [&](double before, double step) { return [=](double at) { return at >= when ? before + step : before; }; };
    auto power = readings(after(500, c.rise));
    std::erase_if(power,
                  [&](const Reading& r) { return (c.skip_one && r.at == when - kStep) || (c.skip_two && r.at == when - 2 * kStep); });
    in.metrics[kDev + "POWER_USAGE"] = power;
    in.metrics[kActive] = readings(after(0.9, c.activity_step));
    in.metrics[kDev + "SM_CLOCK"] = readings(after(1700, c.clock_step));
    const auto r = score(baseline(), in);
    const auto* f = finding(r, "power.spike");
    EXPECT_EQ(f ? f->value : 0, c.spikes) << c.why;
    if (f) {
      EXPECT_EQ(f->at, when) << c.why;
    }
  }
}

TEST(HealthRules, APowerLimitCountsOnlyBeyondDesign) {
  struct Case {
    const char* why;
    double enforced, own_clock, peer_clock;
    bool has_limits;
    double lost;
  };
  const Case cases[] = {{"by design", 700, 1700, 1700, true, 0},
                        {"held below its default", 690, 1700, 1700, true, 5},
                        {"slower than its like", 700, 1600, 1700, true, 5},
                        {"a little slower", 700, 1615, 1700, true, 0},
                        {"nobody to compare, no limits known", 690, 1600, 0, false, 0},
                        {"slower, no limits known", 690, 1600, 1700, false, 5}};
  for (const auto& c : cases) {
    auto in = board();
    in.metrics[kDev + "CLOCK_THROTTLE_REASONS"] = readings([](double at) { return at > kT - 5 * kStep ? 132.0 : 0.0; });
    in.metrics[kDev + "ENFORCED_POWER_LIMIT"] = c.has_limits ? steady(c.enforced) : Series{};
    in.metrics[kDev + "SM_CLOCK"] = steady(c.own_clock, 32);
    if (c.peer_clock > 0) in.peers.push_back({{{kDev + "SM_CLOCK", steady(c.peer_clock)}}, true, false});
    const auto r = score(baseline(), in);
    const auto* f = finding(r, "power.limit");
    EXPECT_EQ(f ? f->lost : 0, c.lost) << c.why;
  }
}

TEST(HealthRules, WorkThatCostsMoreThanItDidCosts) {
  auto in = board();
  double sum = 0;
  in.metrics[kDev + "TOTAL_ENERGY_CONSUMPTION"] = readings([&](double at) { return sum += at > kT - kDay ? 3.135e8 : 2.85e8; }, 9);
  const auto r = score(baseline(), in);
  const auto* f = finding(r, "power.efficiency");
  ASSERT_NE(f, nullptr);
  EXPECT_NEAR(f->value, 550, 1e-9);
  EXPECT_NEAR(f->reference, 500, 1e-9);
  EXPECT_NEAR(f->lost, 10, 1e-9);
}

TEST(HealthRules, ThroughputTakesTheLargerShortfall) {
  struct Case {
    const char* why;
    double now, before, peers;
    int peer_count;
    double days, reference;
  };
  const Case cases[] = {{"own past", 1650, 1700, 1680, 3, 32, 1700},
                        {"boards at the same job", 1650, 1700, 1720, 3, 32, 1720},
                        {"two peers say nothing", 1650, 1640, 1720, 2, 32, 0},
                        {"six days before are too few", 1650, 1700, 0, 0, 7, 0},
                        {"seven are enough", 1650, 1700, 0, 0, 8, 1700}};
  for (const auto& c : cases) {
    auto in = board();
    in.metrics[kDev + "SM_CLOCK"] = daily({c.now, c.before}, c.days);
    for (int n = 0; n < c.peer_count; ++n)
      in.peers.push_back({{{kDev + "SM_CLOCK", steady(c.peers)}, {kActive, steady(0.9)}}, false, true});
    const auto r = score(baseline(), in);
    const auto* f = finding(r, "performance.throughput");
    EXPECT_EQ(f ? f->reference : 0, c.reference) << c.why;
    if (f) {
      EXPECT_NEAR(f->lost, 100 * (1 - c.now / c.reference), 1e-12) << c.why;
    }
  }
}

TEST(HealthRules, LinksThatAreDown) {
  auto in = board();
  in.links_expected = 2;
  EXPECT_EQ(dimension(score(baseline(), in), "performance").missing, std::vector<std::string>{kDev + "NVLINK_GET_STATE"});
  in.metrics[kDev + "NVLINK_GET_STATE@nvlink0"] = steady(1);
  in.metrics[kDev + "NVLINK_GET_STATE@nvlink1"] = steady(1);
  EXPECT_THAT(fired(in), IsEmpty());
  in.metrics[kDev + "NVLINK_GET_STATE@nvlink1"]->back().value = 0;
  EXPECT_THAT(fired(in), ElementsAre("performance.nvlink"));
  in.metrics[kDev + "NVLINK_GET_STATE@nvlink1"]->pop_back();  // up when last read, and silent now
  EXPECT_THAT(fired(in), ElementsAre("performance.nvlink"));
}

TEST(HealthRules, UptimeLeavesOutWhatIsNoFaultOfTheBoard) {
  struct Case {
    const char* why;
    void (*change)(Input&, Interval);
    bool costs;
  };
  const Case cases[] = {{"the board was gone", [](Input&, Interval) {}, true},
                        {"its source was silent", [](Input& in, Interval gap) { in.source_silent = {gap}; }, false},
                        {"maintenance", [](Input& in, Interval gap) { in.maintenance = {gap}; }, false},
                        {"drained",
                         [](Input& in, Interval gap) {
                           in.events = {{gap.from, "drain"}, {gap.to, "undrain"}};
                         },
                         false},
                        {"not deployed yet", [](Input& in, Interval gap) { in.deployed_at = gap.to + kStep; }, false},
                        {"nobody noted", [](Input& in, Interval) { in.source_silent.reset(); }, false}};
  for (const auto& c : cases) {
    auto in = board();
    const Interval gap{kT - 3 * kDay, kT - 3 * kDay + kHour + kStep};
    for (auto& [name, series] : in.metrics) std::erase_if(*series, [&](const Reading& r) { return gap.covers(r.at); });
    c.change(in, gap);
    const auto rules = fired(in);
    EXPECT_EQ(std::ranges::count(rules, "reliability.uptime"), c.costs) << c.why;
  }
}

TEST(HealthRules, XidsOfHardwareCost) {
  struct Case {
    const char* why;
    std::vector<Event> events;
    std::vector<std::string> rules, critical;
    double score;
  };
  const double old = kT - 5 * kDay;
  const Case cases[] = {
      {"an application's", {{old, "xid", 13}}, {}, {}, 100},
      {"informational", {{old, "xid", 162}}, {}, {}, 100},
      {"the same within the hour", {{old, "xid", 94}, {old + 3600, "xid", 94}}, {"reliability.xid"}, {}, 90},
      {"the same an hour and a second later", {{old, "xid", 94}, {old + 3601, "xid", 94}}, {"reliability.xid"}, {}, 80},
      {"critical today", {{kT - 60, "xid", 48}}, {"reliability.xid"}, {"reliability.xid"}, 80},
      {"off the bus, gone, reset: one incident",
       {{kT - 9000, "xid", 79}, {kT - 8970, "gpu_missing"}, {kT - 5400, "gpu_reset"}},
       {"reliability.reset"},
       {"reliability.reset"},
       85},
      {"a reset an hour and a second later", {{old, "gpu_missing"}, {old + 3601, "gpu_reset"}}, {"reliability.reset"}, {}, 70},
      {"a month ago", {{kT - 30 * kDay, "xid", 48}}, {}, {}, 100},
      {"not yet", {{kT + 1, "xid", 48}}, {}, {}, 100}};
  for (const auto& c : cases) {
    auto in = board();
    in.events = c.events;
    const auto r = score(baseline(), in);
    EXPECT_EQ(fired(in), c.rules) << c.why;
    EXPECT_EQ(r.critical, c.critical) << c.why;
    EXPECT_EQ(dimension(r, "reliability").score, c.score) << c.why;
  }
}

TEST(HealthRules, JobsCountFromTwenty) {
  auto in = board();
  in.jobs.emplace();
  for (int n = 0; n < 19; ++n) in.jobs->push_back({kT - n * kHour, n > 0});
  EXPECT_THAT(fired(in), IsEmpty()) << "19 are too few";
  in.jobs->push_back({kT - 20 * kHour, true});
  const auto r = score(baseline(), in);
  ASSERT_NE(finding(r, "reliability.jobs"), nullptr);
  EXPECT_EQ(finding(r, "reliability.jobs")->value, 95);
  EXPECT_EQ(finding(r, "reliability.jobs")->lost, 8);
}

TEST(HealthRules, TrendsNeedHalfTheirRoundsAndAreHeld) {
  struct Case {
    const char* why;
    double week_ago;
    int rounds;
    std::optional<double> trend;
    const char* risk;
  };
  const Case cases[] = {{"falls", 97, 48, -2.0, "medium"},
                        {"falls fast", 100, 48, -5.0, "high"},
                        {"rises", 90, 48, 5.0, "low"},
                        {"held at 10", 70, 48, 10.0, "low"},
                        {"47 rounds", 100, 47, std::nullopt, "low"}};
  for (const auto& c : cases) {
    auto in = board();
    for (const auto* flag : {"ECC_SBE_VOL_TOTAL", "ECC_DBE_VOL_TOTAL"}) in.metrics[kDev + flag] = steady(0, 8);
    for (const auto* flag : {"ROW_REMAP_PENDING", "ROW_REMAP_FAILURE", "BANKS_REMAP_ROWS_AVAIL_NONE"}) in.metrics[kDev + flag] = steady(0);
    in.metrics[kDev + "FAN_SPEED"] = std::nullopt;
    in.metrics[kDev + "GPU_TEMP"] = steady(85);  // thermal 80, the whole 95
    for (int n = 0; n < c.rounds; ++n) in.previous_scores.push_back({kT - 8 * kDay + 900 * (n + 1), c.week_ago});
    for (int n = 95; n > 0; --n) in.previous_scores.push_back({kT - 900 * n, 95});
    const auto r = score(baseline(), in);
    EXPECT_EQ(r.overall, 95) << c.why;
    EXPECT_EQ(r.trend_7d, c.trend) << c.why;
    EXPECT_EQ(r.trend_30d, std::nullopt) << c.why;
    EXPECT_EQ(r.risk, c.risk) << c.why;
  }
}

TEST(HealthRules, SentencesOfTheNewRules) {
  struct Case {
    Finding finding;
    const char* sentence;
  };
  const Case cases[] = {
      {{"power.spike", 30, 13, 0}, "power jumped by more than 20 W 13 times at steady load in 24 h; reference 0"},
      {{"power.efficiency", 8, 540, 500}, "540.0 J per second of full activity in 24 h; reference 500.0 J, its own last 30 days"},
      {{"performance.clock", 10, 0.0507, 0.05}, "SM clock below 90 % of its maximum in 5.1 % of the time under load; reference 5 %"},
      {{"performance.pcie", 5, 8, 16}, "PCIe at 8 lanes; reference 16"},
      {{"performance.pcie", 5, 1, 0.95}, "PCIe generation below its maximum in 100 % of the time under load; reference 95 %"},
      {{"performance.nvlink", 5, 17, 18}, "17 NVLinks up; reference 18"},
      {{"reliability.uptime", 40, 99.4965, 99.9}, "reported 99.50 % of 30 days; reference 99.9 %"},
      {{"reliability.xid", 10, 1, 0}, "1 hardware Xid in 30 days; reference 0"},
  };
  for (const auto& c : cases) EXPECT_EQ(sentence(c.finding), c.sentence);
  for (const auto rule : rule_names(baseline()))
    EXPECT_FALSE(sentence({std::string(rule), 1, 1, 1}).starts_with(rule)) << rule << " has no sentence";
}

TEST(Reliability, ASitesOwnRowsCount) {
  const auto site = faults::FaultCatalogue::built_in().with_site(
      "xid,name,class,likely_origin,severity,first_action,repeats,within,then,counts_for,architectures,drivers,source,sign\n"
      "48,,,,warning,,,,,,,,,\n",
      "site.csv");
  ASSERT_TRUE(site) << site.error().what;
  auto in = board();
  in.events = {{kT - kHour, "xid", 48}};
  const auto lost = [&] {
    const auto r = score(baseline(), in);
    return 100 - *std::ranges::find(r.dimensions, "reliability", &Dimension::name)->score;
  };
  EXPECT_EQ(lost(), 20);
  in.codes = &*site;
  EXPECT_EQ(lost(), 3);
}

}  // namespace
}  // namespace ghm::health
