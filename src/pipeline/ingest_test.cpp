#include "pipeline/ingest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::pipeline {
namespace {

namespace field = telemetry::field;
using ::testing::HasSubstr;

const Timestamp kStart = from_unix_ms(1'700'000'000'000);

std::string line(const std::string& metric, int gpu, const std::string& value, const std::string& more = "") {
  return fmt::format(
      "{}{{gpu=\"{}\",UUID=\"GPU-00000000-0000-0000-0000-00000000000{}\",pci_bus_id=\"00000000:0{}:00.0\",device=\"nvidia{}\","
      "modelName=\"NVIDIA H200\",Hostname=\"n1\"{}}} {}\n",
      metric, gpu, gpu, gpu, gpu, more, value);
}

std::string page(int gpus, const std::string& temperature, const std::string& xid = "0") {
  std::string out;
  for (int g = 0; g < gpus; ++g) out += line("DCGM_FI_DEV_GPU_TEMP", g, temperature);
  for (int g = 0; g < gpus; ++g) out += line("DCGM_FI_DEV_POWER_USAGE", g, "312.5");
  for (int g = 0; g < gpus; ++g) out += line("DCGM_FI_DEV_XID_ERRORS", g, xid);
  return out;
}

/// An ingest whose outlets are vectors.
struct IngestTest : ::testing::Test {
  void scrape(const std::string& text, const std::string& error = "", const std::string& simulated = "") {
    ingest.on_scrape({target, now, {}, text, error, simulated});
    now += 10s;
  }
  std::vector<std::string> event_kinds() const {
    std::vector<std::string> out;
    for (const auto& r : records)
      if (r.kind == "event") out.push_back(r.body);
    return out;
  }
  const store::RowBatch& last_row() const { return rows.back(); }
  double stored(telemetry::MetricId metric) const {
    const auto& keys = *last_row().columns;
    const auto it = std::ranges::find(keys, metric, &store::SeriesKey::metric);
    return last_row().values.at(static_cast<std::size_t>(it - keys.begin()));
  }

