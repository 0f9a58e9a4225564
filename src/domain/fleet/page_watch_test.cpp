#include "domain/fleet/page_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::fleet {
namespace {

using telemetry::Entity;
using telemetry::SeriesKey;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Timestamp kStart = from_unix_ms(1'700'000'000'000);
constexpr BoardId kA{1}, kB{2};
const SeriesKey kTempA{kA, {}, telemetry::field::gpu_temp}, kTempB{kB, {}, telemetry::field::gpu_temp};
const SeriesKey kLink{kA, {Entity::Kind::nvlink, 4}, telemetry::field::nvlink_state};
const SeriesKey kXid{kA, {}, telemetry::field::xid};

struct PageWatchTest : ::testing::Test {
  PageWatch watch;
  Timestamp now = kStart;

  void page(std::vector<SeriesKey> series, std::vector<BoardId> boards = {kA, kB}) {
    now += 10s;
    watch.on_series(std::make_shared<const std::vector<SeriesKey>>(std::move(series)), boards, now);
  }
  std::vector<std::string> signs() {
    std::vector<std::string> out;
    for (const auto& s : watch.notice(10s, now)) out.push_back(std::string(s.kind) + ": " + s.detail);
    return out;
  }
};

TEST_F(PageWatchTest, ASeriesThatStoppedIsNewsAfterTwoIntervals) {
  page({kTempA, kTempB, kLink, kXid});
  EXPECT_THAT(signs(), ElementsAre());
  page({kTempA, kTempB});
  EXPECT_THAT(signs(), ElementsAre());
  now += 20s;
  EXPECT_THAT(signs(), ElementsAre("series_stopped: 1 series stopped: DCGM_FI_DEV_NVLINK_GET_STATE@nvlink4"))
      << "a link went down; an Xid gauge without an event is absent by nature";
  EXPECT_EQ(watch.stopped(), 1u);
  now += 20s;
  EXPECT_THAT(signs(), ElementsAre()) << "told once";
  page({kTempA, kTempB, kLink});
  EXPECT_THAT(signs(), ElementsAre(HasSubstr("series_returned: 1 series are back")));
  EXPECT_EQ(watch.stopped(), 0u);
}

TEST_F(PageWatchTest, ASeriesThatMissesOnePageIsNoNews) {
  page({kTempA, kTempB});
  page({kTempA});
  page({kTempA, kTempB});
  now += 60s;
  EXPECT_THAT(signs(), ElementsAre());
}

TEST_F(PageWatchTest, ABoardThatWentIsNotAHundredSeriesThatStopped) {
  page({kTempA, kTempB, kLink});
  page({kTempB}, {kB});
  now += 60s;
  EXPECT_THAT(signs(), ElementsAre());
}

TEST_F(PageWatchTest, OneMetricOfAllBoardsIsOneSentence) {
  page({kTempA, kTempB});
  page({}, {kA, kB});
  now += 20s;
  EXPECT_THAT(signs(), ElementsAre("series_stopped: 2 series stopped: DCGM_FI_DEV_GPU_TEMP of 2 boards"));
}

TEST_F(PageWatchTest, APageThatGetsSlowIsNewsAndOneLateAnswerIsNot) {
  for (int i = 0; i < 20; ++i) watch.on_answer(200ms);
  watch.on_answer(3s);
  watch.on_answer(200ms);
  EXPECT_THAT(signs(), ElementsAre());
  for (int i = 0; i < 3; ++i) watch.on_answer(3s);
  EXPECT_THAT(signs(), ElementsAre(HasSubstr("source_slow: the page takes 3.0 s instead of the usual 0.20 s")));
  EXPECT_THAT(signs(), ElementsAre());
  for (int i = 0; i < 3; ++i) watch.on_answer(210ms);
  EXPECT_THAT(signs(), ElementsAre(HasSubstr("source_quick")));
}

TEST_F(PageWatchTest, AQuickPageThatTakesFiveTimesAsLongIsStillQuick) {
  for (int i = 0; i < 20; ++i) watch.on_answer(5ms);
  for (int i = 0; i < 5; ++i) watch.on_answer(100ms);
  EXPECT_THAT(signs(), ElementsAre());
}

TEST_F(PageWatchTest, ReadingsThatNoLongerChangeAreNews) {
  std::uint64_t digest = 0;
  const auto pass = [&](std::chrono::seconds d, bool changing, bool moves = true) {
    for (auto t = 0s; t < d; t += 10s, now += 10s) watch.on_values(kA, changing && t % 30s == 0s ? ++digest : digest, moves, now);
  };
  pass(10min, true);
  EXPECT_THAT(signs(), ElementsAre());
  pass(4min, false);
  EXPECT_THAT(signs(), ElementsAre());
  pass(2min, false);
  EXPECT_THAT(signs(), ElementsAre(HasSubstr("readings_frozen: no reading has changed for ")));
  EXPECT_TRUE(watch.is_frozen(kA));
  pass(10s, true);
  EXPECT_THAT(signs(), ElementsAre(HasSubstr("readings_move")));
}

TEST_F(PageWatchTest, AnIdleBoardWithoutAnEnergyCounterMayStandStill) {
  for (std::uint64_t i = 0; i < 20; ++i, now += 10s) watch.on_values(kA, i, true, now);
  for (int i = 0; i < 100; ++i, now += 10s) watch.on_values(kA, 7, false, now);
  EXPECT_THAT(signs(), ElementsAre());
}

TEST_F(PageWatchTest, ASlowExporterIsNotAFrozenOne) {
  std::uint64_t digest = 0;
  for (int minute = 0; minute < 120; ++minute, now += 60s) watch.on_values(kA, minute % 4 == 0 ? ++digest : digest, true, now);
  now += 6min;
  EXPECT_THAT(signs(), ElementsAre()) << "it refreshes every four minutes: ten of these periods have not passed";
}

}  // namespace
}  // namespace ghm::fleet
