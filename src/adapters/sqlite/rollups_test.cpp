// What happens to rollups over the years: retention, damage, folders of an older version, late rows.
#include "adapters/sqlite/rollups.h"

#include <gmock/gmock.h>

#include <fstream>

#include "adapters/sqlite/folder_for_test.h"

namespace ghm::sqlite {
namespace {

constexpr std::chrono::milliseconds kWidths[] = {10s, 90s, 1min, 5min, 15min, 1h, 6h, 24h, 7 * 24h};
constexpr std::chrono::days kDays1{1};

std::vector<Point> wave(Timestamp from, int n, std::chrono::milliseconds every) {
  std::vector<Point> points;
  for (int i = 0; i < n; ++i) points.push_back({from + i * every, 40 + static_cast<double>(i * 37 % 300) / 10});
  return points;
}

class Rollups : public Folder {
 protected:
  void append_all(std::span<const Point> points) {
    std::vector<RowBatch> rows;
    for (const auto& p : points) rows.push_back({"h:1", columns_, p.at, {p.value, 300}});
    ASSERT_TRUE(store_->append(rows));
  }
  void expect_all_widths(std::span<const Point> points, const char* when) {
    for (const auto width : kWidths) EXPECT_EQ(buckets(width), buckets_of(points, width)) << when << ": " << width.count() << " ms";
  }
  std::int64_t in_main(const char* sql) { return Db::open(folder_ / "ghm.db", Db::Mode::read_only).value()->integer(sql).value(); }
  std::filesystem::path day_file(const char* tier) { return folder_ / (std::string(tier) + "-2026-02-09.db"); }
};

TEST_F(Rollups, AnyWidthIsTheSameSealedOrNotAndAfterARestart) {
  ASSERT_TRUE(open());
  const auto points = wave(kNoon, 1500, 100s);  // 41 hours, over a day's border
  append_all(points);
  expect_all_widths(points, "unsealed");
  settle(kNoon + 30h);
  expect_all_widths(points, "half sealed");
  settle(kNoon + 60h);
  expect_all_widths(points, "sealed");
  ASSERT_TRUE(open());
  expect_all_widths(points, "reopened");
}

TEST_F(Rollups, LateRowsOfAnyAgeWithinRetentionReachEveryTier) {
  ASSERT_TRUE(open());
  auto points = wave(kNoon, 1000, 100s);
  append_all(points);
  settle(kNoon + 20 * kDays1);
  const std::vector<Point> late = {{kNoon + 50s, 99}, {kNoon + 40min + 7s, 1}, {kNoon + 14h + 3s, -5}, {kNoon - 30h, 7}};
  append_all(late);
  append_all(std::vector<Point>{{kNoon, 12345}});  // there already: the first value stands
  points.insert(points.end(), late.begin(), late.end());
  store::keep_first_of_each_instant(points);
  expect_all_widths(points, "late rows unsealed");
  settle(kNoon + 20 * kDays1 + 2h);
  expect_all_widths(points, "late rows sealed");
  auto raw = Db::open(day_file("raw"), Db::Mode::read_only).value();
  EXPECT_EQ(raw->integer("select count(*) - count(distinct board || '/' || hour) from chunks").value(), 0)
      << "one chunk per board and hour";
  EXPECT_EQ(in_main("select count(*) from journal"), 0);
}

TEST_F(Rollups, EachTierGoesWhenItsTimeIsOverAndTheNextOneAnswers) {
  ASSERT_TRUE(open());
  const auto points = wave(kNoon, 60, 20s);
  append_all(points);
  settle(kNoon + 20 * kDays1);
  EXPECT_EQ(buckets(20s).size(), 60u);
  settle(kNoon + 40 * kDays1);  // no readings any more
  EXPECT_FALSE(std::filesystem::exists(day_file("raw")));
  EXPECT_EQ(buckets(20s), buckets_of(points, 1min)) << "minutes, where they start";
  EXPECT_EQ(buckets(5min), buckets_of(points, 5min));
  settle(kNoon + 100 * kDays1);  // no minutes
  EXPECT_FALSE(std::filesystem::exists(day_file("rollup")));
  EXPECT_EQ(buckets(5min), buckets_of(points, 1h));
  settle(kNoon + 800 * kDays1);  // no hours
  EXPECT_EQ(in_main("select count(*) from hour_rollups"), 0);
  const auto day = buckets(24h);
  EXPECT_EQ(day, buckets_of(points, 24h));
  EXPECT_EQ(buckets(1h), day);
}

TEST_F(Rollups, WhatIsPastRetentionIsCountedAndTheRestOfTheBatchIsKept) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(store_->maintain(kNoon));
  append_all(std::vector<Point>{{kNoon - 31 * kDays1, 1}, {kNoon, 2}, {kNoon - 29 * kDays1, 3}});
  EXPECT_EQ(store_->stats().too_old_rows, 1u);
  EXPECT_EQ(temperatures().size(), 2u);
  ASSERT_TRUE(open());
  append_all(std::vector<Point>{{kNoon - 31 * kDays1, 1}});  // before this process knows what time it is
  settle(kNoon + 4h);
  EXPECT_EQ(store_->stats().too_old_rows, 1u);
  EXPECT_EQ(temperatures().size(), 2u);
  EXPECT_EQ(in_main("select count(*) from hour_rollups"), 2);
}

TEST_F(Rollups, AFolderOfTheVersionBeforeIsRolledUpInTheBackground) {
  ASSERT_TRUE(open());
  auto points = wave(kNoon, 1500, 100s);
  append_all(points);
  settle(kNoon + 60h);
  store_.reset();
  {  // as version 2 left it: readings and no rollups
    auto db = Db::open(folder_ / "ghm.db", Db::Mode::read_write).value();
    ASSERT_TRUE(
        db->run("drop table hour_rollups; drop table day_rollups; drop table unrolled; drop table subjects; pragma user_version = 2"));
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    if (entry.path().filename().string().starts_with("rollup-")) std::filesystem::remove(entry.path());
  ASSERT_TRUE(open());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "ghm.db.v2"));
  expect_all_widths(points, "from readings alone");
  ASSERT_TRUE(store_->maintain(kNoon + 60h));  // one step
  expect_all_widths(points, "after a step");
  ASSERT_TRUE(open());  // and a restart in the middle of it
  append_all(std::vector<Point>{{kNoon + 3s, 77}});
  points.insert(points.begin() + 1, {kNoon + 3s, 77});
  expect_all_widths(points, "with a late row");
  settle(kNoon + 61h);
  EXPECT_EQ(in_main("select count(*) from unrolled"), 0);
  EXPECT_EQ(in_main("select count(*) from hour_rollups"), 3);
  EXPECT_TRUE(std::filesystem::exists(day_file("rollup")));
  expect_all_widths(points, "rolled up");
}

