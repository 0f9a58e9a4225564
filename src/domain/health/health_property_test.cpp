// What holds for any input, and naive twins of what is clever.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "domain/health/case_json.h"
#include "domain/health/random_input_for_test.h"
#include "domain/health/rules.h"
#include "domain/health/uptime.h"

namespace ghm::health {
namespace {

constexpr std::uint64_t kSeeds = 150;

class HealthProperties : public testing::TestWithParam<const Profile*> {
 protected:
  static const Profile& profile() { return *GetParam(); }
  static Report scored(const Input& in) { return score(profile(), in); }
  static std::string answer(const Input& in) { return case_answer(scored(in)).dump(); }
};
INSTANTIATE_TEST_SUITE_P(OfEvery, HealthProperties, testing::ValuesIn(profiles().begin(), profiles().end()),
                         [](const auto& p) { return std::string(p.param->name); });

TEST_P(HealthProperties, EveryNumberIsOneAndLossesSumUp) {
  std::set<std::string> fired;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto r = scored(test::RandomInput(seed).make());
    if (r.overall) {
      EXPECT_TRUE(*r.overall >= 0 && *r.overall <= 100) << seed;
    }
    EXPECT_TRUE(r.coverage >= 0 && r.coverage <= 1) << seed;
    for (const auto& d : r.dimensions) {
      EXPECT_TRUE(d.coverage >= 0 && d.coverage <= 1) << seed << d.name;
      double lost = 0;
      for (const auto& f : d.findings) {
        fired.insert(f.rule);
        lost += f.lost;
        EXPECT_GE(f.lost, 0) << seed << f.rule;
        EXPECT_TRUE(std::isfinite(f.value) && std::isfinite(f.reference) && std::isfinite(f.at)) << seed << f.rule;
      }
      EXPECT_LE(lost, 100 + 1e-12);
      if (d.score) {
        EXPECT_NEAR(lost, 100 - *d.score, 1e-12) << seed << d.name;
      }
    }
  }
  for (const auto rule : rule_names(profile()))
    EXPECT_TRUE(fired.contains(std::string(rule))) << rule << " never fired: the chance is too small";
}

TEST_P(HealthProperties, FindingsStandInTheTablesOrder) {
  const auto order = rule_names(profile());
  const auto rank = [&](const std::string& rule) { return std::ranges::find(order, rule) - order.begin(); };
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto r = scored(test::RandomInput(seed).make());
    for (const auto& d : r.dimensions)
      EXPECT_TRUE(std::ranges::is_sorted(d.findings, std::ranges::less{}, [&](const Finding& f) { return rank(f.rule); })) << seed;
    EXPECT_TRUE(std::ranges::is_sorted(r.critical, std::ranges::less{}, rank)) << seed;
  }
}

// A metric with the one that speaks where it is silent: only together are they missing.
std::vector<std::string> with_stand_in(const Profile& profile, const std::string& name) {
  for (const auto& need : needs(profile))
    if (!need.instead_of.empty() && (need.metric == name || need.instead_of == name))
      return {std::string(need.instead_of), std::string(need.metric)};
  return {name};
}

TEST_P(HealthProperties, AMissingInputNeverRaisesTheCoverage) {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    const auto in = test::RandomInput(seed).make();
    const auto before = scored(in);
    for (const auto& [name, series] : in.metrics) {
      auto without = in;
      for (const auto& silent : with_stand_in(profile(), name)) without.metrics[silent] = Series{};
      const auto after = scored(without);
      EXPECT_LE(after.coverage, before.coverage) << seed << " " << name;
      for (std::size_t d = 0; d < after.dimensions.size(); ++d)
        EXPECT_LE(after.dimensions[d].coverage, before.dimensions[d].coverage) << seed << " " << name;
    }
  }
}

TEST_P(HealthProperties, TheOrderOfWhatHasNoOrderDoesNotMatter) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    test::RandomInput random(seed);
    auto in = random.make();
    const auto before = answer(in);
    if (in.events) std::ranges::shuffle(*in.events, random.engine());
    if (in.jobs) std::ranges::shuffle(*in.jobs, random.engine());
    if (in.source_silent) std::ranges::shuffle(*in.source_silent, random.engine());
    std::ranges::shuffle(in.peers, random.engine());
    std::ranges::shuffle(in.maintenance, random.engine());
    EXPECT_EQ(answer(in), before) << seed;
  }
}

TEST_P(HealthProperties, NothingAfterTheScoringTimeCounts) {
  const auto after = [](double t) { return [t](const auto& x) { return x.time > t; }; };
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    auto in = test::RandomInput(seed).make();
    const auto before = answer(in);
    for (auto& [name, series] : in.metrics)
      if (series) std::erase_if(*series, [&](const Reading& r) { return r.at > in.t; });
    if (in.events) std::erase_if(*in.events, after(in.t));
    if (in.jobs) std::erase_if(*in.jobs, after(in.t));
    std::erase_if(in.previous_scores, [&](const Reading& r) { return r.at >= in.t; });
    EXPECT_EQ(answer(in), before) << seed;
  }
}

Series random_series(test::RandomInput& random, double t) {
  Series s;
  for (double at = t - 5 * kDay; at < t + kHour; at += random.whole(1, 4) * 30) s.push_back({at, std::floor(random.real(0, 9))});
  return s;
}

