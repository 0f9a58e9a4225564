#include "domain/anomaly/anomaly_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::anomaly {
namespace {

namespace field = telemetry::field;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Timestamp kStart = from_unix_ms(1'700'000'000'000);

/// A host of eight boards that rests for an hour and works for three, and so on. Its numbers are a table that a story may change.
struct AnomalyWatchTest : ::testing::Test {
  static constexpr std::size_t kBoards = 8;

  AnomalyWatchTest() { sit(kBoards); }

  void sit(std::size_t boards) {
    std::vector<Seat> seats(boards);
    for (std::size_t b = 0; b < boards; ++b) {
      seats[b].board = BoardId{static_cast<std::uint32_t>(b + 1)};
      for (std::size_t s = 0; s < kSlots; ++s) seats[b].columns.column[s] = static_cast<std::int32_t>(b * kSlots + s);
    }
    watch.seat(std::move(seats));
    away.assign(boards, false);
    on.resize(boards);
  }

  struct Board {
    double warmer = 1;  // its cooler
    double watts = 1;   // its share of the host's load
    double lanes = 16, uncorrected = 0, remap_pending = 0;
    std::optional<double> stuck_at;
    double joules = 1e6;
  };

  void minute() {
    now += 1min;
    ++minutes;
    const bool works = minutes % 240 >= 60;
    values.assign(on.size() * kSlots, 0);
    for (std::size_t b = 0; b < on.size(); ++b) {
      auto& board = on[b];
      const double ripple = 5 * static_cast<double>((minutes * 7 + b * 3) % 5);  // W
      const double watts = (works ? 600 * board.watts : 90) + ripple;
      board.joules += 60 * watts;
      const auto put = [&](Slot s, double v) { values[b * kSlots + index_of(s)] = v; };
      put(Slot::gpu_temp, board.stuck_at.value_or(std::round(air + 0.06 * watts * (0.95 + 0.01 * static_cast<double>(b)) * board.warmer)));
      put(Slot::memory_temp, std::round(air + 0.065 * watts));
      put(Slot::power, watts);
      put(Slot::gpu_util, works ? 99 * std::min(1.0, board.watts) : 0);
      put(Slot::sm_clock, works ? 1900 : 345);
      put(Slot::mem_clock, 2619);
      put(Slot::pcie_gen, 5);
      put(Slot::pcie_width, board.lanes);
      put(Slot::power_limit, 700);
      put(Slot::links_up, 18);
      put(Slot::uncorrected, board.uncorrected);
      put(Slot::remap_pending, board.remap_pending);
      put(Slot::energy, 1000 * board.joules);
    }
    if (!watch.page(now, values, 60s)) return;
    for (auto& change : watch.minute(now, values, away)) told.push_back(std::move(change));
  }
  void pass(std::chrono::minutes span) {
    for (auto end = now + span; now < end;) minute();
  }
  /// The program ends and starts; what was open is known from its events.
  void restart() {
    const auto open = watch.open();
    watch = {};
    sit(on.size());
    watch.reopen(open);
  }
  std::vector<std::string> say() {
    std::vector<std::string> out;
    for (const auto& c : std::exchange(told, {}))
      out.push_back(std::to_string(static_cast<int>(c.anomaly.board)) + (c.opened ? " opened " : " cleared ") +
                    std::string(to_string(c.anomaly.detector)) + ": " + c.anomaly.sentence);
    return out;
  }

