// Scores of the past over real stores: what they say, that nothing of the future reaches them, that they may be cut off anywhere.
#include "services/back_scoring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "adapters/memory/memory_store.h"
#include "domain/health/case_json.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::services {
namespace {

using std::chrono::days;
using telemetry::MetricCatalogue;

const Timestamp kStart = from_unix_ms(1'770'595'200'000);  // a midnight
constexpr auto kInterval = 5min;
using Quarters = std::chrono::duration<int, std::ratio<900>>;

/// A host of two boards whose readings came with an archive: one is well, one runs hot and loses memory from day 3 on.
struct BackScoringTest : ::testing::Test {
  BackScoringTest() {
    for (const std::uint32_t n : {1u, 2u}) {
      fleet::Board b;
      b.id = fleet::BoardId{n};
      b.serial = "S" + std::to_string(n);
      b.model = "NVIDIA H200";
      b.host = "attic";
      b.first_seen = kStart;
      past.boards.push_back(b);
    }
  }

  static double reading(std::string_view metric, std::size_t board, Timestamp t) {
    const double minutes = std::chrono::duration<double, std::ratio<60>>(t - kStart).count();
    const bool ill = board == 1 && t >= kStart + days(3);
    const bool works = static_cast<int>(minutes) % 240 >= 60;
    if (metric == "DCGM_FI_DEV_GPU_TEMP") return (works ? 62 : 35) + (ill ? 27 : 0) + static_cast<int>(minutes / 5) % 3;
    if (metric == "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS") return ill && works ? 0x40 : 0;
    if (metric == "DCGM_FI_PROF_GR_ENGINE_ACTIVE") return works ? 0.95 : 0;
    if (metric == "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL") return ill ? minutes / 10 : 0;
    if (metric == "DCGM_FI_DEV_POWER_USAGE") return works ? 640 : 90;
    if (metric == "DCGM_FI_DEV_SM_CLOCK") return works ? (ill ? 1500 : 1900) : 345;
    if (metric == "DCGM_FI_DEV_MAX_SM_CLOCK") return 1980;
    if (metric.starts_with("DCGM_FI_DEV_PCIE")) return metric.ends_with("WIDTH") ? 16 : 5;
    if (metric == "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION") return minutes * 3e7;
    if (metric.ends_with("POWER_MGMT_LIMIT_DEF") || metric.ends_with("ENFORCED_POWER_LIMIT")) return 700;
    return 0;
  }

  void import_readings(store::TelemetryStore& into, TimeRange range, double otherwise_from = 1e18, double otherwise = 0) const {
    for (std::size_t b = 0; b < past.boards.size(); ++b) {
      std::vector<store::SeriesKey> keys;
      std::vector<std::string> names;
      for (const auto& need : health::needs())
        if (!need.per_link && need.instead_of.empty() && need.metric != "DCGM_FI_DEV_FAN_SPEED") {
          keys.push_back({past.boards[b].id, {}, MetricCatalogue::built_in().by_name(need.metric)->id});
          names.emplace_back(need.metric);
        }
      const auto columns = std::make_shared<const std::vector<store::SeriesKey>>(keys);
      std::vector<store::RowBatch> rows;
      for (auto t = range.from; t < range.to; t += kInterval) {
        store::RowBatch row{"archive/attic/" + std::to_string(b), columns, t, {}};
        for (const auto& name : names) row.values.push_back(reading(name, b, t) + (to_unix_seconds(t) >= otherwise_from ? otherwise : 0));
        rows.push_back(std::move(row));
      }
      ASSERT_TRUE(into.append(rows));
    }
  }

