// Sums that are carried on from round to round say what a month of readings says: every round of boards made up by chance is
// scored both ways.
#include "domain/health/running_sums.h"

#include <gtest/gtest.h>

#include <set>

#include "domain/health/board_moments.h"
#include "domain/health/random_input_for_test.h"
#include "domain/health/rules.h"

namespace ghm::health {
namespace {

struct MemoryBook : DayBook {
  DaysOfTime read(std::size_t time) override { return days[time]; }
  void write(std::size_t time, const DaysOfTime& d) override { days[time] = d; }
  std::array<DaysOfTime, kQuartersOfDay> days{};
};

void expect_near(double a, double b, const std::string& what) {
  EXPECT_NEAR(a, b, 1e-9 * std::max(1.0, std::abs(b))) << what;
}

void expect_equal(const std::optional<double>& a, const std::optional<double>& b, const std::string& what) {
  ASSERT_EQ(a.has_value(), b.has_value()) << what;
  if (a) expect_near(*a, *b, what);
}

void expect_equal(const Report& sums, const Report& readings, const std::string& what) {
  expect_equal(sums.overall, readings.overall, what);
  expect_near(sums.coverage, readings.coverage, what + " coverage");
  expect_equal(sums.trend_7d, readings.trend_7d, what + " 7 d");
  expect_equal(sums.trend_30d, readings.trend_30d, what + " 30 d");
  EXPECT_EQ(sums.critical, readings.critical) << what;
  EXPECT_EQ(sums.risk, readings.risk) << what;
  for (std::size_t d = 0; d < readings.dimensions.size(); ++d) {
    const auto &a = sums.dimensions[d], &b = readings.dimensions[d];
    expect_equal(a.score, b.score, what + " " + b.name);
    EXPECT_EQ(a.missing, b.missing) << what << " " << b.name;
    ASSERT_EQ(a.findings.size(), b.findings.size()) << what << " " << b.name;
    for (std::size_t f = 0; f < b.findings.size(); ++f) {
      const auto &x = a.findings[f], &y = b.findings[f];
      ASSERT_EQ(x.rule, y.rule) << what;
      expect_near(x.lost, y.lost, what + " lost by " + y.rule);
      expect_near(x.value, y.value, what + " value of " + y.rule);
      expect_near(x.reference, y.reference, what + " reference of " + y.rule);
      EXPECT_NEAR(x.at, y.at, 1e-3) << what << " time of " << y.rule;
    }
  }
}

/// What a service reads in a round: the readings since the last.
BoardMoments moments_after(const Evidence& e, double from) {
  BoardMoments m;
  for (std::size_t i = 0; i < kMetricInputs; ++i) m.metrics[i] = e[static_cast<Of>(i)];
  for (const auto& [name, series] : e.input().metrics)
    if (series) m.others.emplace_back(*series);
  m.links.clear();
  for (const auto& link : e.links()) m.links.push_back(link.readings);
  for (const auto& peer : e.input().peers)
    if (peer.same_host) m.peers_clocks.push_back(metric(peer.metrics, e.t(), "DCGM_FI_DEV_SM_CLOCK").readings);
  m.skip_until(from);
  return m;
}

double swing_of_hour(const Evidence& e, double hour) {
  HourUnderLoad readings;
  for_each_joined(std::array{&e[Of::temperature], &e[Of::activity]}, hour - 1, hour + kHour, [&](double at, const auto& v) {
    if (hour_of(at) == hour) readings.add(v[0], v[1]);
  });
  return readings.swing(e.input().interval_s);
}

bool same_speakers(const RunningSums& sums, const Evidence& e) {
  for (std::size_t i = 0; i < kMetricInputs; ++i)
    if (sums.speaker(static_cast<Of>(i)) != e[static_cast<Of>(i)].name || (sums.recent().listed[i] != 0) != e.listed(static_cast<Of>(i)))
      return false;
  return true;
}

std::set<std::string> fired;  // rules, over all boards
int compared = 0;

/// Lives `rounds` quarters up to the input's time, scoring each round both ways; the scores become earlier ones.
void live(Input in, int rounds, const std::string& what) {
  const double end = in.t;
  in.t = end - rounds * kQuarter;
  std::erase_if(in.previous_scores, [&](const Reading& s) { return s.at >= in.t; });
  MemoryBook book;
  auto sums = RunningSums::from(Evidence(in), book);
  for (const auto* profile : profiles())
    expect_equal(sums.score(*profile, in), score(*profile, in), what + " from readings, " + std::string(profile->name));
  for (int n = 1; n <= rounds && !testing::Test::HasFailure(); ++n) {
    in.t += kQuarter;
    ++compared;
    const Evidence e(in);
    if (!same_speakers(sums, e)) return;  // a service begins anew
    auto moments = moments_after(e, in.t - kQuarter);
    sums.advance(
        in.interval_s, [&](QuarterReader& reader) { moments.until(in.t, [&](const Moment& m) { reader.add(m); }); },
        [&](double hour) { return swing_of_hour(e, hour); });
    const auto by_readings = score(baseline(), e);
    Input bare = in;
    bare.metrics.clear();
    expect_equal(sums.score(baseline(), bare), by_readings, what + " round " + std::to_string(n));
    const auto by_v1 = score(v1(), e);
    expect_equal(sums.score(v1(), bare), by_v1, what + " v1 round " + std::to_string(n));
    for (const auto* report : {&by_readings, &by_v1})
      for (const auto& d : report->dimensions)
        for (const auto& f : d.findings) fired.insert(f.rule);
    if (!by_readings.overall) continue;
    sums.note_score(in.t, *by_readings.overall);
    const double stamp = std::floor(in.t / kQuarter) * kQuarter;
    in.previous_scores.push_back({stamp, *by_readings.overall});
  }
}

TEST(RunningSums, EveryRoundIsWhatReadingsSay) {
  fired.clear();
  for (std::uint64_t seed = 0; seed < 200; ++seed)
    live(test::RandomInput(seed).make(), 1 + static_cast<int>(seed % 12), "seed " + std::to_string(seed));
  EXPECT_GT(compared, 300);
  for (const auto* profile : profiles())
    for (const auto rule : rule_names(*profile)) EXPECT_TRUE(fired.contains(std::string(rule))) << rule << " never fired";
}

TEST(RunningSums, DaysGoByAndAreWhatReadingsSay) {
  compared = 0;
  for (std::uint64_t seed = 1000; seed < 1016; ++seed)
    live(test::RandomInput(seed).make(seed % 2 == 0 ? 300 : 600), 110, "seed " + std::to_string(seed));
  EXPECT_GT(compared, 8 * 110) << "most boards live to the end";
}

TEST(RunningSums, ReadingsOfSecondsAreWhatTheySay) {
  for (std::uint64_t seed = 2000; seed < 2003; ++seed) {
    for (const double interval : {45.0, 60.0})
      live(test::RandomInput(seed).make(interval), 6, "seed " + std::to_string(seed) + " at " + std::to_string(interval));
  }
}

}  // namespace
}  // namespace ghm::health
