// What every store promises, held against each of them. The memory store is the oracle of the random story.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <random>

#include "adapters/memory/memory_store.h"
#include "adapters/sqlite/sqlite_store.h"
#include "domain/store/subjects.h"
#include "domain/telemetry/page.h"

namespace ghm::store {
namespace {

using telemetry::absent, telemetry::BoardId, telemetry::Entity, telemetry::MetricId;
using testing::ElementsAre, testing::IsEmpty;

struct Both {
  TelemetryStore* telemetry;
  RecordStore* records;
};

/// A store of one kind in a folder of its own.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual Both stores() = 0;
  /// As after a restart of the program, where something outlives it.
  virtual void restart() {}
};

class InMemory final : public Backend {
 public:
  Both stores() override { return {&store_, &store_}; }

 private:
  memory::MemoryStore store_;
};

class OnDisk final : public Backend {
 public:
  OnDisk() {
    std::string name = (std::filesystem::temp_directory_path() / "ghm-contract-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    restart();
  }
  ~OnDisk() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Both stores() override { return {store_.get(), store_.get()}; }
  void restart() override {
    store_.reset();
    auto opened = sqlite::SqliteStore::open(folder_, {}, Log::off());
    if (!opened) throw std::runtime_error(opened.error().what);
    store_ = std::move(*opened);
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<sqlite::SqliteStore> store_;
};

struct Kind {
  const char* name;
  std::unique_ptr<Backend> (*make)();
};

const Kind kKinds[] = {{"memory", [] { return std::unique_ptr<Backend>(new InMemory); }},
                       {"sqlite", [] { return std::unique_ptr<Backend>(new OnDisk); }}};

class StoreContract : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    backend_ = GetParam().make();
    find_stores();
  }
  void find_stores() {
    telemetry_ = backend_->stores().telemetry;
    records_ = backend_->stores().records;
  }
  void restart() {
    backend_->restart();
    find_stores();
  }

  Result<void> append(std::string source, Columns columns, Timestamp at, std::vector<double> values) {
    const RowBatch row{std::move(source), std::move(columns), at, std::move(values)};
    return telemetry_->append(std::span(&row, 1));
  }
  std::vector<Point> read(SeriesKey series, TimeRange range) { return telemetry_->read(series, range).value(); }
  /// All background work, hours later than `now` included.
  void settle(Timestamp now) {
    for (const auto t : {now, now + 2min})
      while (telemetry_->maintain(t).value()) {
      }
  }

