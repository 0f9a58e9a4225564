// The wall clock is not what it should be: an hour back, a day ahead, back again. Nothing is lost, nothing stands twice, and
// an hour that was sealed too early takes what comes late.
#include "adapters/sqlite/folder_for_test.h"

namespace ghm::sqlite {
namespace {

class TimeJumps : public Folder {
 protected:
  /// Pages every 10 s by a clock that says `from`, and maintenance by the same clock.
  void live(Timestamp from, int pages) {
    for (int i = 0; i < pages; ++i) {
      const auto at = from + i * 10s;
      ASSERT_TRUE(append("h:1", at, {value_, 300}));
      if (!told_.contains(at)) told_[at] = value_;  // of two readings at one instant the first stands
      value_ += 0.25;
      while (store_->maintain(at).value()) {
      }
    }
  }
  void expect_all() {
    const auto found = temperatures();
    ASSERT_EQ(found.size(), told_.size());
    auto want = told_.begin();
    for (const auto& p : found) {
      ASSERT_EQ(p, (Point{want->first, want->second})) << format_rfc3339(p.at);
      ++want;
    }
  }

  std::map<Timestamp, double> told_;
  double value_ = 20;
};

TEST_F(TimeJumps, AnHourBack) {
  ASSERT_TRUE(open());
  live(kNoon, 800);
  live(kNoon + 800 * 10s - 1h, 800);  // the same instants again, then new ones
  expect_all();
  settle(kNoon + 10h);
  ASSERT_TRUE(open());
  expect_all();
}

TEST_F(TimeJumps, ADayAheadAndBackAgain) {
  ASSERT_TRUE(open());
  live(kNoon, 500);
  live(kNoon + 24h, 100);        // everything before is sealed at once
  live(kNoon + 500 * 10s, 700);  // and takes what comes late
  expect_all();
  settle(kNoon + 40h);
  ASSERT_TRUE(open());
  expect_all();
  EXPECT_TRUE(std::filesystem::exists(folder_ / "raw-2026-02-09.db") && std::filesystem::exists(folder_ / "raw-2026-02-10.db"));
}

TEST_F(TimeJumps, HoursAreSealedAfterAClockThatWasFarAhead) {
  ASSERT_TRUE(open());
  live(kNoon + std::chrono::days(20), 400);
  const auto before = store_->stats().sealed_chunks;
  live(kNoon, 1200);
  EXPECT_GT(store_->stats().sealed_chunks, before + 1) << "nothing was sealed until the clock had caught up";
  expect_all();
}

TEST_F(TimeJumps, SourcesWhoseClocksDifferByHours) {
  ASSERT_TRUE(open());
  const auto other = std::make_shared<const std::vector<SeriesKey>>(std::vector<SeriesKey>{{BoardId{8}, {}, telemetry::MetricId{150}}});
  for (int i = 0; i < 1000; ++i) {
    const RowBatch rows[] = {{"h:1", columns_, kNoon + i * 10s, {1.0 * i, 0}}, {"h:2", other, kNoon - 5h + i * 10s, {2.0 * i}}};
    ASSERT_TRUE(store_->append(rows));
    while (store_->maintain(kNoon + i * 10s).value()) {
    }
  }
  settle(kNoon + 10h);
  ASSERT_TRUE(open());
  EXPECT_EQ(temperatures().size(), 1000u);
  const auto skewed = store_->read((*other)[0], {kNoon - 10h, kNoon + 10h}).value();
  ASSERT_EQ(skewed.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(skewed[static_cast<std::size_t>(i)], (Point{kNoon - 5h + i * 10s, 2.0 * i}));
}

}  // namespace
}  // namespace ghm::sqlite
