#include "services/rma_evidence.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/memory/memory_store.h"
#include "core/csv.h"
#include "domain/telemetry/metric_catalogue.h"
#include "pipeline/ledger_records.h"
#include "services/case_records.h"
#include "services/incident_records.h"
#include "services/rma_past.h"
#include "services/rma_readings.h"

namespace ghm::services {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const Timestamp kNow = from_unix_ms(1'800'000'000'000);
const Timestamp kFault = kNow - 24h;
constexpr auto kBoard = telemetry::BoardId{11};

/// A board whose temperature rises towards its fault and whose PCIe replays begin in its last days, on a host with an agent.
struct Site {
  memory::MemoryStore store;
  views::FleetSnapshot fleet;

  Site() {
    views::BoardView v;
    v.board.id = kBoard;
    v.board.serial = "1650001";
    v.board.host = "h1";
    v.board.pci_bus_id = "00000000:65:00.0";
    v.board.driver_version = "550.54.15";
    v.board.first_seen = kNow - std::chrono::days(100);
    v.board.last_seen = kFault;
    fleet.as_of = kNow;
    fleet.boards = {v};
    readings();
  }

  void put(store::Record r) { ASSERT_TRUE(store.put(std::array{std::move(r)})); }
  void event(Timestamp at, const std::string& body) { put({"event", fmt::format("{:015}-{:04}", to_unix_ms(at), ++events), at, body}); }
  void inventory(std::optional<Timestamp> warranty) {
    fleet::Asset a;
    a.serial = "1650001";
    a.warranty_until = warranty;
    a.purchase_price_usd = 31'337;
    fleet.boards[0].board.asset = std::make_shared<fleet::Asset>(a);
  }
  void incident(faults::IncidentBook& book) {
    for (const auto* i : book.take_changed()) put(to_record(*i, book.ranking(*i), book.causes()));
  }
  RmaEvidence gather(std::optional<Timestamp> at = kFault) { return *gather_rma({store, store, fleet}, {.board = 0, .at = at}, kNow); }
  Json evidence(std::optional<Timestamp> at = kFault) { return Json::parse(file(gather(at), "evidence.json")); }
  static std::string file(const RmaEvidence& e, std::string_view name) {
    const auto found = std::ranges::find(e.files, name, &evidence::Member::name);
    return found == e.files.end() ? "no such file" : found->bytes;
  }
  static std::vector<std::string> missing(const Json& e) { return e["missing"].get<std::vector<std::string>>(); }

  int events = 0;

