// Rounds of a running service against scores from readings: whatever happens in between, a round says what readings say.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "adapters/memory/memory_store.h"
#include "domain/health/rules.h"
#include "domain/telemetry/metric_catalogue.h"
#include "services/scoring.h"

namespace ghm::services {
namespace {

namespace field = telemetry::field;
const Timestamp kBorn = from_unix_ms(1'790'000'000'000);

struct RoundsTest : ::testing::Test {
  RoundsTest() {
    for (std::uint32_t n = 1; n <= 5; ++n) boards.push_back(board(n, n == 5 ? "elsewhere" : "h1"));
    pipeline::LiveUpdate update;
    update.boards = boards;
    live.apply(std::move(update));
    scoring = service(std::filesystem::temp_directory_path());
  }
  static fleet::Board board(std::uint32_t n, const std::string& host) {
    fleet::Board b;
    b.id = static_cast<fleet::BoardId>(n);
    b.serial = "S" + std::to_string(n);
    b.model = "NVIDIA L40S";
    b.host = host;
    b.first_seen = kBorn;
    return b;
  }
  std::unique_ptr<Scoring> service(const std::filesystem::path& sums) {
    return std::make_unique<Scoring>(store, live, ScoringSettings{.interval = 60s, .profile = profile, .sums_folder = sums}, Log::off(),
                                     [this](std::span<const fleet::Board* const> asked, Timestamp) {
                                       std::vector<BoardStory> stories(asked.size());
                                       for (std::size_t n = 0; n < asked.size(); ++n) {
                                         stories[n].source_silent.emplace();
                                         stories[n].events.emplace();
                                         for (const auto& other : boards)
                                           if (same_job.contains(other.id) && same_job.contains(asked[n]->id) && other.id != asked[n]->id)
                                             stories[n].peers.push_back({{}, false, true, clock_of(other.id)});
                                       }
                                       return stories;
                                     });
  }
  double clock_of(fleet::BoardId id) const { return id == slow ? 1200 : 1700; }

  store::RowBatch row(const fleet::Board& b, Timestamp at, double corrected) {
    auto& columns = columns_[b.id];
    if (!columns) {
      std::vector<store::SeriesKey> keys;
      for (const auto metric :
           {field::gpu_temp, field::graphics_activity, field::sm_clock, field::max_sm_clock, field::clock_reasons, field::power_usage,
            field::ecc_sbe_volatile, field::ecc_dbe_volatile, field::remapped_correctable, field::remapped_uncorrectable,
            field::banks_without_spares, field::row_remap_pending, field::row_remap_failure})
        keys.push_back({b.id, {}, metric});
      columns = std::make_shared<const std::vector<store::SeriesKey>>(std::move(keys));
    }
    return {b.host + ":9400", columns, at, {60, 0.95, clock_of(b.id), 1800, 4, 400, corrected, 0, 0, 0, 0, 0, 0}};
  }
  void keep(std::vector<store::RowBatch> rows) {
    ASSERT_TRUE(store.append(rows));
    scoring->rows_kept(rows);
  }
  /// Lives until `end`, a page a minute, ticks as a server does.
  void live_until(Timestamp end) {
    for (; now < end; now += 60s) {
      for (const auto& b : boards) keep({row(b, now, std::floor(to_unix_seconds(now) / 600))});
      scoring->tick(now + 30s);
    }
    live.apply({});
  }
  std::shared_ptr<const health::Report> report_of(fleet::BoardId id) {
    for (const auto& view : live.current()->boards)
      if (view.board.id == id) return view.health;
    return nullptr;
  }
  /// Every board's newest score is the one that its readings give.
  void expect_scores_of_readings() {
    for (const auto& view : live.current()->boards) {
      ASSERT_NE(view.health, nullptr);
      const auto* b = &view.board;
      auto& anew = fresh();
      Scoring from_readings(store, anew, ScoringSettings{.interval = 60s, .profile = profile}, Log::off(), [](auto asked, Timestamp) {
        std::vector<BoardStory> stories(asked.size());
        for (auto& story : stories) story.source_silent.emplace(), story.events.emplace();
        return stories;
      });
      from_readings.tick(from_unix_ms(std::llround(view.health->at * 1000)));
      anew.apply({});
      const auto of_board = std::ranges::find(anew.current()->boards, b->id, [](const views::BoardView& v) { return v.board.id; });
      const auto expected = of_board->health;
      ASSERT_NE(expected, nullptr);
      ASSERT_TRUE(expected->overall && view.health->overall);
      EXPECT_NEAR(*view.health->overall, *expected->overall, 1e-9) << b->serial;
    }
  }
  pipeline::LiveView& fresh() {
    fresh_ = std::make_unique<pipeline::LiveView>();
    pipeline::LiveUpdate update;
    update.boards = boards;
    fresh_->apply(std::move(update));
    return *fresh_;
  }

