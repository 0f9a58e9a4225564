#include "services/board_stories.h"

#include <gtest/gtest.h>

#include "pipeline/ledger_records.h"

namespace ghm::services {
namespace {

const Timestamp kNow = from_unix_ms(1'770'638'400'000);
constexpr fleet::BoardId kHost{1}, kBoard{2};

/// Records in a map.
struct Records final : store::RecordStore {
  Result<void> put(std::span<const store::Record> records) override {
    for (const auto& r : records) kept[{r.kind, r.key}] = r;
    return {};
  }
  Result<std::optional<store::Record>> get(std::string_view kind, std::string_view key) const override {
    const auto found = kept.find({std::string(kind), std::string(key)});
    return found == kept.end() ? std::optional<store::Record>() : found->second;
  }
  Result<std::vector<store::Record>> scan(std::string_view kind, std::string_view prefix, std::string_view after,
                                          std::size_t limit) const override {
    std::vector<store::Record> out;
    for (const auto& [name, r] : kept)
      if (r.kind == kind && r.key.starts_with(prefix) && r.key > after && out.size() < limit) out.push_back(r);
    return out;
  }
  Result<std::vector<store::Record>> recent(std::string_view, TimeRange, std::size_t) const override {
    return std::vector<store::Record>{};
  }
  Result<bool> erase(std::string_view, std::string_view) override { return false; }

  std::map<std::pair<std::string, std::string>, store::Record> kept;
};

struct BoardStoriesTest : ::testing::Test {
  BoardStoriesTest() {
    fleet::Host host;
    host.id = kHost;
    host.name = "h1";
    host.last_answer = kNow;
    board.id = kBoard;
    board.serial = "S1";
    board.host = "h1";
    show(host);
  }
  void show(const fleet::Host& host, bool silent = false) {
    pipeline::LiveUpdate update;
    update.as_of = kNow;
    update.boards = {board};
    update.hosts = {host};
    update.live_hosts = {{host.id, host.last_answer, silent}};
    update.maintenance = {{"m-1", fleet::Maintenance::Scope::host, "h1", kNow - 3h, kNow - 2h, "fans", ""}};
    live.apply(std::move(update));
  }
  void happened(Timestamp at, const char* kind, int code = 0) {
    const std::vector<store::Record> records{pipeline::to_record(fleet::FleetEvent{at, kind, kBoard, "h1", "", code}, &board, ++sequence)};
    ASSERT_TRUE(store.put(records));
  }
  BoardStory story(Timestamp now = kNow) {
    const std::array boards{static_cast<const fleet::Board*>(&board)};
    return stories.tell(boards, now).at(0);
  }

  Records store;
  pipeline::LiveView live;
  fleet::Board board;
  std::uint64_t sequence = 0;
  BoardStories stories{store, live};
};

TEST_F(BoardStoriesTest, EventsOfAMonthAreToldAndNewOnesJoin) {
  happened(kNow - std::chrono::days(40), "xid", 79);
  happened(kNow - 5h, "xid", 48);
  happened(kNow - 4h, "gpu_appeared");
  auto told = story();
  ASSERT_TRUE(told.events);
  ASSERT_EQ(told.events->size(), 1u) << "older ones and other kinds cost nothing";
  EXPECT_EQ(told.events->at(0).code, 48);
  happened(kNow - 1h, "gpu_reset");
  told = story();
  ASSERT_EQ(told.events->size(), 2u);
  EXPECT_EQ(told.events->at(1).kind, "gpu_reset");
  EXPECT_TRUE(story(kNow + std::chrono::days(32)).events->empty());
}

TEST_F(BoardStoriesTest, SilenceIsTheHostsPastAndPresent) {
  const std::vector<store::Record> records{pipeline::to_record(fleet::Interval{kHost, "silence", "h1", {}, kNow - 10h, kNow - 9h})};
  ASSERT_TRUE(store.put(records));
  auto told = story();
  ASSERT_TRUE(told.source_silent);
  ASSERT_EQ(told.source_silent->size(), 1u);
  EXPECT_EQ(told.source_silent->at(0).from, to_unix_seconds(kNow - 10h));
  fleet::Host host;
  host.id = kHost;
  host.name = "h1";
  host.last_answer = kNow - 5min;
  show(host, true);
  told = story();
  ASSERT_EQ(told.source_silent->size(), 2u) << "it is silent now";
  EXPECT_EQ(told.source_silent->at(1).from, to_unix_seconds(kNow - 5min));
}

TEST_F(BoardStoriesTest, MaintenanceOfTheHostIsTheBoards) {
  const auto told = story();
  ASSERT_EQ(told.maintenance.size(), 1u);
  EXPECT_EQ(told.maintenance[0].to, to_unix_seconds(kNow - 2h));
}

TEST_F(BoardStoriesTest, AnUnknownHostIsNotKnownToBeSilent) {
  board.host = "nowhere";
  EXPECT_FALSE(story().source_silent);
}

}  // namespace
}  // namespace ghm::services