 private:
  void readings() {
    const auto columns = std::make_shared<const std::vector<telemetry::SeriesKey>>(
        std::vector<telemetry::SeriesKey>{{kBoard, {}, telemetry::field::gpu_temp}, {kBoard, {}, telemetry::field::pcie_replay}});
    std::vector<store::RowBatch> rows;
    double replays = 0;
    for (auto t = kNow - std::chrono::days(60); t < kFault + 1h; t += 5min) {
      if (t > kFault - std::chrono::days(3)) ++replays;
      if (t > kFault - 20h && t < kFault - 10h) continue;  // the exporter was away
      rows.push_back({"h1:9400", columns, t, {t < kFault ? 60.0 : 91.0, replays}});
    }
    ASSERT_TRUE(store.append(rows));
  }
};

TEST(RmaEvidence, HoldsWhatWasMeasuredAroundTheFault) {
  Site site;
  const auto e = site.gather();
  const auto telemetry = Site::file(e, "telemetry.csv"), readings = Site::file(e, "readings.csv");
  const auto table = CsvTable::parse(telemetry, "telemetry.csv");
  ASSERT_TRUE(table) << table.error().what;
  EXPECT_EQ(table->cell(0, "metric"), "DCGM_FI_DEV_GPU_TEMP");
  EXPECT_EQ(table->cell(0, "unit"), "celsius");
  EXPECT_EQ(*parse_time(table->cell(0, "time")), kFault - 72h);
  EXPECT_THAT(readings, HasSubstr(format_rfc3339(kFault) + ",DCGM_FI_DEV_GPU_TEMP,celsius,91\n"));
  EXPECT_THAT(readings, Not(HasSubstr(format_rfc3339(kFault - 20min)))) << "only what is close to the fault";
  EXPECT_EQ(e.about["gpu"], "1650001");
  EXPECT_EQ(e.about["fault_at"], format_rfc3339(kFault));
}

TEST(RmaEvidence, SaysHowMuchOfTheWindowWasSeen) {
  Site site;
  const auto window = site.evidence()["window"];
  // 78 h, of which ten at the exporter's gap (less the edges) and five behind the last reading are empty.
  EXPECT_NEAR(window["coverage"].get<double>(), 1 - 15.0 / 78, 0.01);
  EXPECT_EQ(*parse_time(window["gaps"][0]["from"].get<std::string>()), kFault - 20h + 5min);
  EXPECT_THAT(Site::missing(site.evidence()), Contains(HasSubstr("Readings cover 80.")));
}

TEST(RmaEvidence, CountersHaveATrend) {
  Site site;
  const auto counters = site.evidence()["counters"];
  ASSERT_EQ(counters.size(), 1u) << counters;
  EXPECT_EQ(counters[0]["metric"], "DCGM_FI_DEV_PCIE_REPLAY_COUNTER");
  EXPECT_EQ(counters[0]["trend"], "new");
  EXPECT_EQ(counters[0]["increase_7d"], counters[0]["last"]);
  EXPECT_THAT(Site::file(site.gather(), "counters_daily.csv"), HasSubstr("DCGM_FI_DEV_PCIE_REPLAY_COUNTER,288,"));
}

TEST(RmaEvidence, RepairCasesOfTheBoardAreItsHistory) {
  Site site;
  fleet::CaseBook book;
  for (const auto board : {kBoard, telemetry::BoardId{12}}) {
    fleet::CaseOpening o;
    o.board = board;
    o.gpu = fmt::format("16500{:02}", static_cast<unsigned>(board));
    o.host = "h1";
    o.action = "replace_board";
    o.symptom = "falls off the bus";
    o.opened = kFault + 1h;
    ASSERT_TRUE(book.open(o));
  }
  ASSERT_TRUE(book.advance(1, {.to = fleet::CaseState::acting}, "ana", kFault + 2h));
  ASSERT_TRUE(book.advance(1, {.to = fleet::CaseState::testing, .replaced_by = "1650077", .cost = 31'337.0}, "ana", kFault + 3h));
  ASSERT_TRUE(book.close(1, {fleet::CaseOutcome::cannot_tell, "sold"}, "ana", kFault + 4h));
  for (const auto& c : book.take_changed()) site.put(to_record(c, nullptr));
  const auto repairs = site.evidence()["repairs"];
  ASSERT_EQ(repairs.size(), 1u) << repairs;
  EXPECT_EQ(repairs[0]["what"], "repair case 1: replace_board");
  EXPECT_EQ(repairs[0]["detail"], fmt::format("cannot_tell, 1650077 installed {}; for: falls off the bus; closed {}: sold",
                                              format_rfc3339(kFault + 3h), format_rfc3339(kFault + 4h)));
  EXPECT_EQ(site.evidence().dump().find("31337"), std::string::npos) << "what it cost is nobody's business outside";
}

TEST(RmaEvidence, TrendsAreWords) {
  EXPECT_EQ(rma_trend(0, 0, 80), "none");
  EXPECT_EQ(rma_trend(5, 0, 3), "too short");
  EXPECT_EQ(rma_trend(5, 0, 80), "new");
  EXPECT_EQ(rma_trend(70, 80, 80), "rising");
  EXPECT_EQ(rma_trend(7, 80, 80), "steady");
  EXPECT_EQ(rma_trend(1, 80, 80), "falling");
}

TEST(RmaEvidence, KernelLinesAreRawAndInOrder) {
  Site site;
  site.event(
      kFault,
      R"({"kind":"xid","board":11,"host":"h1","code":79,"detail":"NVRM: Xid (PCI:0000:65:00): 79, GPU has fallen off the bus.","fields":{"boot_id":"b","seq":"42"}})");
  site.event(
      kFault - 1h,
      R"({"kind":"xid","board":11,"host":"h1","code":48,"detail":"NVRM: Xid (PCI:0000:65:00): 48, \u001b[31mred","fields":{"boot_id":"b","seq":"41"}})");
  site.event(kFault - 1h, R"({"kind":"xid","board":12,"host":"h1","code":13,"detail":"not mine","fields":{"boot_id":"b","seq":"40"}})");
  site.event(kFault - 30min, R"({"kind":"source_slow","host":"h1","detail":"=slow"})");
  site.event(kFault - 30min, R"({"kind":"source_slow","host":"h2","detail":"elsewhere"})");
  site.event(kFault - std::chrono::days(9), R"({"kind":"xid","board":11,"detail":"long ago"})");
  const auto e = site.gather();
  EXPECT_EQ(Site::file(e, "kernel.log"), format_rfc3339(kFault - 1h) + "  NVRM: Xid (PCI:0000:65:00): 48, ?[31mred\n" +
                                             format_rfc3339(kFault) + "  NVRM: Xid (PCI:0000:65:00): 79, GPU has fallen off the bus.\n");
  const auto events = Site::file(e, "events.csv");
  EXPECT_THAT(events, HasSubstr("'=slow")) << "nothing that a spreadsheet would run";
  EXPECT_THAT(events, Not(HasSubstr("not mine")));
  EXPECT_THAT(events, Not(HasSubstr("elsewhere")));
  EXPECT_THAT(events, Not(HasSubstr("long ago")));
  EXPECT_LT(events.find(",48,"), events.find(",79,"));
  EXPECT_THAT(Site::file(e, "index.html"), HasSubstr("GPU has fallen off the bus."));
}

TEST(RmaEvidence, TheWorstIncidentTellsTheTime) {
  Site site;
  faults::IncidentBook book;
  faults::Sign s;
  s.what = faults::evidence("off_bus");
  s.severity = faults::Severity::critical;
  s.at = kFault;
  s.id = "one";
  s.board = kBoard;
  s.gpu = "1650001";
  s.host = "h1";
  s.boards_on_host = 8;
  book.observe(s);
  site.incident(book);
  site.event(kNow - 1h, R"({"kind":"xid","board":11,"code":13,"detail":"later, and of a program"})");
  const auto e = site.evidence(std::nullopt);
  EXPECT_EQ(e["fault"]["at"], format_rfc3339(kFault));
  EXPECT_THAT(e["fault"]["why"].get<std::string>(), HasSubstr("Incident 1"));
  EXPECT_EQ(e["incidents"][0]["causes"][0]["cause"], "off_bus");
}

TEST(RmaEvidence, ElseTheNewestXidDoes) {
  Site site;
  site.event(kFault - 2h, R"({"kind":"xid","board":11,"code":48,"detail":"older"})");
  site.event(kFault, R"({"kind":"xid","board":11,"code":79,"detail":"newest"})");
  site.event(kFault + 1h, R"({"kind":"xid","board":12,"code":31,"detail":"another board's"})");
  EXPECT_EQ(site.evidence(std::nullopt)["fault"]["at"], format_rfc3339(kFault));
}

TEST(RmaEvidence, WhatIsMissingIsSaidPlainly) {
  Site site;
  const auto e = site.evidence(std::nullopt);
  EXPECT_EQ(e["fault"]["at"], format_rfc3339(kNow));
  const auto missing = Site::missing(e);
  for (const char* what : {"VBIOS", "UUID", "inventory does not have", "neither an incident nor an Xid", "no agent has been heard",
                           "Never reported", "DCGM_FI_DEV_ROW_REMAP_FAILURE", "Repairs: none", "nvidia-bug-report"})
    EXPECT_THAT(missing, Contains(HasSubstr(what)));
  EXPECT_THAT(missing, Not(Contains(HasSubstr("serial number"))));
  site.put({"host_facts", "h1", kNow, "{}"});
  EXPECT_THAT(Site::missing(site.evidence()), Contains(HasSubstr("an agent reads this host's log")));
}

TEST(RmaEvidence, WarrantyIsOfTheDayOfTheFault) {
  Site site;
  EXPECT_EQ(site.evidence()["warranty"]["at_fault"], nullptr);
  site.inventory(std::nullopt);
  EXPECT_THAT(Site::missing(site.evidence()), Contains(HasSubstr("until when the warranty lasts")));
  site.inventory(kFault + 1h);
  EXPECT_EQ(site.evidence()["warranty"]["at_fault"], "in warranty") << "it is over today, and was not then";
  site.inventory(kFault - 1h);
  EXPECT_EQ(site.evidence()["warranty"]["at_fault"], "out of warranty");
  for (const auto& f : site.gather().files) EXPECT_THAT(f.bytes, Not(HasSubstr("31337"))) << "prices stay at home: " << f.name;
}

TEST(RmaEvidence, MovesAndRepairsAreThereAndOtherPeoplesWorkIsNot) {
  Site site;
  site.put(pipeline::to_record(fleet::Interval{kBoard, "slot", "h0 00000000:17:00.0", {{"host", "h0"}}, kNow - 90 * 24h, kFault + 1h}));
  site.put(pipeline::to_record(fleet::Interval{kBoard, "job", "secret-model", {}, kFault - 1h, kFault}));
  site.put({"failure", "f", kFault - 48h, R"({"board":11,"failure_type":"ecc","resolution":"reset"})"});
  site.put({"failure", "g", kFault - 48h, R"({"board":12,"failure_type":"thermal"})"});
  site.event(kFault, R"({"kind":"source_slow","host":"h0","detail":"where it stood then"})");
  const auto all = site.gather();
  const auto e = Json::parse(Site::file(all, "evidence.json"));
  EXPECT_EQ(e["history"][0]["value"], "h0 00000000:17:00.0");
  EXPECT_EQ(e["history"].size(), 1u);
  EXPECT_EQ(e["repairs"].size(), 1u);
  EXPECT_EQ(e["repairs"][0]["what"], "failure: ecc");
  EXPECT_THAT(Site::file(all, "events.csv"), HasSubstr("where it stood then"));
}

TEST(RmaEvidence, EveryRecordIsSeenWhenManyShareAnInstant) {
  Site site;
  for (int i = 0; i < 2500; ++i) site.event(kFault + std::chrono::milliseconds(i / 900), R"({"kind":"x","board":11,"detail":""})");
  std::size_t seen = 0;
  const auto all =
      each_recent(site.store, "event", {kFault - 1h, kFault + 1h}, 100'000, [&](const store::Record&) { return ++seen, true; });
  EXPECT_TRUE(*all);
  EXPECT_EQ(seen, 2500u);
  EXPECT_FALSE(*each_recent(site.store, "event", {kFault - 1h, kFault + 1h}, 1000, [](const store::Record&) { return true; }));
}

TEST(RmaEvidence, FileNamesAreSafe) {
  fleet::Board b;
  b.serial = "../../x y\n";
  EXPECT_EQ(rma_file_name(b), "rma-______x_y_.tar.zst");
}

}  // namespace
}  // namespace ghm::services
