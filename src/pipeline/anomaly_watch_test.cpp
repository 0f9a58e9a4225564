#include "pipeline/anomaly_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "domain/simulation/fleet.h"
#include "domain/telemetry/metric_catalogue.h"
#include "pipeline/ingest.h"

namespace ghm::pipeline {
namespace {

namespace field = telemetry::field;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Timestamp kBirth = from_unix_ms(1'770'000'000'000);

/// Events in the order of their keys.
struct Events : store::RecordStore {
  Result<void> put(std::span<const store::Record> all) override {
    for (const auto& r : all)
      if (r.kind == "event") by_key[r.key] = r;
    return {};
  }
  Result<std::vector<store::Record>> scan(std::string_view, std::string_view, std::string_view after, std::size_t limit) const override {
    std::vector<store::Record> out;
    for (auto it = by_key.upper_bound(std::string(after)); it != by_key.end() && out.size() < limit; ++it) out.push_back(it->second);
    return out;
  }
  Result<std::optional<store::Record>> get(std::string_view, std::string_view) const override { return std::optional<store::Record>{}; }
  Result<std::vector<store::Record>> recent(std::string_view, TimeRange, std::size_t) const override {
    return std::vector<store::Record>{};
  }
  Result<bool> erase(std::string_view, std::string_view) override { return false; }

  std::map<std::string, store::Record> by_key;
};

/// Pages of a simulated host, once a minute, through the whole ingest.
struct AnomalyEvents : ::testing::Test {
  void pass(std::chrono::minutes span) {
    for (auto end = now + span; now < end;) {
      now += 1min;
      fleet.advance(0, now);
      text.clear();
      fleet.render(0, text);
      ingest.on_scrape({target, now, {}, text, "", "healthy/7"});
    }
  }
  std::vector<std::string> anomalies() {
    std::vector<std::string> out;
    for (const auto& r : std::exchange(records, {})) {
      if (r.kind != "event") continue;
      const auto body = nlohmann::json::parse(r.body);
      if (body["kind"] == "anomaly" || body["kind"] == "anomaly_cleared")
        out.push_back(body["kind"].get<std::string>() + " " + body.value("gpu", "host") + " " + body["detail"].get<std::string>());
    }
    return out;
  }
  std::string serial(int slot) const {
    for (const auto& [id, board] : ingest.ledger().boards())
      if (board.slot == slot) return board.serial;
    return "?";
  }

