// What only a store on disk can promise: restarts, damage, versions, retention.
#include "adapters/sqlite/sqlite_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "adapters/sqlite/folder_for_test.h"
#include "domain/telemetry/page.h"

namespace ghm::sqlite {
namespace {

using testing::HasSubstr;

std::vector<Point> ramp(Timestamp from, int n) {
  std::vector<Point> points;
  for (int i = 0; i < n; ++i) points.push_back({from + i * 10s, 40.0 + i % 30});
  return points;
}

TEST_F(Folder, ARestartKnowsEverythingSealedOrNot) {
  ASSERT_TRUE(open());
  const auto points = ramp(kNoon, 500);  // an hour and 23 minutes
  for (const auto& p : points) ASSERT_TRUE(append("h:1", p.at, {p.value, 300}));
  settle(kNoon + 80min);
  EXPECT_GT(store_->stats().sealed_chunks, 0u);
  for (int restart = 0; restart < 3; ++restart) {
    ASSERT_TRUE(open());
    EXPECT_EQ(temperatures(), points);
    ASSERT_EQ(store_->latest(BoardId{7}).size(), 2u);
    EXPECT_EQ(store_->latest(BoardId{7})[0].point, points.back());
  }
  ASSERT_TRUE(append("h:1", points.back().at + 10s, {99, 300}));
  ASSERT_TRUE(append("h:1", kNoon + 5s, {1, 1}));  // late, into the sealed hour
  settle(kNoon + 5h);
  ASSERT_TRUE(open());
  EXPECT_EQ(temperatures().size(), points.size() + 2);
}

TEST_F(Folder, LatestSurvivesTheSealingOfEverything) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(append("h:1", kNoon, {70, 300}));
  ASSERT_TRUE(append("h:1", kNoon + 10s, {71, telemetry::absent()}));
  settle(kNoon + 5h);
  ASSERT_TRUE(open());
  const auto latest = store_->latest(BoardId{7});
  ASSERT_EQ(latest.size(), 2u);
  EXPECT_EQ(latest[0].point, (Point{kNoon + 10s, 71}));
  EXPECT_EQ(latest[1].point, (Point{kNoon, 300}));
}

TEST_F(Folder, SealingShrinksTheJournalToTheOpenHour) {
  ASSERT_TRUE(open());
  for (const auto& p : ramp(kNoon, 720)) ASSERT_TRUE(append("h:1", p.at, {p.value, 300}));
  settle(kNoon + 5h);
  auto db = Db::open(folder_ / "ghm.db", Db::Mode::read_only).value();
  EXPECT_EQ(db->integer("select count(*) from journal").value(), 0);
  EXPECT_EQ(files(".db"), 3u);  // ghm.db, and of one day its readings and its rollups
}

TEST_F(Folder, ADamagedDayCostsThatDayAndIsNamed) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(append("h:1", kNoon, {70, 300}));
  ASSERT_TRUE(append("h:1", kNoon + 24h, {71, 300}));
  settle(kNoon + 48h);
  store_.reset();
  const auto day = folder_ / "raw-2026-02-09.db";
  ASSERT_TRUE(std::filesystem::exists(day));
  std::ofstream(day, std::ios::binary) << std::string(8192, 'x');
  ASSERT_TRUE(open());
  EXPECT_EQ(temperatures(), (std::vector<Point>{{kNoon + 24h, 71}}));
  EXPECT_TRUE(std::filesystem::exists(day.string() + ".damaged"));
  EXPECT_EQ(store_->stats().damaged_days, 1u);
  EXPECT_TRUE(logged("2026-02-09"));
  ASSERT_TRUE(append("h:1", kNoon + 10s, {72, 300}));  // the day goes on in a new file
  settle(kNoon + 49h);
  EXPECT_EQ(temperatures().size(), 2u);
}

TEST_F(Folder, ARottenChunkIsFoundByItsChecksum) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(append("h:1", kNoon, {70, 300}));
  settle(kNoon + 5h);
  store_.reset();
  {
    auto db = Db::open(folder_ / "raw-2026-02-09.db", Db::Mode::read_write).value();
    ASSERT_TRUE(db->run("update chunks set bytes = zeroblob(length(bytes))"));
  }
  ASSERT_TRUE(open());
  EXPECT_TRUE(temperatures().empty());
  EXPECT_TRUE(logged("checksum"));
}

TEST_F(Folder, ARottenJournalRowCostsItsChainOnly) {
  ASSERT_TRUE(open());
  for (const auto& p : ramp(kNoon, 100)) ASSERT_TRUE(append("h:1", p.at, {p.value, 300}));
  store_.reset();
  {
    auto db = Db::open(folder_ / "ghm.db", Db::Mode::read_write).value();
    ASSERT_TRUE(db->run("update journal set rows = substr(rows, 1, length(rows) - 1) || x'ff' where seq = 50"));
  }
  ASSERT_TRUE(open());
  EXPECT_GT(temperatures().size(), 100u - kMostLinks - 1);
  EXPECT_LT(temperatures().size(), 100u);
  EXPECT_TRUE(logged("journal row 50"));
}