  std::unique_ptr<Backend> backend_;
  TelemetryStore* telemetry_ = nullptr;
  RecordStore* records_ = nullptr;
};

constexpr BoardId kBoard{7}, kOther{8};
constexpr MetricId kTemp{150}, kPower{155}, kEcc{310}, kEnergy{156}, kLifetime{312};  // the last two count; the very last never restarts
const Timestamp kNoon = from_unix_ms(1'770'638'400'000);                              // 2026-02-09T12:00:00Z
const TimeRange kAlways{Timestamp{}, kNoon + std::chrono::days(30)};

Columns columns_of(std::vector<SeriesKey> keys) {
  return std::make_shared<const std::vector<SeriesKey>>(std::move(keys));
}
const Columns kTwo = columns_of({{kBoard, {}, kTemp}, {kBoard, {}, kPower}});

TEST_P(StoreContract, GivesBackEveryDoubleBitForBit) {
  const std::vector<double> odd = {
      71.5, 0.1 + 0.2, -0.0, 5e-324, 1e300, std::nan("7"), std::numeric_limits<double>::infinity(), 18446744073709551615.0};
  for (std::size_t i = 0; i < odd.size(); ++i) ASSERT_TRUE(append("h:1", kTwo, kNoon + i * 10s, {odd[i], 1}));
  for (const bool sealed : {false, true}) {
    if (sealed) settle(kNoon + 3h);
    const auto points = read({kBoard, {}, kTemp}, kAlways);
    ASSERT_EQ(points.size(), odd.size()) << sealed;
    for (std::size_t i = 0; i < odd.size(); ++i)
      EXPECT_EQ(std::bit_cast<std::uint64_t>(points[i].value), std::bit_cast<std::uint64_t>(odd[i])) << i << " sealed " << sealed;
  }
}

TEST_P(StoreContract, TheFirstValueOfAnInstantStandsAlsoAfterSealing) {
  ASSERT_TRUE(append("h:1", kTwo, kNoon, {1, 2}));
  ASSERT_TRUE(append("h:1", kTwo, kNoon, {1, 2}));    // a retry
  ASSERT_TRUE(append("h:1", kTwo, kNoon, {10, 20}));  // another opinion
  settle(kNoon + 3h);
  ASSERT_TRUE(append("h:1", kTwo, kNoon, {100, 200}));
  settle(kNoon + 4h);
  EXPECT_THAT(read({kBoard, {}, kTemp}, kAlways), ElementsAre(Point{kNoon, 1}));
}

TEST_P(StoreContract, LateRowsFindTheirPlaceAndRangesAreHalfOpen) {
  for (const auto s : {0s, 20s, 10s}) ASSERT_TRUE(append("h:1", kTwo, kNoon + s, {static_cast<double>(s.count()), 0}));
  EXPECT_THAT(read({kBoard, {}, kTemp}, {kNoon, kNoon + 20s}), ElementsAre(Point{kNoon, 0}, Point{kNoon + 10s, 10}));
  settle(kNoon + 3h);
  ASSERT_TRUE(append("h:1", kTwo, kNoon + 5s, {5, 0}));
  EXPECT_THAT(read({kBoard, {}, kTemp}, {kNoon, kNoon + 10s}), ElementsAre(Point{kNoon, 0}, Point{kNoon + 5s, 5}));
}

TEST_P(StoreContract, AbsentIsAGapAndUnknownSeriesAreEmpty) {
  ASSERT_TRUE(append("h:1", kTwo, kNoon, {absent(), 300}));
  ASSERT_TRUE(append("h:1", kTwo, kNoon + 10s, {70, absent()}));
  EXPECT_THAT(read({kBoard, {}, kTemp}, kAlways), ElementsAre(Point{kNoon + 10s, 70}));
  EXPECT_THAT(read({kOther, {}, kTemp}, kAlways), IsEmpty());
  EXPECT_THAT(read({kBoard, {Entity::Kind::nvlink, 3}, kTemp}, kAlways), IsEmpty());
}

TEST_P(StoreContract, LatestIsTheNewestOfEverySeriesInKeyOrder) {
  ASSERT_TRUE(append("h:1", kTwo, kNoon, {70, 300}));
  ASSERT_TRUE(append("h:1", kTwo, kNoon + 10s, {71, absent()}));
  ASSERT_TRUE(append("h:1", kTwo, kNoon + 5s, {60, 400}));  // late: newer for power, older for temperature
  ASSERT_TRUE(append("h:2", columns_of({{kOther, {}, kTemp}}), kNoon, {50}));
  const auto board = telemetry_->latest(kBoard);
  ASSERT_EQ(board.size(), 2u);
  EXPECT_EQ(board[0].point, (Point{kNoon + 10s, 71}));
  EXPECT_EQ(board[1].point, (Point{kNoon + 5s, 400}));
  const auto fleet = telemetry_->latest(kTemp);
  ASSERT_EQ(fleet.size(), 2u);
  EXPECT_EQ(fleet[1].series.board, kOther);
}

TEST_P(StoreContract, AggregatesIntoBucketsAndLeavesGapsOut) {
  for (const auto s : {0s, 10s, 70s, 200s}) ASSERT_TRUE(append("h:1", kTwo, kNoon + s, {static_cast<double>(s.count()), 0}));
  const auto buckets = telemetry_->aggregate({kBoard, {}, kTemp}, kAlways, 60s).value();
  ASSERT_EQ(buckets.size(), 3u);
  EXPECT_EQ(buckets[0].count, 2u);
  EXPECT_EQ(buckets[0].max, 10);
  EXPECT_EQ(buckets[2].from, kNoon + 180s);
  EXPECT_EQ(telemetry_->aggregate({kBoard, {}, kTemp}, kAlways, 0s).error().code, Errc::invalid_input);
}

TEST_P(StoreContract, BucketsAreWholeAndIncreasesSeeThroughRestartsAndBorders) {
  const auto energy = columns_of({{kBoard, {}, kEnergy}, {kBoard, {}, kLifetime}, {kBoard, {}, kTemp}});
  const double values[] = {100, 130, 7, 9, 20};
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(append("h:1", energy, kNoon + i * 25s, {values[i], values[i], 0.1}));
  for (const bool sealed : {false, true}) {
    if (sealed) settle(kNoon + 3h);
    const TimeRange inside{kNoon + 30s, kNoon + 61s};
    const auto counter = telemetry_->aggregate({kBoard, {}, kEnergy}, inside, 60s).value();
    ASSERT_EQ(counter.size(), 2u) << "both minutes that the range touches";
    EXPECT_EQ(counter[0], (Bucket{kNoon, 7, 130, 237, 7, 3, 30 + 7})) << sealed;
    EXPECT_EQ(counter[1], (Bucket{kNoon + 60s, 9, 20, 29, 20, 2, 2 + 11})) << "with the step from the minute before";
    EXPECT_EQ(telemetry_->aggregate({kBoard, {}, kLifetime}, inside, 60s).value()[0].increase, 30) << "its fall is no restart";
    const auto gauge = telemetry_->aggregate({kBoard, {}, kTemp}, inside, 60s).value();
    EXPECT_EQ(gauge[0].sum, 0.3);
    EXPECT_EQ(gauge[0].increase, std::nullopt);
  }
}

TEST_P(StoreContract, RefusesRowsThatNobodyCanKeepAndKeepsNothingOfTheirBatch) {
  const std::vector<RowBatch> batch = {{"h:1", kTwo, kNoon, {1, 2}}, {"h:1", kTwo, kNoon + 10s, {1}}};
  const auto done = telemetry_->append(batch);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::invalid_input);
  EXPECT_THAT(done.error().what, testing::HasSubstr("'h:1'"));
  EXPECT_THAT(read({kBoard, {}, kTemp}, kAlways), IsEmpty());
}