  BackScoring::Keep keep_in(memory::MemoryStore& s) {
    return [&](std::vector<store::RowBatch> rows, std::vector<store::Record> records) -> Result<void> {
      if (offers_left-- == 0) return Error{Errc::unavailable, "killed"};
      if (auto done = s.append(rows); !done) return done;
      if (records_left-- == 0) return Error{Errc::unavailable, "killed between rows and records"};
      return s.put(records);
    };
  }
  /// How many rounds it took; goes on until there is nothing left or the keeper fails.
  std::uint64_t score_all(memory::MemoryStore& s, TimeRange within, BackScoringSettings settings = {kInterval}) {
    BackScoring back(s, s, past, within, settings, keep_in(s));
    std::uint64_t rounds = 0;
    for (;;) {
      const auto done = back.step();
      if (!done || done->finished) return rounds;
      rounds += done->rounds;
    }
  }
  static std::vector<store::Point> scores(const memory::MemoryStore& s, std::uint32_t board, std::size_t dimension = 0) {
    const auto metric = dimension == 0 ? health::kOverallScore : health::dimension_score(dimension - 1);
    return *s.read({fleet::BoardId{board}, {}, metric}, {Timestamp{}, Timestamp::max()});
  }
  /// The board's readings up to t, as a case of `ghm score case`.
  std::string case_until(std::size_t b, Timestamp t) const {
    nlohmann::json metrics = nlohmann::json::object();
    for (const auto& need : health::needs()) {
      if (need.per_link || !need.instead_of.empty()) continue;
      if (need.metric == "DCGM_FI_DEV_FAN_SPEED") {
        metrics[std::string(need.metric)] = nullptr;  // the part has none
        continue;
      }
      auto& series = metrics[std::string(need.metric)] = nlohmann::json::array();
      for (auto at = kStart; at <= t; at += kInterval) series.push_back({to_unix_seconds(at), reading(need.metric, b, at)});
    }
    return nlohmann::json{{"t", to_unix_seconds(t)},          {"interval_s", 300},  {"deployed_at", to_unix_seconds(kStart)},
                          {"model", "NVIDIA H200"},           {"metrics", metrics}, {"links_expected", 18},
                          {"events", nlohmann::json::array()}}
        .dump();
  }