TEST(Twins, PercentileOfSortedValues) {
  test::RandomInput random(1);
  for (int n = 1; n < 300; ++n) {
    std::vector<double> values;
    for (int i = 0; i < n; ++i) values.push_back(std::floor(random.real(0, 40)));
    auto sorted = values;
    std::ranges::sort(sorted);
    const double p = random.whole(0, 100), rank = p / 100 * (n - 1);
    const auto low = static_cast<std::size_t>(rank), high = std::min(low + 1, sorted.size() - 1);
    EXPECT_DOUBLE_EQ(percentile(values, p), sorted[low] + (rank - std::floor(rank)) * (sorted[high] - sorted[low])) << n << " " << p;
  }
}

TEST(Twins, GrowthStepByStep) {
  test::RandomInput random(2);
  for (int n = 0; n < 50; ++n) {
    const double t = 1'790'006'400, from = t - random.real(0, 6) * kDay;
    const auto s = random_series(random, t);
    double sum = 0, days = 0;
    for (std::size_t i = 1; i < s.size(); ++i)
      if (s[i].at > from && s[i].at <= t) sum += s[i].value >= s[i - 1].value ? s[i].value - s[i - 1].value : s[i].value;
    EXPECT_DOUBLE_EQ(growth(s, from, t).sum, sum);
    for (const auto day : growth_by_day(s, t, 7)) days += day;
    EXPECT_DOUBLE_EQ(growth(s, t - kWeek, t).sum, days);
  }
}

// An episode as the profile defines it: link neighbours over the whole series, then count those that reach into the window.
TEST(Twins, EpisodesOverTheWholeSeries) {
  test::RandomInput random(3);
  const auto holds = [](double v) { return v >= 5; };
  for (int n = 0; n < 50; ++n) {
    const double t = 1'790'006'400;
    const auto s = random_series(random, t);
    int episodes = 0, naive = 0;
    for_each_in_episodes(s, t - kDay, t, holds, [&](const Reading&, bool first) { episodes += first; });
    bool counted = false;
    for (std::size_t i = 0, last = s.size(); i < s.size(); ++i) {
      if (!holds(s[i].value)) continue;
      if (last == s.size() || (i != last + 1 && s[i].at - s[last].at >= 60)) counted = false;
      last = i;
      if (counted || s[i].at <= t - kDay || s[i].at > t) continue;
      counted = true;
      ++naive;
    }
    EXPECT_EQ(episodes, naive);
  }
}

bool was_read(const Input& in, double from, double to) {
  for (const auto& [name, series] : in.metrics)
    if (series && !within(*series, from, to).empty()) return true;
  return false;
}

// Whether a minute that ends at T is left out, as the profile says it.
bool is_left_out(const Input& in, double T) {
  for (const auto& i : in.maintenance)
    if (i.covers(T)) return true;
  for (const auto& i : in.source_silent.value_or(std::vector<Interval>{}))
    if (i.covers(T)) return true;
  for (const auto& drain : in.events.value_or(std::vector<Event>{})) {
    if (drain.kind != "drain" || drain.time >= T) continue;
    double end = in.t;
    for (const auto& e : *in.events)
      if (e.kind == "undrain" && e.time > drain.time) end = std::min(end, e.time);
    if (T <= end) return true;
  }
  return T - 60 < in.deployed_at;
}

TEST(Twins, UptimeMinuteByMinute) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    auto in = test::RandomInput(seed).make();
    if (seed % 2 == 0) in.interval_s = 10;  // the width is a minute, and most minutes have nothing
    Uptime naive;
    for (int m = 0; m < 43'200; ++m) {
      const double T = in.t - 60.0 * m;
      if (is_left_out(in, T)) continue;
      ++naive.counted;
      naive.reported += was_read(in, T - std::max(60.0, in.interval_s), T);
    }
    const auto fast = uptime(in);
    EXPECT_EQ(fast.counted, naive.counted) << seed;
    EXPECT_EQ(fast.reported, naive.reported) << seed;
  }
}

TEST(Twins, JoinedReadingsByLookingUpEachTime) {
  test::RandomInput random(5);
  for (int n = 0; n < 30; ++n) {
    const double t = 1'790'006'400;
    const Series a = random_series(random, t), b = random_series(random, t), c = random_series(random, t);
    const Metric ma{"a", true, a}, mb{"b", true, b, 100}, mc{"c", true, c};
    std::vector<std::array<double, 4>> joined, naive;
    for_each_joined(std::array{&ma, &mb, &mc}, t - kDay, t, [&](double at, const auto& v) { joined.push_back({at, v[0], v[1], v[2]}); });
    const auto value_at = [](const Series& s, double at) {
      const auto found = std::ranges::find(s, at, &Reading::at);
      return found == s.end() ? std::optional<double>() : found->value;
    };
    for (const auto& r : within(a, t - kDay, t))
      if (const auto vb = value_at(b, r.at), vc = value_at(c, r.at); vb && vc) naive.push_back({r.at, r.value, *vb / 100, *vc});
    EXPECT_EQ(joined, naive);
  }
}

}  // namespace
}  // namespace ghm::health