// Changing columns, late rows, repeats, absent values, two sources of one board, sealing in between: as the oracle says.
TEST_P(StoreContract, ARandomStoryReadsAsInMemory) {
  std::mt19937_64 random(5);
  memory::MemoryStore oracle;
  const std::vector<SeriesKey> keys = {
      {kBoard, {}, kTemp}, {kBoard, {Entity::Kind::nvlink, 1}, kEcc}, {kOther, {}, kTemp}, {kOther, {}, kPower}};
  const std::vector<Columns> layouts = {columns_of(keys), columns_of({keys[2], keys[0]}), columns_of({keys[3], keys[1], keys[0]})};
  for (int step = 0; step < 600; ++step) {
    const auto& layout = layouts[random() % 8 == 0 ? random() % layouts.size() : 0];
    const auto at = kNoon + step * 30s - std::chrono::minutes(random() % 10 == 0 ? random() % 90 : 0);
    std::vector<double> values;
    for (std::size_t i = 0; i < layout->size(); ++i)
      values.push_back(random() % 9 == 0 ? absent() : static_cast<double>(random() % 1000) / (random() % 5 == 0 ? 7.0 : 10.0));
    const RowBatch row{random() % 4 == 0 ? "b:1" : "a:1", layout, at, values};
    ASSERT_TRUE(telemetry_->append(std::span(&row, 1)));
    ASSERT_TRUE(oracle.append(std::span(&row, 1)));
    if (step % 40 == 0) settle(kNoon + step * 30s);
  }
  for (const auto& key : keys) {
    EXPECT_EQ(read(key, kAlways), *oracle.read(key, kAlways));
    EXPECT_EQ(read(key, {kNoon + 31min, kNoon + 97min}), *oracle.read(key, {kNoon + 31min, kNoon + 97min}));
  }
  const auto many = telemetry_->read_many(keys, kAlways).value();
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(many[i], *oracle.read(keys[i], kAlways));
}

