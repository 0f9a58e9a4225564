#include "domain/simulation/host_telemetry.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "domain/health/health.h"
#include "domain/simulation/life_for_test.h"

namespace ghm::simulation {
namespace {

using test::kStart;
using test::world_of;

constexpr double kFirst = 1'767'225'600;  // kStart, Unix seconds

std::size_t column(std::string_view name) {
  const auto all = archive_columns();
  const auto it = std::ranges::find(all, name, &ArchiveColumn::name);
  EXPECT_NE(it, all.end()) << name;
  return static_cast<std::size_t>(it - all.begin());
}

using Rows = std::map<std::pair<std::int64_t, int>, std::array<double, kArchiveColumns>>;  // by moment and stay

Rows rows_of(HostTelemetry& host, std::int64_t from, std::int64_t until, std::int64_t every) {
  Rows out;
  std::vector<HostTelemetry::Row> rows;
  for (auto t = from; t < until; t += every) {
    rows.clear();
    host.step(t, static_cast<double>(every), rows);
    for (const auto& r : rows) out[{t, r.stay}] = r.values;
  }
  return out;
}

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

/// The same life in which no board ever fails.
HostLife unbroken(HostLife life) {
  std::set<int> slots;
  std::erase_if(life.effects, [](const Effect& e) {
    using enum Effect::Kind;
    return e.kind == idle || e.kind == absent || e.kind == repair || e.kind == reboot || e.kind == sign ||
           (e.kind == mark_row && e.sign != Sign::none) || (e.kind == strike && e.fault != Fault::app_xid31);
  });
  for (auto& s : life.stays) s.retired = 0;
  return life;
}

/// Whether telemetry up to the first failure or reboot of the host is, to the last bit, what it would be without failures.
bool tells_nothing_before(const World& world, const HostLife& life, double until) {
  HostTelemetry real(world, life), fictive(world, unbroken(life));
  const auto end = static_cast<std::int64_t>(until);
  const auto a = rows_of(real, static_cast<std::int64_t>(world.start()), end, 300);
  const auto b = rows_of(fictive, static_cast<std::int64_t>(world.start()), end, 300);
  return a.size() == b.size() && std::ranges::equal(a, b, [](const auto& x, const auto& y) {
           return x.first == y.first && std::ranges::equal(x.second, y.second, same);
         });
}

/// The moment of the host's first failure, if nothing else stops the host before.
double first_failure(const HostLife& life) {
  double first = 0;
  for (const auto& f : life.failures) first = first == 0 ? f.at : std::min(first, f.at);
  for (const auto& e : life.effects)
    if (e.kind == Effect::Kind::absent && e.from < first) return 0;
  return first;
}

TEST(HostTelemetry, ColumnsAreFortyWithAllThatScoresNeed) {
  const auto all = archive_columns();
  std::set<std::string_view> names;
  for (const auto& c : all) names.insert(c.name);
  EXPECT_EQ(names.size(), 40u);
  for (const auto& need : health::needs())
    if (!need.per_link && need.metric != "DCGM_FI_DEV_FAN_SPEED") {
      EXPECT_TRUE(names.contains(need.metric)) << need.metric;
    }
}

// What the name promises, exactly: before a failure there is nothing of it.
TEST(HostTelemetry, NothingComesBeforeAFailureInNoPrecursor) {
  const auto world = world_of(24'000, 3, "noprecursor");
  int tried = 0;
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    const auto life = live(world, h);
    const double at = first_failure(life);
    if (at == 0) continue;
    ++tried;
    EXPECT_TRUE(tells_nothing_before(world, life, at)) << h;
  }
  EXPECT_GT(tried, 8);
}

TEST(HostTelemetry, ASilentFailureIsSilentAndASignIsSeen) {
  const auto world = world_of(64'000, 4, "optimistic");
  int silent = 0, told = 0;
  for (std::size_t h = 0; h < world.hosts() && (silent < 12 || told < 6); ++h) {
    const auto life = live(world, h);
    const double at = first_failure(life);
    if (at == 0) continue;
    // Signs of later failures, and of boards that failed before they could show anything, would blur the picture.
    const bool any = std::ranges::any_of(life.effects, [&](const Effect& e) { return e.kind == Effect::Kind::sign && e.from < at; });
    const bool long_sign = std::ranges::any_of(life.failures, [&](const Failure& f) {
      return f.sign != Sign::none && f.at == at && at - std::max(f.sign_from, kFirst) > 12 * 3600;
    });
    if (!any) ++silent;
    else if (long_sign) ++told;
    if (!any || long_sign) {
      EXPECT_EQ(tells_nothing_before(world, life, at), !any) << h;
    }
  }
  EXPECT_GE(silent, 12);
  EXPECT_GE(told, 3);
}

// The same by statistics: failing boards against the seven others of their hosts, who do the same work. Under "nothing differs"
// the place of the failing board among them is uniform.
TEST(HostTelemetry, FailingBoardsOfNoPrecursorRankLikeTheirNeighbours) {
  const auto world = world_of(64'000, 2, "noprecursor", 11);
  const std::size_t columns[] = {column("DCGM_FI_DEV_GPU_TEMP"), column("DCGM_FI_DEV_POWER_USAGE"), column("DCGM_FI_DEV_SM_CLOCK"),
                                 column("DCGM_FI_DEV_MEMORY_TEMP"), column("DCGM_FI_PROF_GR_ENGINE_ACTIVE")};
  std::map<std::size_t, std::vector<double>> ranks;
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    const auto life = live(world, h);
    const double at = first_failure(life);
    if (at < kFirst + 6 * 3600 || life.failures.size() > 1 || life.stays.size() != 8) continue;
    HostTelemetry host(world, life);
    const auto rows = rows_of(host, static_cast<std::int64_t>(kFirst), static_cast<std::int64_t>(at), 600);
    const int failing = static_cast<int>(life.failures[0].stay);
    for (const auto c : columns) {
      std::array<double, 8> sum{}, n{};
      for (const auto& [key, values] : rows)
        sum[static_cast<std::size_t>(key.second)] += values[c], n[static_cast<std::size_t>(key.second)] += 1;
      double below = 0;
      const auto mean = [&](int b) { return sum[static_cast<std::size_t>(b)] / n[static_cast<std::size_t>(b)]; };
      for (int b = 0; b < 8; ++b) below += b != failing && mean(b) < mean(failing);
      ranks[c].push_back(below / 7);
    }
  }
  for (const auto& [c, r] : ranks) {
    ASSERT_GE(r.size(), 20u);
    double sum = 0;
    for (const double x : r) sum += x;
    const double sigma = std::sqrt((64 - 1) / 12.0) / 7;  // of one rank of eight
    EXPECT_LT(std::abs(sum / static_cast<double>(r.size()) - 0.5) * std::sqrt(static_cast<double>(r.size())) / sigma, 3.5)
        << archive_columns()[c].name;
  }
}

TEST(HostTelemetry, MissingReadingsLieInTheirBand) {
  for (const auto& [scenario, low, high] : {std::tuple("healthy", 0.02, 0.035), {"literature", 0.02, 0.035}, {"shifted", 0.06, 0.085}}) {
    const auto world = world_of(256, 30, scenario);
    std::uint64_t expected = 0, missing = 0;
    for (std::size_t h = 0; h < world.hosts(); ++h) {
      HostTelemetry host(world, live(world, h));
      rows_of(host, static_cast<std::int64_t>(world.start()), static_cast<std::int64_t>(world.end()), 1200);
      expected += host.expected(), missing += host.missing();
    }
    const double share = static_cast<double>(missing) / static_cast<double>(expected);
    EXPECT_GE(share, low) << scenario;
    EXPECT_LE(share, high) << scenario;
  }
}

TEST(HostTelemetry, CorrectedErrorsAreFewAndOnFewBoards) {
  const auto world = world_of(4'000, 365, "healthy");
  std::vector<double> errors(4'000, 0);
  const auto sbe = column("DCGM_FI_DEV_ECC_SBE_AGG_TOTAL");
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    auto life = live(world, h);
    if (std::ranges::none_of(life.effects, [](const Effect& e) { return e.kind == Effect::Kind::noise; })) continue;  // nothing to count
    HostTelemetry host(world, life);
    for (const auto& [key, values] :
         rows_of(host, static_cast<std::int64_t>(world.start()), static_cast<std::int64_t>(world.end()), 4 * 3600)) {
      auto& e = errors[h * 8 + static_cast<std::size_t>(life.stays[static_cast<std::size_t>(key.second)].slot)];
      e = std::max(e, values[sbe]);
    }
  }
  std::ranges::sort(errors, std::greater());
  double all = 0, top = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) all += errors[i], top += i < errors.size() / 100 ? errors[i] : 0;
  EXPECT_GT(top / all, 0.40);
  const auto active = static_cast<double>(std::ranges::count_if(errors, [](double e) { return e > 0; })) / 4'000;
  EXPECT_LE(active, 0.05);
  EXPECT_GE(active, 0.02);
}

// Failure statistics, section 7 (healthy): temperatures, and utilisation of two states.
TEST(HostTelemetry, HealthyBoardsLookLikeHealthyBoards) {
  const auto world = world_of(512, 10, "healthy");
  const auto temp = column("DCGM_FI_DEV_GPU_TEMP"), util = column("DCGM_FI_DEV_GPU_UTIL");
  std::vector<double> a100, h100;
  double zero = 0, full = 0, n = 0;
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    HostTelemetry host(world, live(world, h));
    auto& temps = world.part(h).model.starts_with("A100") ? a100 : h100;
    for (const auto& [key, values] :
         rows_of(host, static_cast<std::int64_t>(world.start()), static_cast<std::int64_t>(world.end()), 1200)) {
      if (!world.part(h).model.starts_with("B200")) temps.push_back(values[temp]);
      zero += values[util] == 0, full += values[util] >= 95, n += 1;
    }
  }
  const auto quantile = [](std::vector<double>& v, double q) {
    std::ranges::sort(v);
    return v[static_cast<std::size_t>(q * static_cast<double>(v.size() - 1))];
  };
  EXPECT_NEAR(quantile(a100, 0.95), 63, 4);
  EXPECT_LE(quantile(a100, 1), 80);
  EXPECT_NEAR(quantile(h100, 0.95), 72, 5);
  EXPECT_LE(quantile(h100, 1), 90);
  EXPECT_GE(zero / n, 0.12);
  EXPECT_LE(zero / n, 0.42);
  EXPECT_GE(full / n, 0.45);
  EXPECT_LE(full / n, 0.72);
}

/// One host of a healthy world, to which one effect is done a day before its readings are scored.
health::Report scored(Effect effect) {
  const auto world = world_of(8, 10, "healthy");
  auto life = live(world, 0);
  life.effects = {effect};
  HostTelemetry host(world, life);
  const auto end = static_cast<std::int64_t>(effect.until == effect.from ? effect.from + 1200 : effect.until);
  health::Input input;
  input.interval_s = 60;
  input.deployed_at = kFirst;
  input.t = static_cast<double>(end);
  for (const auto& need : health::needs()) input.metrics[std::string(need.metric)];
  for (const auto& [key, values] : rows_of(host, static_cast<std::int64_t>(kFirst), end, 60)) {
    if (key.second != 3) continue;
    for (const auto& need : health::needs())
      for (std::size_t c = 0; c < kArchiveColumns; ++c)
        if (archive_columns()[c].name == need.metric && !std::isnan(values[c])) {
          auto& series = input.metrics[std::string(need.metric)];
          if (!series) series.emplace();
          series->push_back({static_cast<double>(key.first), values[c]});
        }
  }
  return health::score(input);
}

double dimension(const health::Report& r, std::string_view name) {
  for (const auto& d : r.dimensions)
    if (d.name == name) return d.score.value_or(-1);
  return -1;
}

TEST(HostTelemetry, ScoresSeeFaultsAndSignsAsTheySeeLiveOnes) {
  constexpr double kAt = kFirst + 86400;
  const auto strike = [](Fault f) { return Effect{Effect::Kind::strike, 3, kAt, kAt, {}, f, 1}; };
  const auto sign = [](Sign s) { return Effect{Effect::Kind::sign, 3, kAt, kAt + 5 * 86400, s, {}, 2}; };
  const auto well = scored({Effect::Kind::mark_row, 5, kAt, kAt, {}, {}, 1});
  EXPECT_EQ(dimension(well, "memory"), 100);
  EXPECT_EQ(dimension(well, "thermal"), 100);
  struct Case {
    const char* why;
    Effect effect;
    const char* dimension;
    double at_most;
  };
  const Case cases[] = {
      {"hbm", strike(Fault::hbm_ue), "memory", 70},
      {"remap", strike(Fault::row_remap_fail), "memory", 30},
      {"pending", strike(Fault::row_remap_pending), "memory", 90},
      {"a row", {Effect::Kind::mark_row, 3, kAt, kAt, {}, {}, 1}, "memory", 95},
      {"storm", sign(Sign::ce_storm), "memory", 95},

      {"flow", sign(Sign::flow), "thermal", 95},
      {"width", sign(Sign::width_drop), "performance", 99},
  };
  for (const auto& c : cases) {
    const auto r = scored(c.effect);
    EXPECT_LE(dimension(r, c.dimension), c.at_most) << c.why;
    EXPECT_GE(dimension(r, c.dimension), 0) << c.why;
  }
}

TEST(HostTelemetry, AReplacedBoardStartsAnewInTheSameSlot) {
  const auto world = world_of(16'000, 60, "literature");
  for (std::size_t h = 0; h < world.hosts(); ++h) {
    const auto life = live(world, h);
    const auto young =
        std::ranges::find_if(life.stays, [&](const Stay& s) { return s.deployed > world.start() && s.deployed < world.end() - 86400; });
    if (young == life.stays.end()) continue;
    const auto& old = *(young - 1);
    EXPECT_EQ(old.slot, young->slot);
    HostTelemetry host(world, life);
    const int old_stay = static_cast<int>(young - life.stays.begin()) - 1;
    std::size_t before = 0, after = 0;
    for (const auto& [key, values] : rows_of(host, static_cast<std::int64_t>(world.start()), static_cast<std::int64_t>(world.end()), 600)) {
      const auto t = static_cast<double>(key.first);
      if (key.second == old_stay) {
        EXPECT_LT(t, old.retired);
        ++before;
      }
      if (key.second == old_stay + 1) {
        EXPECT_GE(t, young->deployed);
        EXPECT_EQ(values[column("DCGM_FI_DEV_ECC_DBE_AGG_TOTAL")], 0);
        ++after;
      }
    }
    EXPECT_TRUE(before > 0 && after > 0);
    return;
  }
  FAIL() << "no board was replaced";
}

}  // namespace
}  // namespace ghm::simulation
