// What the contract asks of injected faults: the health score sees them within a minute.
#include <gmock/gmock.h>

#include "domain/health/health.h"
#include "domain/simulation/page_for_test.h"

namespace ghm::simulation {
namespace {

using test::kBirth;

constexpr auto kInterval = 10s, kBefore = 600s;

/// GPU 3 of one host, scraped every 10 s for ten minutes; then a fault.
class Watched {
 public:
  explicit Watched(std::uint64_t seed) : fleet_(test::fleet_of(8, "healthy", seed)) {
    input_.interval_s = Seconds(kInterval).count();
    input_.deployed_at = to_unix_seconds(kBirth);
    input_.model = "simulated";
    live(kBefore);
  }
  void inject(std::string_view fault) { EXPECT_TRUE(fleet_.inject("3", fault, now_)); }
  void live(std::chrono::seconds span) {
    for (const auto end = now_ + span; now_ < end;) {
      now_ += kInterval;
      const auto s = test::seen(fleet_, 0, 3, now_);
      for (const auto& need : health::needs()) note(std::string(need.metric), s);
    }
  }
  health::Report score() {
    input_.t = to_unix_seconds(now_);
    return health::score(input_);
  }

 private:
  void note(const std::string& metric, const test::Seen& s) {
    auto& series = input_.metrics[metric];
    const auto it = s.values.find(metric);
    if (it == s.values.end()) return;  // the part does not have it
    if (!series) series.emplace();
    series->push_back({to_unix_seconds(now_), it->second});
  }
  Fleet fleet_;
  Timestamp now_ = kBirth;
  health::Input input_;
};

double dimension(const health::Report& r, std::string_view name) {
  for (const auto& d : r.dimensions)
    if (d.name == name) return d.score.value_or(-1);
  return -1;
}

TEST(ScoredFaults, AHealthyBoardLosesNothing) {
  const auto r = Watched(7).score();
  EXPECT_EQ(dimension(r, "thermal"), 100);
  EXPECT_EQ(dimension(r, "memory"), 100);
  EXPECT_THAT(r.critical, testing::IsEmpty());
}

TEST(ScoredFaults, AreSeenWithinAMinute) {
  struct Case {
    const char *fault, *dimension;
    double at_most;
    const char* critical;
  };
  const Case cases[] = {
      {"thermal_tim", "thermal", 90, ""},           {"ce_storm", "memory", 50, ""},
      {"row_remap_pending", "memory", 90, ""},      {"row_remap_fail", "memory", 30, "memory.remap_failed"},
      {"hbm_ue", "memory", 70, "memory.ue_rising"},
  };
  for (const auto& c : cases)
    for (std::uint64_t seed : {2u, 7u}) {
      Watched board(seed);
      board.inject(c.fault);
      board.live(60s);
      const auto r = board.score();
      EXPECT_LE(dimension(r, c.dimension), c.at_most) << c.fault << " seed " << seed;
      EXPECT_GE(dimension(r, c.dimension), 0) << c.fault << " seed " << seed;
      if (*c.critical) {
        EXPECT_THAT(r.critical, testing::Contains(c.critical)) << c.fault;
      }
    }
}

TEST(ScoredFaults, BadPasteGoesOnCostingPoints) {
  Watched board(7);
  board.inject("thermal_tim");
  board.live(600s);
  EXPECT_LE(dimension(board.score(), "thermal"), 60);
}

TEST(ScoredFaults, NoiseIsNotAFault) {
  for (const auto* fault : {"app_xid31", "sensor_stuck", "nvlink_crc"}) {
    Watched board(7);
    board.inject(fault);
    board.live(60s);
    const auto r = board.score();
    EXPECT_EQ(dimension(r, "thermal"), 100) << fault;
    EXPECT_EQ(dimension(r, "memory"), 100) << fault;
  }
}

}  // namespace
}  // namespace ghm::simulation