/// A counter that climbs by tenths, restarts now and then, and is sometimes no short decimal; a level; a flag that seldom moves.
class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed) {}

  std::vector<double> next(std::size_t columns) {
    std::vector<double> values;
    for (std::size_t i = 0; i < columns; ++i) values.push_back(random_() % 12 == 0 ? absent() : value(i % 4));
    return values;
  }
  bool one_in(std::uint64_t n) { return random_() % n == 0; }
  std::chrono::milliseconds up_to(std::chrono::milliseconds most) {
    return std::chrono::milliseconds(random_() % static_cast<std::uint64_t>(most.count()));
  }

 private:
  double value(std::size_t sort) {
    if (sort >= 2) return sort == 2 ? static_cast<double>(random_() % 900) / 10 : (one_in(30) ? 1 : 0);
    counted_ = one_in(60) ? static_cast<double>(random_() % 20) : counted_ + static_cast<double>(random_() % 500) / 10;
    return one_in(40) ? counted_ + 1.0 / 7 : counted_;
  }

  std::mt19937_64 random_;
  double counted_ = 1e6;
};

// Late rows of minutes and of days, repeats, counters that restart, two sources of one board, sealing and restarts in
// between: every width, whatever tier it is answered from, says what the oracle works out from every reading.
TEST_P(StoreContract, ARandomStoryInBucketsIsAsInMemory) {
  const std::vector<SeriesKey> keys = {{kBoard, {}, kEnergy},
                                       {kBoard, {}, kLifetime},
                                       {kBoard, {}, kTemp},
                                       {kBoard, {Entity::Kind::nvlink, 1}, kEcc},
                                       {kOther, {}, kEnergy}};
  const auto all = columns_of(keys), some = columns_of({keys[0], keys[2]});
  constexpr std::chrono::milliseconds kWidths[] = {7s, 90s, 1min, 3min, 5min, 15min, 1h, 6h, 24h, 72h};
  Story story(11);
  memory::MemoryStore oracle;
  auto now = kNoon;
  for (int round = 0; round < 12; ++round) {
    std::vector<RowBatch> rows;
    for (int i = 0; i < 240; ++i) {
      now += 40s + story.up_to(80s) + (story.one_in(200) ? 5h : 0h);
      const auto& columns = story.one_in(10) ? some : all;
      const auto late = story.one_in(12) ? story.up_to(90min) : story.one_in(60) ? story.up_to(48h) : 0ms;
      rows.push_back({story.one_in(5) ? "b:1" : "a:1", columns, now - late, story.next(columns->size())});
      if (story.one_in(15)) rows.push_back(rows[rows.size() - 1 - rows.size() / 3]);
    }
    ASSERT_TRUE(telemetry_->append(rows));
    ASSERT_TRUE(oracle.append(rows));
    if (story.one_in(2)) settle(now - 30min);
    if (story.one_in(3)) restart();
    const auto newest = telemetry_->latest(kBoard), expected = oracle.latest(kBoard);
    ASSERT_EQ(newest.size(), expected.size());
    for (std::size_t i = 0; i < newest.size(); ++i) ASSERT_EQ(newest[i].point, expected[i].point) << "round " << round << ", series " << i;
    const auto from = kNoon - 48h + story.up_to(now - kNoon + 48h);
    for (const auto width : kWidths)
      for (const auto range : {TimeRange{kNoon - 72h, now + 1h}, TimeRange{from, from + story.up_to(30h)}}) {
        const auto together = telemetry_->aggregate_many(keys, range, width).value();
        ASSERT_EQ(together.size(), keys.size());
        for (std::size_t k = 0; k < keys.size(); ++k) {
          const auto want = oracle.aggregate(keys[k], range, width).value();
          ASSERT_EQ(together[k], want) << "round " << round << ", " << width.count() << " ms, series " << k << " of many";
          ASSERT_EQ(telemetry_->aggregate(keys[k], range, width).value(), want)
              << "round " << round << ", " << width.count() << " ms, metric " << static_cast<int>(keys[k].metric);
        }
      }
  }
}