TEST_F(Folder, RetentionUnlinksWholeDays) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(append("h:1", kNoon, {70, 300}));
  ASSERT_TRUE(append("h:1", kNoon + 24h * 20, {71, 300}));
  settle(kNoon + 24h * 21);
  EXPECT_EQ(temperatures().size(), 2u);
  settle(kNoon + 24h * 32);
  EXPECT_EQ(temperatures(), (std::vector<Point>{{kNoon + 24h * 20, 71}}));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "raw-2026-02-09.db"));
}

TEST_F(Folder, ASecondProcessIsRefusedByName) {
  ASSERT_TRUE(open());
  const auto second = SqliteStore::open(folder_, {}, Log::off());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_THAT(second.error().what, HasSubstr("in use by process"));
}

TEST_F(Folder, ANewerFolderIsRefusedAndAnOlderOneIsCopiedFirst) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(store_->put(std::vector<Record>{{"board", "1", kNoon, "{}"}}));
  store_.reset();
  const auto set_version = [this](int version) {
    auto db = Db::open(folder_ / "ghm.db", Db::Mode::read_write).value();
    ASSERT_TRUE(db->run("pragma user_version = " + std::to_string(version)));
    ASSERT_TRUE(version != 1 || db->run("drop table sources; drop table columns; drop table journal; drop table sealed; "
                                        "drop table hour_rollups; drop table day_rollups; drop table unrolled; drop table subjects"));
  };
  set_version(99);
  const auto newer = open();
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Errc::conflict);
  EXPECT_THAT(newer.error().what, HasSubstr("upgrade this program"));
  set_version(1);
  ASSERT_TRUE(open());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "ghm.db.v1"));
  EXPECT_TRUE(store_->get("board", "1").value());
}

TEST_F(Folder, AFolderOfTheVersionBeforeIsIndexedBySubject) {
  ASSERT_TRUE(open());
  std::vector<Record> events;
  for (int n = 0; n < 2500; ++n)
    events.push_back({"event", fmt::format("{:05}", n), kNoon + n * 1s, fmt::format(R"({{"board":{},"host":"h{}"}})", n % 50 + 1, n % 7)});
  events.push_back({"event", "torn", kNoon, "{\"board\":"});
  ASSERT_TRUE(store_->put(events));
  const auto before = store_->about("event", "b7", {kNoon, kNoon + 1h}, 100).value();
  ASSERT_EQ(before.size(), 50u);
  store_.reset();
  {
    auto db = Db::open(folder_ / "ghm.db", Db::Mode::read_write).value();
    ASSERT_TRUE(db->run("drop table subjects; pragma user_version = 3"));
  }
  ASSERT_TRUE(open());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "ghm.db.v3"));
  EXPECT_EQ(store_->about("event", "b7", {kNoon, kNoon + 1h}, 100).value(), before);
  EXPECT_TRUE(logged("store.indexed"));
}

TEST_F(Folder, AFileThatIsNoDatabaseStopsTheStartWithItsName) {
  std::ofstream(folder_ / "ghm.db")
      << "this is a text file that somebody put here, longer than a header of one hundred bytes, to be sure of it";
  const auto done = open();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_THAT(done.error().what, HasSubstr("ghm.db"));
}

/// A volume that is full, as far as this process can tell.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit full{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(Folder, AFullDiskIsUnavailableAndTheSameRowsGoInLater) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(append("h:1", kNoon, {70, 300}));
  int refused = 0;
  {
    const FullDisk full(16 << 10);
    for (int i = 1; i <= 20; ++i) {
      const auto done = append("h:1", kNoon + i * 10s, {70.0 + i, 300});
      if (done) continue;
      EXPECT_EQ(done.error().code, Errc::unavailable) << done.error().what;
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  for (int i = 1; i <= 20; ++i) ASSERT_TRUE(append("h:1", kNoon + i * 10s, {70.0 + i, 300}));
  const auto whole = temperatures();
  ASSERT_EQ(whole.size(), 21u);
  for (int i = 0; i <= 20; ++i) EXPECT_EQ(whole[static_cast<std::size_t>(i)].value, 70.0 + i);
  ASSERT_TRUE(open());
  EXPECT_EQ(temperatures(), whole);
}

TEST_F(Folder, ReadersAndTheWriterDoNotWaitForEachOther) {
  ASSERT_TRUE(open());
  std::atomic<bool> stop{false};
  std::atomic<int> reads{0};
  std::jthread reader([&] {
    while (!stop) {
      const auto points = store_->read((*columns_)[0], {kNoon, kNoon + 24h});
      ASSERT_TRUE(points) << points.error().what;
      ASSERT_TRUE(std::ranges::is_sorted(*points, {}, &Point::at));
      ++reads;
    }
  });
  for (const auto& p : ramp(kNoon, 1500)) {
    ASSERT_TRUE(append("h:1", p.at, {p.value, 300}));
    ASSERT_TRUE(p.at.time_since_epoch() % 1min != 0s || store_->maintain(p.at));
  }
  settle(kNoon + 10h);
  stop = true;
  reader.join();
  EXPECT_EQ(temperatures().size(), 1500u);
  EXPECT_GT(reads, 0);
}

}  // namespace
}  // namespace ghm::sqlite