  memory::MemoryStore store;
  pipeline::LiveView live;
  std::unique_ptr<pipeline::LiveView> fresh_;
  std::vector<fleet::Board> boards;
  std::map<fleet::BoardId, store::Columns> columns_;
  std::set<fleet::BoardId> same_job;
  fleet::BoardId slow{};
  const health::Profile* profile = &health::default_profile();
  std::unique_ptr<Scoring> scoring;
  Timestamp now = kBorn;
};

TEST_F(RoundsTest, RoundsGoOnAndSayWhatReadingsSay) {
  live_until(kBorn + 6h);
  const auto stats = scoring->stats();
  EXPECT_GE(stats.rounds, 5u * 22);
  EXPECT_EQ(stats.from_readings, 5u) << "once each, when they were new";
  expect_scores_of_readings();
}

TEST_F(RoundsTest, LateRowsMakeTheirBoardBeginAnew) {
  live_until(kBorn + 3h);
  const auto before = scoring->stats().from_readings;
  std::vector<store::RowBatch> late;
  for (auto at = kBorn + 1h + 30s; at < kBorn + 2h; at += 60s) {
    late.push_back(row(boards[0], at, 100'000));
    late.back().source = "late";
  }
  keep(late);
  live_until(kBorn + 3h + 16min);
  EXPECT_EQ(scoring->stats().from_readings, before + 1);
  expect_scores_of_readings();
}

TEST_F(RoundsTest, ARestartScoresAsIfNothingHadHappened) {
  live_until(kBorn + 3h);
  scoring = service(std::filesystem::temp_directory_path());
  live_until(kBorn + 4h);
  expect_scores_of_readings();
}

TEST_F(RoundsTest, WithoutAFileRoundsReadReadings) {
  scoring = service("/nowhere/at/all");
  live_until(kBorn + 1h);
  const auto stats = scoring->stats();
  EXPECT_EQ(stats.from_readings, stats.rounds + stats.urgent);
  expect_scores_of_readings();
}

const health::Finding* finding(const health::Report& report, std::string_view rule) {
  for (const auto& d : report.dimensions)
    for (const auto& f : d.findings)
      if (f.rule == rule) return &f;
  return nullptr;
}

TEST_F(RoundsTest, ABoardThatIsSlowerThanItsJobLosesThroughput) {
  slow = boards[4].id;  // on another host than its peers
  for (const auto& b : boards) same_job.insert(b.id);
  live_until(kBorn + 2h);
  for (const auto& view : live.current()->boards) {
    const auto* f = finding(*view.health, "performance.throughput");
    ASSERT_EQ(f != nullptr, view.board.id == slow) << view.board.serial;
    if (f) {
      EXPECT_NEAR(f->value, 1200, 1e-9);
      EXPECT_NEAR(f->reference, 1700, 1e-9);
    }
  }
}

TEST_F(RoundsTest, SlowOrHotWithoutPeersAtTheSameJobIsNoFault) {
  slow = boards[0].id;  // its neighbours on the host do something else
  live_until(kBorn + 2h);
  for (const auto& view : live.current()->boards) EXPECT_EQ(finding(*view.health, "performance.throughput"), nullptr);
}

TEST_F(RoundsTest, ALimitedBoardIsComparedWithItsLikeOnTheHost) {
  profile = &health::baseline();
  scoring = service(std::filesystem::temp_directory_path());
  slow = boards[0].id;
  live_until(kBorn + 2h);
  for (const auto& view : live.current()->boards)
    EXPECT_EQ(finding(*view.health, "power.limit") != nullptr, view.board.id == slow) << view.board.serial;
  expect_scores_of_readings();
}

TEST_F(RoundsTest, WhatIsUrgentBetweenRoundsStands) {
  live_until(kBorn + 2h);
  const auto rounds = scoring->stats().urgent;
  auto failed = row(boards[0], now, 0);
  failed.values.back() = 1;  // row remap failure
  keep({failed});
  scoring->score_soon(std::span(&boards[0].id, 1));
  EXPECT_GE(scoring->tick(now + 1s), 1u) << "within a second of the news";
  EXPECT_EQ(scoring->stats().urgent, rounds + 1);
  live.apply({});
  EXPECT_EQ(report_of(boards[0].id)->critical, std::vector<std::string>{"memory.remap_failed"});
  scoring->tick(now + 25s);  // a round of before the news may be due now
  live.apply({});
  EXPECT_EQ(report_of(boards[0].id)->critical, std::vector<std::string>{"memory.remap_failed"});
}

TEST(RoundWants, AreThoseOfTheProfile) {
  const auto& catalogue = telemetry::MetricCatalogue::built_in();
  for (const auto* profile : health::profiles()) {
    const auto wants = wants_of(*profile);
    for (const auto& need : health::needs(*profile)) {
      const auto id = catalogue.by_name(need.metric)->id;
      const auto read = std::ranges::find_if(wants, [&](const RoundWant& w) { return w.metric == id || w.stand_in == id; });
      EXPECT_EQ(read == wants.end(), need.per_link) << need.metric << " of " << profile->name;
    }
  }
  const health::Need only[] = {{"DCGM_FI_PROF_GR_ENGINE_ACTIVE", 2h}, {"DCGM_FI_DEV_GPU_UTIL", 2h, "DCGM_FI_PROF_GR_ENGINE_ACTIVE"}};
  const auto wants = wants_of(health::Profile{"made-up", {}, 0, only, true});
  EXPECT_EQ(std::ranges::count(wants, telemetry::MetricId::none, &RoundWant::metric), std::ssize(wants) - 1);
  const auto& activity = wants[static_cast<std::size_t>(health::Of::activity)];
  EXPECT_EQ(activity.metric, field::graphics_activity);
  EXPECT_EQ(activity.stand_in, field::gpu_util);
  EXPECT_EQ(activity.silence_s, 7200);
}

}  // namespace
}  // namespace ghm::services