// ---- records

TEST_P(StoreContract, RecordsAreReplacedByKeyAndFoundByPrefixAndTime) {
  const std::vector<Record> four = {
      {"score", "1/a", kNoon, "1"}, {"score", "1/b", kNoon + 1s, "2"}, {"score", "10/a", kNoon + 2s, "3"}, {"board", "1/a", kNoon, "x"}};
  ASSERT_TRUE(records_->put(four));
  ASSERT_TRUE(records_->put(std::vector<Record>{{"score", "1/a", kNoon + 3s, "new"}}));
  EXPECT_EQ(records_->get("score", "1/a").value()->body, "new");
  EXPECT_EQ(records_->get("score", "nobody").value(), std::nullopt);
  const auto keys = [](const std::vector<Record>& found) {
    std::vector<std::string> all;
    for (const auto& r : found) all.push_back(r.key);
    return all;
  };
  EXPECT_THAT(keys(records_->scan("score", "1/", "", 10).value()), ElementsAre("1/a", "1/b"));
  EXPECT_THAT(keys(records_->scan("score", "1/", "1/a", 10).value()), ElementsAre("1/b"));
  EXPECT_THAT(keys(records_->scan("score", "", "", 2).value()), ElementsAre("1/a", "1/b"));
  EXPECT_THAT(keys(records_->recent("score", {kNoon + 1s, kNoon + 4s}, 2).value()), ElementsAre("1/a", "10/a"));
  EXPECT_TRUE(records_->erase("score", "1/a").value());
  EXPECT_FALSE(records_->erase("score", "1/a").value());
  EXPECT_THAT(records_->scan("nothing", "", "", 10).value(), IsEmpty());
}

TEST_P(StoreContract, RecordsAreFoundByWhatTheyAreAbout) {
  const std::vector<Record> some = {
      {"event", "1", kNoon, R"({"board":7,"host":"h1"})"},
      {"event", "2", kNoon + 1s, R"({"host":"h1"})"},
      {"event", "3", kNoon + 2s, R"({"board":8,"host":"h1"})"},
      {"incident", "1", kNoon + 3s, R"({"parts":[{"board":7,"host":"h1","job":"j","rack":"r1"},{"board":0,"host":"h2"}]})"},
      {"interval", "0000000007/job/1/a", kNoon, R"({"board":7,"kind":"job","value":"train"})"},
      {"interval", "0000000007/pod/1/a", kNoon, R"({"board":7,"kind":"pod","value":"ns/p/c"})"},
      {"interval", "0000000007/slot/1/a", kNoon, R"({"board":7,"kind":"slot","value":"train"})"},
      {"open", "0000000008", kNoon, R"([{"board":8,"kind":"slot","value":"x"},{"board":8,"kind":"job","value":"train"}])"},
      {"score", "7", kNoon, R"({"board":7,"host":"h1"})"},
      {"event", "4", kNoon, "{\"board\":7"},
      {"event", "5", kNoon, R"({"board":"7","host":{}})"}};
  ASSERT_TRUE(records_->put(some));
  const auto about = [&](const char* kind, const std::string& subject, TimeRange range = kAlways, std::size_t limit = 10) {
    std::vector<std::string> keys;
    const auto found = records_->about(kind, subject, range, limit).value();
    for (const auto& r : found) keys.push_back(r.key);
    return keys;
  };
  EXPECT_THAT(about("event", board_subject(kBoard)), ElementsAre("1"));
  EXPECT_THAT(about("event", host_subject("h1")), ElementsAre("3", "2", "1")) << "newest first";
  EXPECT_THAT(about("event", host_subject("h1"), kAlways, 2), ElementsAre("3", "2"));
  EXPECT_THAT(about("event", host_subject("h1"), {kNoon, kNoon + 2s}), ElementsAre("2", "1"));
  EXPECT_THAT(about("event", host_itself_subject("h1")), ElementsAre("2"));
  EXPECT_THAT(about("incident", host_subject("h2")), ElementsAre("1"));
  EXPECT_THAT(about("incident", host_itself_subject("h2")), ElementsAre("1"));
  EXPECT_THAT(about("incident", host_itself_subject("h1")), IsEmpty());
  EXPECT_THAT(about("incident", job_subject("j")), ElementsAre("1"));
  EXPECT_THAT(about("incident", rack_subject("r1")), ElementsAre("1"));
  EXPECT_THAT(about("interval", job_subject("train")), ElementsAre("0000000007/job/1/a"));
  EXPECT_THAT(about("interval", job_subject("ns/p")), ElementsAre("0000000007/pod/1/a"));
  EXPECT_THAT(about("open", job_subject("train")), ElementsAre("0000000008"));
  EXPECT_THAT(about("score", board_subject(kBoard)), IsEmpty()) << "scores have no subjects";

  // The newest version counts, in one batch too.
  ASSERT_TRUE(records_->put(std::vector<Record>{{"incident", "1", kNoon + 4s, R"({"parts":[{"board":9,"host":"h2"}]})"},
                                                {"incident", "1", kNoon + 5s, R"({"parts":[{"board":8,"host":"h2"}]})"}}));
  EXPECT_THAT(about("incident", board_subject(kBoard)), IsEmpty());
  EXPECT_THAT(about("incident", board_subject(BoardId{9})), IsEmpty());
  EXPECT_THAT(about("incident", host_subject("h2"), {kNoon + 5s, kNoon + 6s}), ElementsAre("1"));
  EXPECT_THAT(about("incident", host_subject("h2"), {kNoon, kNoon + 5s}), IsEmpty());
  EXPECT_TRUE(records_->erase("incident", "1").value());
  EXPECT_THAT(about("incident", host_subject("h2")), IsEmpty());
  restart();
  EXPECT_THAT(about("event", host_subject("h1")), ElementsAre("3", "2", "1"));
}