  simulation::Fleet fleet = std::move(*simulation::Fleet::create({8, 7, "healthy", kBirth}));
  telemetry::Target target{"gpu-host-1:9400", {{"rack", "R07"}}, std::make_shared<telemetry::ScrapeAccess>()};
  Timestamp now = kBirth;
  std::string text;
  std::vector<store::Record> records;
  Ingest::Settings settings{.interval = 60s};
  Ingest ingest{settings,
                {[this](ToKeep& k) {
                   std::ranges::move(k.records, std::back_inserter(records));
                   return true;
                 },
                 [](LiveUpdate&) { return true; }},
                Log::off()};
};

TEST_F(AnomalyEvents, AFaultBecomesOneEventOfItsBoardAndAnotherWhenItIsOver) {
  pass(90min);
  EXPECT_THAT(anomalies(), IsEmpty());
  ASSERT_TRUE(fleet.inject("3", "hbm_ue", now));
  pass(5min);
  EXPECT_THAT(anomalies(), IsEmpty()) << "not before five minutes";
  pass(4min);
  const auto said = anomalies();
  EXPECT_THAT(said, Contains(AllOf(HasSubstr("anomaly " + serial(3)), HasSubstr("uncorrectable memory errors: 1"),
                                   EndsWith("(against its own past, error)"))));
  EXPECT_THAT(said, ::testing::Each(HasSubstr(serial(3))));
  pass(2h);
  EXPECT_THAT(anomalies(), Contains(AllOf(HasSubstr("anomaly_cleared " + serial(3)), HasSubstr("uncorrectable memory errors"))));
}

TEST_F(AnomalyEvents, CarriesItsNumbers) {
  pass(90min);
  ASSERT_TRUE(fleet.inject("3", "hbm_ue", now));
  const auto injected = now;
  pass(9min);
  const auto is_it = [](const store::Record& r) { return r.kind == "event" && r.body.find("uncorrectable memory errors") != r.body.npos; };
  const auto found = std::ranges::find_if(records, is_it);
  ASSERT_NE(found, records.end());
  const auto numbers = nlohmann::json::parse(found->body)["anomaly"];
  EXPECT_EQ(numbers["metric"], "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL");
  EXPECT_EQ(numbers["detector"], "event_burst");
  EXPECT_EQ(numbers["severity"], "error");
  EXPECT_EQ(numbers["peers"], "none");
  EXPECT_GE(numbers["value"], 1);
  EXPECT_LT(numbers["expected"], 0.1);
  EXPECT_GE(numbers["z"], 2);
  EXPECT_EQ(numbers.size(), 10u);
  const auto since = parse_time(numbers["since"].get<std::string>());
  ASSERT_TRUE(since);
  EXPECT_GE(*since, injected);
  EXPECT_LE(*since, injected + 3min);
}

TEST_F(AnomalyEvents, WhatWasOpenIsShownAndWatchedOnAfterARestart) {
  pass(90min);
  ASSERT_TRUE(fleet.inject("3", "pcie_width", now));
  pass(30min);
  Events events;
  ASSERT_TRUE(events.put(records));
  ASSERT_THAT(anomalies(), Contains(HasSubstr("PCIe width")));

  auto open = anomalies_of_before(events, now);
  ASSERT_TRUE(open);
  const auto is_width = [](const WasOpen& w) { return w.anomaly.sentence.starts_with("PCIe width"); };
  ASSERT_EQ(std::ranges::count_if(*open, is_width), 1);
  const auto was = *std::ranges::find_if(*open, is_width);
  const auto count = open->size();
  EXPECT_EQ(was.host, ingest.ledger().boards().begin()->second.host);
  EXPECT_EQ(was.anomaly.detector, anomaly::Detector::step_change);
  EXPECT_THAT(was.anomaly.sentence, ::testing::StartsWith("PCIe width: went from 16 lanes to "));
  EXPECT_THAT(was.anomaly.sentence, ::testing::Not(HasSubstr("(against")));
  EXPECT_EQ(was.anomaly.expected, 16);

  LiveUpdate shown;
  Ingest anew{settings,
              {[this](ToKeep& k) {
                 std::ranges::move(k.records, std::back_inserter(records));
                 return true;
               },
               [&](LiveUpdate& u) {
                 shown = std::move(u);
                 return true;
               }},
              Log::off()};
  fleet::Ledger::Kept kept;
  for (const auto& [id, board] : ingest.ledger().boards()) kept.boards.push_back(board);
  for (const auto& [name, host] : ingest.ledger().hosts()) kept.hosts.push_back(host);
  anew.restore(std::move(kept));
  anew.restore_anomalies(std::move(*open));
  anew.tick(now);
  ASSERT_EQ(shown.anomalies.size(), count) << "before the first page";
  now += 1min;
  fleet.advance(0, now);
  text.clear();
  fleet.render(0, text);
  anew.on_scrape({target, now, {}, text, "", "healthy/7"});
  anew.tick(now);
  ASSERT_EQ(shown.anomalies.size(), count);
  for (const auto& a : shown.anomalies) EXPECT_EQ(a.board, was.anomaly.board);
  EXPECT_THAT(anomalies(), IsEmpty()) << "it was told";
  for (const auto& r : records) EXPECT_TRUE(events.put(std::span(&r, 1)));
  EXPECT_TRUE(anomalies_of_before(events, now + std::chrono::days(8))->empty()) << "learnt as normal by then";
}

TEST_F(AnomalyEvents, WhatIsOverOrCannotBeReadIsNotOpen) {
  pass(90min);
  ASSERT_TRUE(fleet.inject("3", "hbm_ue", now));
  pass(3h);
  Events events;
  ASSERT_TRUE(events.put(records));
  ASSERT_THAT(anomalies(), Contains(AllOf(HasSubstr("anomaly_cleared"), HasSubstr("uncorrectable memory errors"))));
  const auto before = anomalies_of_before(events, now);
  ASSERT_TRUE(before);
  for (const auto& w : *before) EXPECT_NE(w.anomaly.metric, field::ecc_dbe_volatile) << w.anomaly.sentence;
  for (const auto* body : {"", "[]", R"({"kind":"anomaly"})", R"({"kind":"anomaly","anomaly":7})", R"({"kind":7,"anomaly":{}})",
                           R"({"kind":"anomaly","anomaly":{"metric":"DCGM_FI_DEV_GPU_TEMP","detector":"guess"}})"}) {
    const store::Record bad{"event", std::string("999") + body, now, body};
    ASSERT_TRUE(events.put(std::span(&bad, 1)));
  }
  const auto open = anomalies_of_before(events, now);
  ASSERT_TRUE(open);
  EXPECT_EQ(open->size(), before->size());
}

TEST_F(AnomalyEvents, UnderMaintenanceThereIsNone) {
  pass(90min);
  ingest.tell([&](fleet::Ledger& ledger) { ASSERT_TRUE(ledger.start_maintenance("R07", std::nullopt, "new cables", "test", now)); }, now,
              {});
  ASSERT_TRUE(fleet.inject("3", "pcie_width", now));
  pass(90min);
  EXPECT_THAT(anomalies(), IsEmpty());
}

TEST(SeatsOf, PreferTheNewerNameAndCountLinks) {
  using telemetry::Entity;
  using telemetry::MetricId;
  auto table = std::make_shared<telemetry::SeriesTable>();
  table->series = {{0, {}, MetricId{241}},
                   {0, {}, MetricId{1422}},
                   {0, {}, field::gpu_temp},
                   {0, {Entity::Kind::nvlink, 0}, field::nvlink_state},
                   {0, {Entity::Kind::nvlink, 1}, field::nvlink_state},
                   {0, {Entity::Kind::nvlink, 1}, MetricId{1527}},
                   {0, {Entity::Kind::mig, 1}, field::gpu_util},
                   {-1, {Entity::Kind::node, 0}, field::gpu_util}};
  telemetry::PageLayout layout{table, {{}}, {{{}, {"train-7", "x"}}}};
  layout.gpus[0].model = "NVIDIA H200";
  const auto seats = seats_of(layout, {fleet::BoardId{5}});
  ASSERT_EQ(seats.size(), 1u);
  const auto& c = seats[0].columns;
  using anomaly::index_of;
  using anomaly::Slot;
  EXPECT_EQ(seats[0].model, "NVIDIA H200");
  EXPECT_EQ(seats[0].job, "train-7");
  EXPECT_EQ(c.column[index_of(Slot::heat_cut)], 1);
  EXPECT_EQ(c.column[index_of(Slot::gpu_temp)], 2);
  EXPECT_EQ(c.column[index_of(Slot::gpu_util)], anomaly::SlotColumns::kNoColumn) << "an instance is not the board";
  EXPECT_THAT(c.links_up, ElementsAre(3, 4));
  EXPECT_THAT(c.link_replays, ElementsAre(5));
}

}  // namespace
}  // namespace ghm::pipeline