  AnomalyWatch watch;
  Timestamp now = kStart;
  std::size_t minutes = 0;
  double air = 24;
  std::vector<Board> on;
  std::vector<double> values;
  std::vector<bool> away;
  std::vector<AnomalyChange> told;
};

TEST_F(AnomalyWatchTest, AHealthyWeekIsSilent) {
  pass(7 * 24h);
  EXPECT_THAT(say(), IsEmpty());
  EXPECT_EQ(watch.counts().gaps, 0u);
  EXPECT_GT(watch.counts().minutes, 7u * 24 * 60 * kBoards - 100);
}

TEST_F(AnomalyWatchTest, NothingIsSaidWhileItLearns) {
  on[2].warmer = 2.5;
  on[3].lanes = 8;
  pass(1h);
  EXPECT_THAT(say(), IsEmpty());
}

TEST_F(AnomalyWatchTest, AnUncorrectableErrorOpensAfterFiveMinutesAndClosesAfterwards) {
  pass(24h);
  on[4].uncorrected = 1;
  pass(5min);
  EXPECT_THAT(say(), IsEmpty());
  pass(2min);
  EXPECT_THAT(say(), ElementsAre(AllOf(HasSubstr("5 opened event_burst: uncorrectable memory errors: 1"))));
  ASSERT_EQ(watch.open().size(), 1u);
  EXPECT_EQ(watch.open()[0].severity, Severity::error);
  EXPECT_EQ(watch.open()[0].metric, field::ecc_dbe_volatile);
  pass(2h);
  EXPECT_THAT(say(), ElementsAre(HasSubstr("5 cleared event_burst")));
  EXPECT_THAT(watch.open(), IsEmpty());
}

TEST_F(AnomalyWatchTest, ALinkThatTrainedDownIsOpenUntilItIsBack) {
  pass(24h);
  on[1].lanes = 8;
  pass(1h);
  EXPECT_THAT(say(), ElementsAre(HasSubstr("2 opened step_change: PCIe width: went from 16 lanes to 8 lanes")));
  pass(24h);
  EXPECT_THAT(say(), IsEmpty()) << "told once";
  on[1].lanes = 16;
  pass(1h);
  EXPECT_THAT(say(), ElementsAre(HasSubstr("2 cleared step_change")));
}

TEST_F(AnomalyWatchTest, AfterAWeekTheNewLevelIsNormal) {
  pass(24h);
  on[1].lanes = 8;
  pass(9 * 24h);
  EXPECT_THAT(say(), ElementsAre(HasSubstr("2 opened"), HasSubstr("2 cleared")));
}

TEST_F(AnomalyWatchTest, WhatWasOpenIsOpenAfterARestartUntilItIsOver) {
  pass(24h);
  on[1].lanes = 8;
  pass(1h);
  ASSERT_EQ(say().size(), 1u);
  const auto before = watch.open();
  restart();
  ASSERT_EQ(watch.open().size(), 1u) << "at once";
  EXPECT_EQ(watch.open()[0].since, before[0].since);
  EXPECT_EQ(watch.open()[0].sentence, before[0].sentence);
  pass(24h);
  EXPECT_THAT(say(), IsEmpty()) << "told already, and not over";
  on[1].lanes = 16;
  pass(1h);
  EXPECT_THAT(say(), ElementsAre(HasSubstr("2 cleared step_change: PCIe width: went from 16 lanes")));
  EXPECT_THAT(watch.open(), IsEmpty());
}

TEST_F(AnomalyWatchTest, AfterAWeekTheNewLevelIsNormalHoweverOftenTheProgramStarts) {
  pass(24h);
  on[1].lanes = 8;
  for (int day = 0; day < 9; ++day) {
    pass(24h);
    restart();
  }
  EXPECT_THAT(say(), ElementsAre(HasSubstr("2 opened"), HasSubstr("2 cleared")));
}

TEST_F(AnomalyWatchTest, AnEventOfBeforeARestartIsOverInItsTime) {
  pass(24h);
  on[4].uncorrected = 1;
  pass(7min);
  ASSERT_EQ(say().size(), 1u);
  restart();
  EXPECT_EQ(watch.open().size(), 1u);
  pass(2h);
  EXPECT_THAT(say(), ElementsAre(HasSubstr("5 cleared event_burst")));
}

TEST_F(AnomalyWatchTest, AHotRoomIsOfTheHostAfterARestartToo) {
  pass(30h);
  air += 14;
  pass(6h);
  ASSERT_THAT(say(), Not(IsEmpty()));
  const auto open = watch.open().size();
  restart();
  EXPECT_EQ(watch.open().size(), open);
  pass(8h);
  EXPECT_THAT(say(), IsEmpty());
  air -= 14;
  pass(8h);
  EXPECT_THAT(say(), ::testing::Contains(HasSubstr("0 cleared robust_z")));
  EXPECT_THAT(watch.open(), IsEmpty());
}

TEST_F(AnomalyWatchTest, ABoardThatIsNotThereAfterARestartIsIgnored) {
  Anomaly gone;
  gone.board = BoardId{99};
  gone.detector = Detector::step_change;
  gone.metric = watched(Slot::pcie_width).fields[0];
  watch.reopen({gone});
  EXPECT_THAT(watch.open(), IsEmpty());
  pass(2h);
  EXPECT_THAT(say(), IsEmpty());
}

TEST_F(AnomalyWatchTest, ACoolerThatFailsIsSeenAgainstThePeers) {
  pass(24h);
  on[5].warmer = 1.5;
  pass(6h);
  const auto said = say();
  EXPECT_THAT(said, ::testing::Contains(HasSubstr("6 opened step_change: GPU temperature rise")));
  EXPECT_THAT(said, ::testing::Contains(HasSubstr("6 opened peer_residual: GPU temperature rise")));
  for (const auto& s : said) EXPECT_THAT(s, ::testing::StartsWith("6 ")) << "only that board";
}

TEST_F(AnomalyWatchTest, AHotRoomIsOneAnomalyOfTheHostAndNoBoards) {
  pass(30h);
  air += 14;
  pass(6h);
  const auto said = say();
  ASSERT_THAT(said, Not(IsEmpty()));
  EXPECT_THAT(said[0], AllOf(HasSubstr("0 opened robust_z"), HasSubstr("of 8 boards at once")));
  for (const auto& s : said) EXPECT_THAT(s, ::testing::StartsWith("0 "));
}

TEST_F(AnomalyWatchTest, AWarmerDayIsNoNews) {
  pass(30h);
  air += 4;
  pass(24h);
  EXPECT_THAT(say(), IsEmpty());
}

TEST_F(AnomalyWatchTest, ABusyBoardAmongIdleOnesIsNotPunished) {
  for (std::size_t b = 1; b < kBoards; ++b) on[b].watts = 0.2;
  pass(48h);
  EXPECT_THAT(say(), IsEmpty());
}

TEST_F(AnomalyWatchTest, AStuckTemperatureIsSeenWhenThePowerMoves) {
  pass(24h);
  on[3].stuck_at = 60;
  pass(8h);
  EXPECT_THAT(say(), ::testing::Contains(HasSubstr("4 opened stuck_sensor: GPU temperature: no change for")));
}

TEST_F(AnomalyWatchTest, PasteThatDriesIsToldWithinNineDays) {
  pass(72h);
  for (int minute = 0; minute < 9 * 1440; ++minute) {
    on[2].warmer += 0.012 / 1440;
    pass(1min);
  }
  EXPECT_THAT(say(), ElementsAre(HasSubstr("3 opened cusum_drift: GPU temperature rise")));
}

TEST_F(AnomalyWatchTest, AfterAGapNothingIsSaidOfWhatHappenedInIt) {
  pass(24h);
  now += 5h;
  on[4].uncorrected = 7;
  pass(2h);
  EXPECT_THAT(say(), IsEmpty()) << "a restart of the driver, of the host, of a person's work: nobody saw it";
  EXPECT_EQ(watch.counts().gaps, 1u);
}

TEST_F(AnomalyWatchTest, UnderMaintenanceNothingIsSaid) {
  pass(24h);
  away[4] = true;
  on[4].uncorrected = 7;
  on[4].lanes = 8;
  pass(2h);
  on[4].lanes = 16;
  pass(2h);
  away[4] = false;
  pass(6h);
  EXPECT_THAT(say(), IsEmpty());
}

TEST_F(AnomalyWatchTest, ABoardThatLeavesTakesItsAnomalyAlong) {
  pass(24h);
  on[7].lanes = 8;
  pass(30min);
  ASSERT_EQ(say().size(), 1u);
  sit(kBoards - 1);
  pass(2min);
  EXPECT_THAT(say(), ElementsAre(HasSubstr("8 cleared")));
}

TEST_F(AnomalyWatchTest, AMetricThatNobodyPrintsIsNotJudged) {
  std::vector<Seat> seats(1);
  seats[0].board = BoardId{1};
  watch.seat(std::move(seats));
  away.assign(1, false);
  on.resize(1);
  pass(48h);
  EXPECT_THAT(say(), IsEmpty());
}

TEST(Checks, HoldTogether) {
  for (const auto& c : kChecks) {
    EXPECT_GE(c.persist, 5min) << "no anomaly before five minutes";
    EXPECT_GT(c.open, c.close);
    EXPECT_GT(c.least_sigma, 0);
    for (const auto& other : kChecks)
      EXPECT_FALSE(&other != &c && other.detector == c.detector && other.slot == c.slot) << "one per detector and metric";
  }
  EXPECT_LE(sizeof(BoardWatch), 3000u) << "ten thousand boards are 30 MB";
}

}  // namespace
}  // namespace ghm::anomaly