// Random puts, replacements and erasures: every subject is answered as by the definition over all records.
TEST_P(StoreContract, ARandomStoryIsFoundBySubjectAsInMemory) {
  memory::MemoryStore oracle;
  std::mt19937 random(5);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const char* kinds[] = {"event", "incident", "interval", "open"};
  const auto body_of = [&](const std::string& kind) {
    const auto place = fmt::format(R"("board":{},"host":"h{}")", pick(4), pick(3));
    if (kind == "event") return fmt::format("{{{}}}", place);
    const auto job = fmt::format(R"({{"kind":"{}","value":"j{}"}})", pick(4) ? "job" : "slot", pick(3));
    if (kind == "interval") return job;
    if (kind == "open") return fmt::format("[{},{}]", job, job);
    return fmt::format(R"({{"parts":[{{{},"job":"j{}"}},{{"host":"h{}"}}]}})", place, pick(3), pick(3));
  };
  for (int step = 0; step < 300; ++step) {
    std::vector<Record> batch;
    for (int n = pick(4); n >= 0; --n) {
      const std::string kind = kinds[pick(4)];
      batch.push_back({kind, std::to_string(pick(20)), kNoon + pick(50) * 1s, body_of(kind)});
    }
    ASSERT_TRUE(records_->put(batch));
    ASSERT_TRUE(oracle.put(batch));
    if (pick(5) == 0) {
      const auto kind = kinds[pick(4)];
      const auto key = std::to_string(pick(20));
      EXPECT_EQ(records_->erase(kind, key).value(), oracle.erase(kind, key).value());
    }
    for (const auto* subject : {"b1", "b2", "b3", "h0", "h1", "nh1", "jj0", "jj2"})
      for (const auto* kind : kinds) {
        const TimeRange range{kNoon + pick(25) * 1s, kNoon + (25 + pick(26)) * 1s};
        const auto limit = static_cast<std::size_t>(pick(6) + 1);
        ASSERT_EQ(records_->about(kind, subject, range, limit).value(), oracle.about(kind, subject, range, limit).value())
            << step << " " << kind << " " << subject;
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, StoreContract, testing::ValuesIn(kKinds), [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace ghm::store