  telemetry::Target target{"gpu-host-1:9400", {{"rack", "R07"}}, std::make_shared<telemetry::ScrapeAccess>()};
  Timestamp now = kStart;
  bool accepting = true, viewing = true;
  std::vector<store::RowBatch> rows;
  std::vector<store::Record> records;
  std::vector<fleet::BoardId> urgent;
  LiveUpdate shown;
  Ingest ingest{{},
                {[this](ToKeep& k) {
                   if (!accepting) return false;
                   std::ranges::move(k.rows, std::back_inserter(rows));
                   std::ranges::move(k.records, std::back_inserter(records));
                   std::ranges::move(k.urgent, std::back_inserter(urgent));
                   return true;
                 },
                 [this](LiveUpdate& u) {
                   if (!viewing) return false;
                   shown = std::move(u);
                   return true;
                 }},
                Log::off()};
};

TEST_F(IngestTest, APageBecomesARowUnderBoardsAndALiveUpdate) {
  scrape(page(2, "61"));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(last_row().source, "gpu-host-1:9400");
  EXPECT_EQ(last_row().at, kStart);
  EXPECT_EQ(last_row().columns->size(), last_row().values.size());
  EXPECT_EQ(stored(field::gpu_temp), 61);
  EXPECT_EQ(stored(field::power_usage), 312.5);
  ingest.tick(now);
  ASSERT_EQ(shown.boards.size(), 2u);
  EXPECT_EQ(shown.boards[0].host, "n1");
  EXPECT_EQ(shown.boards[0].place.rack, "R07");
  ASSERT_EQ(shown.live.size(), 2u);
  EXPECT_EQ(shown.live[1].values.temperature, 61);
  EXPECT_EQ(shown.live[1].values.power, 312.5);
  EXPECT_TRUE(telemetry::is_absent(shown.live[1].values.sm_clock));
}

TEST_F(IngestTest, TheBoardsRecordIsKeptNoLaterThanItsFirstRow) {
  scrape(page(1, "61"));
  EXPECT_EQ(std::ranges::count(records, "board", &store::Record::kind), 1);
  EXPECT_EQ(std::ranges::count(records, "host", &store::Record::kind), 1);
}

TEST_F(IngestTest, ColumnsStayTheSameObjectWhilePagesLookAlike) {
  scrape(page(2, "61"));
  scrape(page(2, "62"));
  scrape(page(2, "63"));
  EXPECT_EQ(rows[0].columns, rows[2].columns);
  EXPECT_EQ(ingest.stats().careful_pages, 1u);
  EXPECT_EQ(ingest.stats().template_pages, 2u);
}

TEST_F(IngestTest, WhatIsRefusedIsAbsentAndCounted) {
  scrape(page(1, "4000"));
  EXPECT_TRUE(telemetry::is_absent(stored(field::gpu_temp)));
  ingest.tick(now);
  ASSERT_EQ(shown.refused_by.size(), 1u);
  EXPECT_EQ(shown.refused_by[0].metric, "DCGM_FI_DEV_GPU_TEMP");
  EXPECT_EQ(shown.refused_by[0].reason, "out_of_range");
  EXPECT_EQ(shown.refused_by[0].source, "gpu-host-1:9400");
  EXPECT_EQ(shown.refused, 1u);
}

TEST_F(IngestTest, AnXidIsAnEventOnceAndUrgent) {
  scrape(page(1, "61"));
  ingest.tick(now);
  scrape(page(1, "61", "79"));
  scrape(page(1, "61", "79"));
  ingest.tick(now);
  const auto events = event_kinds();
  EXPECT_EQ(std::ranges::count_if(events, [](const auto& b) { return b.find("Xid 79") != std::string::npos; }), 1);
  EXPECT_EQ(urgent.size(), 1u);
}

TEST_F(IngestTest, AnUrgentScoreWaitsForWhatItDependsOn) {
  scrape(page(1, "61"));
  accepting = false;
  scrape(page(1, "61", "79"));
  ingest.tick(now);
  EXPECT_TRUE(urgent.empty()) << "nothing of it is kept";
  accepting = true;
  ingest.tick(now);
  EXPECT_EQ(urgent.size(), 1u) << "with the event, which waited";
  EXPECT_EQ(std::ranges::count_if(event_kinds(), [](const auto& b) { return b.find("Xid 79") != std::string::npos; }), 1);
}

TEST_F(IngestTest, WhatTheViewHasNoRoomForGoesWithTheNextUpdate) {
  viewing = false;
  scrape(page(2, "61"));
  ingest.tick(now);
  scrape(page(2, "62"));
  ingest.tick(now);
  viewing = true;
  ingest.tick(now);
  ASSERT_EQ(shown.boards.size(), 2u) << "both boards are news to the view, once";
  EXPECT_EQ(shown.hosts.size(), 1u);
  ASSERT_EQ(shown.live.size(), 2u);
  EXPECT_EQ(shown.live[0].values.temperature, 62);
  EXPECT_EQ(shown.scrapes_ok, 2u);
  ingest.tick(now);
  EXPECT_TRUE(shown.boards.empty()) << "told once";
}

TEST_F(IngestTest, AnXidThatIsToldByItsCountAloneIsUrgentToo) {
  const auto head = line("DCGM_FI_DEV_GPU_TEMP", 0, "61");
  const auto count = [&](const char* n) {
    return head + line("DCGM_EXP_XID_ERRORS_COUNT", 0, n, ",xid=\"79\",window_size_in_ms=\"300000\"");
  };
  scrape(head);
  ingest.tick(now);
  scrape(count("1"));
  EXPECT_EQ(urgent.size(), 1u);
  scrape(count("1"));
  EXPECT_EQ(urgent.size(), 1u) << "the same one";
}

// What critical rules look at: uncorrected errors by either counter, failed remaps, banks without spare rows.
TEST_F(IngestTest, WhatCriticalRulesLookAtIsUrgentWhenItChanges) {
  for (const auto* metric : {"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", "DCGM_FI_DEV_ROW_REMAP_FAILURE",
                             "DCGM_FI_DEV_BANKS_REMAP_ROWS_AVAIL_NONE", "DCGM_FI_DEV_XID_ERRORS"}) {
    const auto with = [&](const char* value) { return line("DCGM_FI_DEV_GPU_TEMP", 0, "61") + line(metric, 0, value); };
    scrape(with("0"));
    scrape(with("0"));
    ingest.tick(now);
    urgent.clear();
    scrape(with("1"));
    EXPECT_EQ(urgent.size(), 1u) << metric;
  }
}

TEST_F(IngestTest, AnXidThatChangesItsLabelsOrFirstAppearsIsAnEventToo) {
  const auto head = line("DCGM_FI_DEV_GPU_TEMP", 0, "61");
  scrape(head);
  scrape(head + line("DCGM_FI_DEV_XID_ERRORS", 0, "31", ",err_code=\"31\",err_msg=\"x\""));
  scrape(head + line("DCGM_FI_DEV_XID_ERRORS", 0, "79", ",err_code=\"79\",err_msg=\"y\""));
  scrape(head + line("DCGM_FI_DEV_XID_ERRORS", 0, "79", ",err_code=\"79\",err_msg=\"y\""));
  const auto events = event_kinds();
  EXPECT_EQ(std::ranges::count_if(events, [](const auto& b) { return b.find("Xid") != std::string::npos; }), 2);
}

TEST_F(IngestTest, APageThatShrinksMakesItsBoardMissing) {
  ingest.tick(now);
  scrape(page(2, "61"));
  for (int i = 0; i < 4; ++i) {
    scrape(page(1, "61"));
    ingest.tick(now);
  }
  ASSERT_EQ(shown.live.size(), 2u);
  EXPECT_FALSE(shown.live[0].silent);
  EXPECT_TRUE(shown.live[1].silent);
  EXPECT_TRUE(telemetry::is_absent(shown.live[1].values.temperature)) << "the last value of a silent board is not its value now";
  const auto events = event_kinds();
  EXPECT_THAT(events, ::testing::Contains(HasSubstr("gpu_missing")));
}

TEST_F(IngestTest, AFailedScrapeIsTheHostsErrorAndAnEmptyPageIsNot) {
  scrape(page(1, "61"));
  scrape("", "gpu-host-1:9400 answered 500");
  EXPECT_EQ(ingest.ledger().hosts().at("n1").last_error, "gpu-host-1:9400 answered 500");
  scrape(page(1, "61"));
  EXPECT_EQ(ingest.ledger().hosts().at("n1").last_error, "");
  scrape("");
  EXPECT_EQ(ingest.stats().scrapes_failed, 1u);
}

TEST_F(IngestTest, APageAboutSomethingElseIsOneClearSentence) {
  for (const auto* text : {"\x7f\x45\x4c\x46\x02\x01\x01", "<html>hello</html>", "node_load1 0.5\n"}) scrape(text);
  EXPECT_EQ(ingest.stats().scrapes_failed, 3u);
  EXPECT_THAT(ingest.ledger().hosts().begin()->second.last_error, HasSubstr("is it a dcgm-exporter?"));
  EXPECT_TRUE(rows.empty());
}

TEST_F(IngestTest, NewLabelsOfATargetAreTakenWithItsNextPage) {
  scrape(page(1, "61"));
  target.labels["rack"] = "R08";
  ingest.keep_only({target});
  scrape(page(1, "61"));
  EXPECT_EQ(ingest.ledger().hosts().at("n1").place.rack, "R08");
}

TEST_F(IngestTest, SimulatedPagesMarkTheirBoards) {
  scrape(page(1, "61"), "", "literature/1");
  ingest.tick(now);
  EXPECT_TRUE(shown.boards.at(0).simulated);
}

TEST_F(IngestTest, WhileTheKeeperIsStuckRowsAreCountedAndRecordsWait) {
  accepting = false;
  scrape(page(1, "61"));
  scrape(page(1, "62"));
  EXPECT_EQ(ingest.stats().rows_not_kept, 2u);
  accepting = true;
  scrape(page(1, "63"));
  EXPECT_EQ(rows.size(), 1u);
  EXPECT_EQ(std::ranges::count(records, "board", &store::Record::kind), 1);
}

TEST_F(IngestTest, ARestoredLedgerKnowsItsBoardsAgain) {
  scrape(page(1, "61"));
  const auto id = ingest.ledger().boards().begin()->first;
  Ingest later({}, {[](ToKeep&) { return true; }, [](LiveUpdate&) { return true; }}, Log::off());
  later.restore({{ingest.ledger().boards().at(id)}, {ingest.ledger().hosts().at("n1")}, {}, {}});
  later.on_scrape({target, now, {}, page(1, "61"), "", ""});
  EXPECT_EQ(later.ledger().boards().size(), 1u);
  EXPECT_EQ(later.ledger().boards().begin()->first, id);
}

}  // namespace
}  // namespace ghm::pipeline