  FleetPast past;
  memory::MemoryStore store;
  int offers_left = -1, records_left = -1;
};

TEST_F(BackScoringTest, HistoryIsThereOverTheWholeTime) {
  import_readings(store, {kStart, kStart + days(5)});
  EXPECT_EQ(score_all(store, {kStart, kStart + days(5)}), 2u * (5 * 96 - 1)) << "one at birth is too early";
  const auto well = scores(store, 1), ill = scores(store, 2);
  ASSERT_EQ(well.size(), 5u * 96 - 1);
  EXPECT_EQ(well.front().at, kStart + 15min);
  EXPECT_EQ(well.back().at, kStart + days(5) - 15min);
  for (std::size_t i = 1; i < well.size(); ++i) EXPECT_EQ(well[i].at - well[i - 1].at, 15min);
  EXPECT_GT(ill[95].value, 90);
  EXPECT_LT(ill.back().value, 80);
  const auto history = score_history(store, fleet::BoardId{2}, {kStart, kStart + days(5)});
  ASSERT_TRUE(history);
  EXPECT_GE(history->size(), 3u) << "it got worse step by step";
}

TEST_F(BackScoringTest, AScoreIsThatOfTheCaseOfTheReadingsUntilThen) {
  import_readings(store, {kStart, kStart + days(5)});
  score_all(store, {kStart, kStart + days(5)});
  for (const auto t : {kStart + 15min, kStart + days(1) + 45min, kStart + days(3) + 6h, kStart + days(4) + 23h})
    for (const std::size_t b : {0u, 1u}) {
      const auto parsed = health::parse_case(case_until(b, t), "case.json");
      ASSERT_TRUE(parsed) << parsed.error().what;
      const auto want = health::score(parsed->input);
      const auto all = scores(store, static_cast<std::uint32_t>(b + 1));
      const auto got = std::ranges::find(all, t, &store::Point::at);
      ASSERT_NE(got, all.end()) << format_rfc3339(t);
      ASSERT_TRUE(want.overall);
      EXPECT_DOUBLE_EQ(got->value, *want.overall) << format_rfc3339(t) << " board " << b;
    }
}

/// What the readings and the scores before `t` say, worked out from nothing else.
std::optional<double> from_readings(const memory::MemoryStore& s, const fleet::Board& board, Timestamp t,
                                    std::chrono::milliseconds interval, const std::vector<store::Point>& scores) {
  BoardStory story;
  story.events.emplace();
  Hearing heard;
  std::vector<Timestamp> times;
  const auto heat = s.read({board.id, {}, telemetry::field::gpu_temp}, {t - days(31), t + 1ms});
  for (const auto& p : *heat) times.push_back(p.at);
  heard.hear(std::move(times), interval);
  story.source_silent = heard.silence(t);
  for (const auto& p : scores)
    if (p.at < t && p.at >= t - days(31)) story.previous_scores.push_back({to_unix_seconds(std::chrono::floor<Quarters>(p.at)), p.value});
  const std::array boards{&board};
  const auto inputs = health_inputs(s, boards, {interval}, t, {std::move(story)});
  return health::score(inputs->front()).overall;
}

TEST_F(BackScoringTest, RoundsThatGoOnSayWhatReadingsSay) {
  past.boards.resize(1);
  const auto& board = past.boards[0];
  // Pauses of an evening and of two days, then other readings for a while: of the metric that only stands in.
  import_readings(store, {kStart, kStart + 30h});
  import_readings(store, {kStart + 37h, kStart + days(4)});
  import_readings(store, {kStart + days(6), kStart + days(38)});
  const auto util =
      std::make_shared<const std::vector<store::SeriesKey>>(std::vector<store::SeriesKey>{{board.id, {}, telemetry::field::gpu_util}});
  std::vector<store::RowBatch> rows;
  for (auto t = kStart + days(38); t < kStart + days(40); t += kInterval) rows.push_back({"b", util, t, {80}});
  ASSERT_TRUE(store.append(rows));
  // A score that stands there already, in the middle of what goes on.
  const auto overall =
      std::make_shared<const std::vector<store::SeriesKey>>(std::vector<store::SeriesKey>{{board.id, {}, health::kOverallScore}});
  ASSERT_TRUE(store.append(std::vector{store::RowBatch{"live", overall, kStart + days(36) + 7h + 20min, {12}}}));
  score_all(store, {kStart, kStart + days(40)}, {kInterval, days(8)});
  const auto all = scores(store, 1);
  EXPECT_GT(all.size(), 30u * 24 + 6 * 96 - 60);
  for (std::size_t i = 0; i < all.size(); i += i < all.size() - 400 ? 41 : 7) {
    if (all[i].value == 12) continue;
    const auto want = from_readings(store, board, all[i].at, kInterval, all);
    ASSERT_TRUE(want) << format_rfc3339(all[i].at);
    EXPECT_NEAR(all[i].value, *want, 1e-9) << format_rfc3339(all[i].at);
  }
}

TEST_F(BackScoringTest, WhatComesLaterChangesNoScoreBeforeIt) {
  const auto cut = kStart + days(4) + 7h + 20min;
  memory::MemoryStore other;
  import_readings(store, {kStart, kStart + days(6)});
  import_readings(other, {kStart, kStart + days(6)}, to_unix_seconds(cut), 31);
  const auto event = [&](Timestamp at) {
    return store::Record{"event", std::to_string(to_unix_ms(at)) + "-x", at, R"({"kind":"xid","board":1,"code":79})"};
  };
  ASSERT_TRUE(other.put(std::vector{event(cut), event(cut + 1h)}));
  score_all(store, {kStart, kStart + days(6)});
  score_all(other, {kStart, kStart + days(6)});
  for (std::size_t d = 0; d <= health::dimensions().size(); ++d)
    for (const std::uint32_t board : {1u, 2u}) {
      const auto a = scores(store, board, d), b = scores(other, board, d);
      const auto until = [&](const std::vector<store::Point>& all) {
        return std::ranges::count_if(all, [&](const store::Point& p) { return p.at < cut; });
      };
      ASSERT_EQ(until(a), until(b));
      for (std::ptrdiff_t i = 0; i < until(a); ++i) EXPECT_EQ(a[static_cast<std::size_t>(i)], b[static_cast<std::size_t>(i)]);
    }
  EXPECT_NE(scores(store, 1).back().value, scores(other, 1).back().value) << "the change does reach later scores";
}

TEST_F(BackScoringTest, CutOffAnywhereItEndsAsIfItNeverWas) {
  const TimeRange all{kStart, kStart + days(4)};
  import_readings(store, all);
  score_all(store, all);
  for (int keeps = 0; keeps < 5; ++keeps)
    for (const bool between : {false, true}) {
      memory::MemoryStore other;
      import_readings(other, all);
      (between ? records_left : offers_left) = keeps;
      score_all(other, all);
      offers_left = records_left = -1;
      score_all(other, all);
      for (const std::uint32_t board : {1u, 2u})
        for (std::size_t d = 0; d <= health::dimensions().size(); ++d) EXPECT_EQ(scores(other, board, d), scores(store, board, d));
      EXPECT_EQ(score_all(other, all), 0u) << "done is done";
    }
}

TEST(Hearing, APauseOfTheWholeHostIsSilence) {
  Hearing h;
  h.hear({kStart + 2min, kStart, kStart + 1min, kStart + 1min}, 60s);
  EXPECT_TRUE(h.silence(kStart + 4min).empty());
  ASSERT_EQ(h.silence(kStart + 10min).size(), 1u) << "it lasts";
  EXPECT_EQ(h.silence(kStart + 10min)[0].from, to_unix_seconds(kStart + 2min));
  EXPECT_EQ(h.silence(kStart + 10min)[0].to, to_unix_seconds(kStart + 10min));
  h.hear({kStart + 20min}, 60s);
  ASSERT_EQ(h.silence(kStart + 21min).size(), 1u);
  EXPECT_LT(h.silence(kStart + 21min)[0].to, to_unix_seconds(kStart + 20min)) << "the reading that ends it was heard";
}

TEST_F(BackScoringTest, HoursWithScoresAreLeftAlone) {
  import_readings(store, {kStart, kStart + days(2)});
  const auto live = [&](Timestamp at) {
    ScoreRows rows;
    health::Report r;
    r.overall = 12;
    r.dimensions.resize(health::dimensions().size());
    const std::vector<Scored> scored{{fleet::BoardId{1}, std::make_shared<const health::Report>(r)}};
    ASSERT_TRUE(store.append(std::vector{rows.row("attic", scored, at)}));
  };
  live(kStart + 30h + 7min);
  score_all(store, {kStart, kStart + days(2)});
  const auto mine = scores(store, 1);
  const auto hour = std::ranges::count_if(mine, [](const store::Point& p) { return p.at >= kStart + 30h && p.at < kStart + 31h; });
  EXPECT_EQ(hour, 1) << "only what was there";
  EXPECT_EQ(mine.size(), 2u * 96 - 1 - 4 + 1);
}

TEST_F(BackScoringTest, BeforeTheLastMonthRoundsAreHourly) {
  import_readings(store, {kStart, kStart + days(3)});
  score_all(store, {kStart, kStart + days(3)}, {kInterval, days(1)});
  EXPECT_EQ(scores(store, 1).size(), 2u * 24 + 96);
  EXPECT_EQ(scores(store, 1).front().at, kStart + 45min);
}

TEST_F(BackScoringTest, HoursThatCannotHaveAScoreAreNotTriedAgain) {
  const auto columns = std::make_shared<const std::vector<store::SeriesKey>>(
      std::vector<store::SeriesKey>{{fleet::BoardId{1}, {}, telemetry::field::gpu_util}});
  for (auto t = kStart; t < kStart + 5h; t += kInterval) ASSERT_TRUE(store.append(std::vector{store::RowBatch{"a", columns, t, {50}}}));
  EXPECT_GT(score_all(store, {kStart, kStart + days(1)}), 0u);
  EXPECT_TRUE(scores(store, 1).empty());
  EXPECT_EQ(score_all(store, {kStart, kStart + days(1)}), 0u);
}

TEST_F(BackScoringTest, AnImportsIntervalIsKeptForWhoeverScoresIt) {
  import_readings(store, {kStart, kStart + days(1)});
  BackScoring look(store, store, past, {kStart, kStart + days(1)}, {10s}, keep_in(store));
  EXPECT_EQ(*look.look_through(kInterval), 48u);
  EXPECT_EQ(read_back_record(store, fleet::BoardId{1})->interval_at(kStart + 1h), std::chrono::milliseconds(kInterval));
  score_all(store, {kStart, kStart + days(1)}, {10s});
  EXPECT_EQ(scores(store, 1).size(), 95u) << "at an interval of 10 s nothing would have been covered";
}

TEST(BackRecord, IsReadAsWrittenAndADamagedOneIsOneSentence) {
  memory::MemoryStore store;
  BackRecord r;
  r.board = telemetry::BoardId{7};
  r.note_span({{kStart, kStart + 5h}, 60s});
  r.note_scored({kStart + 2h, kStart + 3h});
  r.note_scored({kStart, kStart + 1h});
  r.note_scored({kStart + 1h, kStart + 2h});
  EXPECT_EQ(r.scored.size(), 1u) << "neighbours are one";
  ASSERT_TRUE(store.put(std::vector{to_record(r)}));
  const auto again = read_back_record(store, r.board);
  ASSERT_TRUE(again);
  EXPECT_EQ(to_record(*again), to_record(r));
  ASSERT_TRUE(store.put(std::vector{store::Record{"back_scores", "0000000007", {}, "{"}}));
  EXPECT_THAT(read_back_record(store, r.board).error().what, ::testing::HasSubstr("restore ghm.db"));
}

}  // namespace
}  // namespace ghm::services
