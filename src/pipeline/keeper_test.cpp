#include "pipeline/keeper.h"

#include <gtest/gtest.h>

#include <thread>

namespace ghm::pipeline {
namespace {

/// A store that can be made to fail; remembers what it was given.
struct FlakyStore : store::TelemetryStore, store::RecordStore {
  Result<void> fail_or_take() {
    if (failures_left == 0) return {};
    --failures_left;
    return Error{code, "disk full"};
  }
  Result<void> append(std::span<const store::RowBatch> batch) override {
    if (auto done = fail_or_take(); !done) return done;
    ++appends;
    rows += batch.size();
    log.push_back("rows");
    return {};
  }
  Result<void> put(std::span<const store::Record> batch) override {
    records += batch.size();
    log.push_back("records");
    return {};
  }
  Result<bool> maintain(Timestamp) override {
    ++maintained;
    return false;
  }
  Result<std::vector<store::Point>> read(const store::SeriesKey&, TimeRange) const override { return std::vector<store::Point>{}; }
  Result<std::vector<std::vector<store::Point>>> read_many(std::span<const store::SeriesKey>, TimeRange) const override {
    return std::vector<std::vector<store::Point>>{};
  }
  Result<std::vector<store::Bucket>> aggregate(const store::SeriesKey&, TimeRange, std::chrono::milliseconds) const override {
    return std::vector<store::Bucket>{};
  }
  std::vector<store::Latest> latest(telemetry::BoardId) const override { return {}; }
  std::vector<store::Latest> latest(telemetry::MetricId) const override { return {}; }
  store::StoreStats stats() const override { return {}; }
  Result<std::optional<store::Record>> get(std::string_view, std::string_view) const override { return std::optional<store::Record>{}; }
  Result<std::vector<store::Record>> scan(std::string_view, std::string_view, std::string_view, std::size_t) const override {
    return std::vector<store::Record>{};
  }
  Result<std::vector<store::Record>> recent(std::string_view, TimeRange, std::size_t) const override {
    return std::vector<store::Record>{};
  }
  Result<bool> erase(std::string_view, std::string_view) override { return false; }

  Errc code = Errc::unavailable;
  int failures_left = 0, appends = 0, maintained = 0;
  std::size_t rows = 0, records = 0;
  std::vector<std::string> log;
};

ToKeep one_row_one_record() {
  ToKeep k;
  k.rows.emplace_back();
  k.records.push_back({"board", "1", {}, "{}"});
  return k;
}

struct KeeperTest : ::testing::Test {
  FlakyStore store;
  Keeper keeper{store, store, {}, Log::off()};
  FakeClock clock{from_unix_ms(1'000'000)};
  Mailbox<ToKeep> box{100};
};

TEST_F(KeeperTest, WhatIsWaitingSharesOneTransactionAndBoardsComeFirst) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(box.put(one_row_one_record()));
  box.close();
  ASSERT_TRUE(keeper.run(box, clock, {}));
  EXPECT_EQ(store.appends, 1);
  EXPECT_EQ(store.rows, 10u);
  EXPECT_EQ(store.records, 10u);
  EXPECT_EQ(store.log, (std::vector<std::string>{"records", "rows"}));
}

TEST_F(KeeperTest, AFullDiskIsWaitedForAndNothingIsLost) {
  store.failures_left = 5;
  ASSERT_TRUE(box.put(one_row_one_record()));
  box.close();
  ASSERT_TRUE(keeper.run(box, clock, {}));
  EXPECT_EQ(store.rows, 1u);
  EXPECT_EQ(keeper.trouble(), "");
}

TEST_F(KeeperTest, WhoWaitsHearsOfTheFirstOutcomeOnce) {
  std::vector<std::string> heard;
  auto k = one_row_one_record();
  k.told.push_back([&](const Result<void>& outcome) { heard.push_back(outcome ? "durable" : outcome.error().what); });
  auto second = one_row_one_record();
  second.told = k.told;
  ASSERT_TRUE(box.put(std::move(k)));
  store.failures_left = 2;
  box.close();
  ASSERT_TRUE(keeper.run(box, clock, {}));
  EXPECT_EQ(heard, std::vector<std::string>{"disk full"}) << "kept in the end, but nobody is left waiting";
  EXPECT_EQ(store.rows, 1u);

  Mailbox<ToKeep> again(4);
  ASSERT_TRUE(again.put(std::move(second)));
  again.close();
  ASSERT_TRUE(keeper.run(again, clock, {}));
  EXPECT_EQ(heard.back(), "durable");
}

TEST_F(KeeperTest, WhatIsUrgentIsToldOnceItIsDurable) {
  std::vector<fleet::BoardId> urgent;
  Keeper telling{store,
                 store,
                 {.kept =
                      [&](auto, auto boards) {
                        EXPECT_GE(store.records, 2u) << "the event stands in the store";
                        urgent.insert(urgent.end(), boards.begin(), boards.end());
                      }},
                 Log::off()};
  auto first = one_row_one_record(), second = one_row_one_record();
  first.urgent = {fleet::BoardId{7}};
  second.rows.clear();
  second.urgent = {fleet::BoardId{8}};
  ASSERT_TRUE(box.put(std::move(first)));
  ASSERT_TRUE(box.put(std::move(second)));
  store.failures_left = 3;
  box.close();
  ASSERT_TRUE(telling.run(box, clock, {}));
  EXPECT_EQ(urgent, (std::vector{fleet::BoardId{7}, fleet::BoardId{8}}));
}

TEST_F(KeeperTest, CorruptEndsItAtOnce) {
  store.failures_left = 1;
  store.code = Errc::corrupt;
  ASSERT_TRUE(box.put(one_row_one_record()));
  const auto done = keeper.run(box, clock, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_EQ(keeper.trouble(), "disk full");
}

TEST_F(KeeperTest, AStopDuringTroubleEndsTheWait) {
  store.failures_left = 1'000'000;
  std::stop_source stop;
  stop.request_stop();
  ASSERT_TRUE(box.put(one_row_one_record()));
  EXPECT_FALSE(keeper.run(box, clock, stop.get_token()));
  EXPECT_EQ(keeper.trouble(), "disk full");
}

TEST_F(KeeperTest, MaintenanceHasItsTurnEachSecond) {
  std::jthread runner([&] { EXPECT_TRUE(keeper.run(box, clock, {})); });
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(box.put(one_row_one_record()));
  box.close();
  runner.join();
  EXPECT_GE(store.maintained, 1);
}

}  // namespace
}  // namespace ghm::pipeline