TEST_F(Rollups, ADamagedDayOfMinutesIsAnsweredFromItsReadingsAndMadeAgain) {
  ASSERT_TRUE(open());
  const auto points = wave(kNoon, 200, 100s);
  append_all(points);
  settle(kNoon + 20h);
  store_.reset();
  {
    auto db = Db::open(day_file("rollup"), Db::Mode::read_write).value();
    ASSERT_TRUE(db->run("update chunks set bytes = zeroblob(length(bytes))"));
  }
  ASSERT_TRUE(open());
  expect_all_widths(points, "damaged");
  EXPECT_TRUE(std::filesystem::exists(day_file("rollup").string() + ".damaged"));
  EXPECT_FALSE(std::filesystem::exists(day_file("rollup")));
  settle(kNoon + 21h);
  EXPECT_TRUE(std::filesystem::exists(day_file("rollup")));
  expect_all_widths(points, "made again");
}

TEST_F(Rollups, DamagedHoursAndDaysAreAnsweredFromBelowAndMadeAgain) {
  for (const char* table : {"hour_rollups", "day_rollups"}) {
    ASSERT_TRUE(open());
    const auto points = wave(kNoon, 200, 100s);
    append_all(points);
    settle(kNoon + 20h);
    store_.reset();
    {
      auto db = Db::open(folder_ / "ghm.db", Db::Mode::read_write).value();
      ASSERT_TRUE(db->run("update " + std::string(table) + " set bytes = zeroblob(length(bytes))"));
    }
    ASSERT_TRUE(open());
    expect_all_widths(points, table);
    EXPECT_TRUE(logged("rollup_damaged"));
    append_all(std::vector<Point>{{points[0].at, 1}});  // an hour is sealed once more
    settle(kNoon + 22h);
    lines_.clear();
    expect_all_widths(points, "made again");
    EXPECT_FALSE(logged("rollup_damaged"));
  }
}

TEST_F(Rollups, LostReadingsDoNotSpoilTheRollupsThatWereMadeOfThem) {
  ASSERT_TRUE(open());
  const auto points = wave(kNoon, 200, 100s);
  append_all(points);
  settle(kNoon + 20h);
  store_.reset();
  std::ofstream(day_file("raw"), std::ios::binary) << std::string(8192, 'x');
  ASSERT_TRUE(open());
  EXPECT_EQ(store_->stats().damaged_days, 1u);
  EXPECT_EQ(buckets(1h), buckets_of(points, 1h));
  append_all(std::vector<Point>{{kNoon + 5s, 1000}});
  settle(kNoon + 22h);
  EXPECT_EQ(buckets(1h), buckets_of(points, 1h)) << "the late row alone would be a poor hour";
  EXPECT_EQ(buckets(24h), buckets_of(points, 24h));
}

}  // namespace
}  // namespace ghm::sqlite
