#include "pipeline/trust.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "domain/simulation/fleet.h"
#include "pipeline/ingest.h"

namespace ghm::pipeline {
namespace {

namespace field = telemetry::field;
using telemetry::Reason;
using ::testing::HasSubstr;

const Timestamp kStart = from_unix_ms(1'770'000'000'000);

std::string labels(int gpu = 0) {
  return fmt::format(
      "gpu=\"{0}\",UUID=\"GPU-00000000-0000-0000-0000-00000000000{0}\",pci_bus_id=\"00000000:0{0}:00.0\",device=\"nvidia{0}\","
      "modelName=\"NVIDIA H100 80GB HBM3\",Hostname=\"n1\"",
      gpu);
}

std::string line(const std::string& metric, const std::string& value, const std::string& more = "") {
  return fmt::format("{}{{{}{}}} {}\n", metric, labels(), more, value);
}

std::string page(double energy, const std::string& rest = "") {
  return line("DCGM_FI_DEV_GPU_TEMP", "41") + line("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", fmt::format("{:.0f}", energy)) + rest;
}

/// An ingest whose outlets are vectors, and two sources that may scrape the same board.
struct TrustTest : ::testing::Test {
  void scrape(const std::string& text, const char* source = "a:9400", std::chrono::seconds step = 10s) {
    now += step;
    ingest->on_scrape({{source, {}, std::make_shared<telemetry::ScrapeAccess>()}, now, {}, text, "", ""});
  }
  std::vector<std::string> events(const std::string& kind) const {
    std::vector<std::string> out;
    for (const auto& r : records)
      if (r.kind == "event" && r.body.find("\"" + kind + "\"") != std::string::npos) out.push_back(r.body);
    return out;
  }
  std::vector<views::QuarantineItem> held(views::QuarantineQuery q = {}) const { return quarantine->list(q).items; }
  std::set<Reason> reasons() const {
    std::set<Reason> out;
    quarantine->for_each_count([&](const std::string&, telemetry::MetricId, Reason r, std::uint64_t) { out.insert(r); });
    return out;
  }
  double stored(telemetry::MetricId metric) const {
    const auto& keys = *rows.back().columns;
    const auto it = std::ranges::find(keys, metric, &store::SeriesKey::metric);
    return it == keys.end() ? -1 : rows.back().values.at(static_cast<std::size_t>(it - keys.begin()));
  }
  std::unique_ptr<Ingest> start() {
    Ingest::Settings settings;
    settings.quarantine = quarantine;
    return std::make_unique<Ingest>(settings,
                                    Ingest::Outlets{[this](ToKeep& k) {
                                                      std::ranges::move(k.rows, std::back_inserter(rows));
                                                      std::ranges::move(k.records, std::back_inserter(records));
                                                      return true;
                                                    },
                                                    [this](LiveUpdate& u) {
                                                      shown = std::move(u);
                                                      return true;
                                                    }},
                                    Log::off());
  }

  Timestamp now = kStart;
  std::vector<store::RowBatch> rows;
  std::vector<store::Record> records;
  LiveUpdate shown;
  std::shared_ptr<Quarantine> quarantine = std::make_shared<Quarantine>();
  std::unique_ptr<Ingest> ingest = start();
};

TEST_F(TrustTest, EveryReasonOfTheContractComesFromAPage) {
  const auto ms = [](Timestamp t) { return std::to_string(to_unix_ms(t)); };
  scrape(page(1e12));
  scrape(page(1e12 + 7e6));
  scrape(page(1e12 + 9e9,  // nine gigajoule milli in ten seconds
              line("DCGM_FI_DEV_FAN_SPEED", "9223372036854775794") + line("DCGM_FI_DEV_POWER_USAGE", "NaN") +
                  line("DCGM_FI_DEV_MEMORY_TEMP", "4000") + line("DCGM_FI_DEV_MEM_CLOCK", "2619 " + ms(now + 1h)) +
                  line("DCGM_FI_DEV_FB_USED", "1024 " + ms(now - 72h)) + line("DCGM_FI_DEV_FB_FREE", "12 34 56") +
                  line("DCGM_FI_DEV_SM_CLOCK", "ERROR - FAILED TO CONVERT TO STRING") + line("DCGM_FI_DEV_GPU_UTIL", "7") +
                  line("DCGM_FI_DEV_GPU_UTIL", "8", ",pod=\"other\"") + "DCGM_FI_DEV_MEM_COPY_UTIL{Hostname=\"n1\"} 3\n"));
  EXPECT_EQ(reasons().size(), telemetry::kReasons);
  for (const auto& i : held()) EXPECT_EQ(i.source, "a:9400");
  const auto only = [&](Reason r) { return held({.reason = r}).at(0); };
  EXPECT_EQ(only(Reason::sentinel).value, "9223372036854775794") << "the page's own text";
  EXPECT_EQ(only(Reason::out_of_range).value, "4000");
  EXPECT_EQ(only(Reason::too_old).last, now - 10s - 72h) << "the line's own time";
  EXPECT_TRUE(only(Reason::impossible_rate).replayable);
  EXPECT_TRUE(telemetry::is_absent(stored(field::total_energy)));
}

TEST_F(TrustTest, WhatIsRefusedIsKeptWithThePage) {
  scrape(page(1e12, line("DCGM_FI_DEV_MEMORY_TEMP", "4000")));
  EXPECT_EQ(std::ranges::count(records, "quarantine", &store::Record::kind), 2) << "the value, and its source's counts";
}

TEST_F(TrustTest, AResetOfABoardIsOneEvent) {
  const auto counters = [](double ns, int sbe) {
    return line("DCGM_FI_DEV_POWER_VIOLATION", fmt::format("{:.0f}", ns)) + line("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", std::to_string(sbe));
  };
  scrape(page(1e12, counters(5e9, 3)));
  scrape(page(1e12 + 7e6, counters(6e9, 3)));
  scrape(page(3e6, counters(0, 0)));
  scrape(page(6e6, counters(0, 0)));
  ASSERT_EQ(events("gpu_reset").size(), 1u);
  EXPECT_THAT(events("gpu_reset")[0], HasSubstr("GPU-00000000"));
  EXPECT_EQ(ingest->stats().refused, 0u);
}

TEST_F(TrustTest, ACounterForLifeThatFallsIsAnEvent) {
  scrape(page(1e12, line("DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", "900")));
  scrape(page(1e12 + 7e6, line("DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", "4")));
  ASSERT_EQ(events("counter_fell").size(), 1u);
  EXPECT_THAT(events("counter_fell")[0], HasSubstr("DCGM_FI_DEV_ECC_SBE_AGG_TOTAL"));
}

TEST_F(TrustTest, GaugeAndWindowAreOneXid) {
  const auto xids = [](int gauge, int in_window) {
    return line("DCGM_FI_DEV_XID_ERRORS", std::to_string(gauge)) +
           (in_window == 0 ? line("DCGM_EXP_XID_ERRORS_COUNT", "0")
                           : line("DCGM_EXP_XID_ERRORS_COUNT", std::to_string(in_window), ",window_size_in_ms=\"300000\",xid=\"31\""));
  };
  scrape(page(1e12, xids(0, 0)));
  scrape(page(1e12, xids(31, 1)));
  EXPECT_EQ(events("xid").size(), 1u);
  scrape(page(1e12, xids(31, 2)));
  EXPECT_EQ(events("xid").size(), 2u) << "the gauge cannot show the second";
  scrape(page(1e12, xids(31, 0)));
  EXPECT_EQ(events("xid").size(), 2u);
}

TEST_F(TrustTest, ARestartNeitherInventsAnXidNorHidesOne) {
  scrape(page(1e12, line("DCGM_FI_DEV_XID_ERRORS", "31")));
  const auto board = rows.back().columns->front().board;
  for (const auto& [before, want] : {std::pair{31.0, 0u}, {0.0, 1u}}) {
    records.clear();
    ingest = start();
    ingest->restore_trust({{{fleet::BoardId{board}, {}, field::xid}, {now, before}}});
    scrape(page(1e12, line("DCGM_FI_DEV_XID_ERRORS", "31")));
    EXPECT_EQ(events("xid").size(), want) << before;
  }
}

TEST_F(TrustTest, AHealthWatchThatGetsWorseIsAnEvent) {
  const auto watch = [](int memory, int thermal) {
    return line("DCGM_EXP_GPU_HEALTH_STATUS", std::to_string(memory), ",health_watch=\"MEM\"") +
           line("DCGM_EXP_GPU_HEALTH_STATUS", std::to_string(thermal), ",health_watch=\"THERMAL\"");
  };
  scrape(page(1e12, watch(20, 0)));
  scrape(page(1e12, watch(20, 0)));
  EXPECT_TRUE(events("health_watch").empty()) << "it sticks; a first sight is no event";
  scrape(page(1e12, watch(20, 10)));
  ASSERT_EQ(events("health_watch").size(), 1u);
  EXPECT_THAT(events("health_watch")[0], HasSubstr("from pass to warn"));
}

TEST_F(TrustTest, OfTwoExportersOfOneBoardOneIsBelieved) {
  double energy = 1e12;
  for (int i = 0; i < 5; ++i) {
    scrape(page(energy += 7e6), "a:9400", 7s);
    EXPECT_EQ(stored(field::gpu_temp), 41);
    scrape(page(energy, line("DCGM_FI_DEV_FAN_SPEED", "30")), "b:9400", 3s);
    EXPECT_TRUE(telemetry::is_absent(stored(field::gpu_temp)));
    EXPECT_EQ(stored(field::fan_speed), 30) << "what only the second says is no duplicate";
  }
  ASSERT_EQ(events("duplicate_source").size(), 1u);
  EXPECT_THAT(events("duplicate_source")[0], HasSubstr("a:9400 is believed"));
  ingest->tick(now);
  ASSERT_EQ(shown.conflicts.size(), 1u);
  EXPECT_EQ(shown.conflicts[0].kind, "duplicate_source");
  EXPECT_EQ(shown.conflicts[0].claims, "a:9400 and b:9400");
  EXPECT_EQ(shown.live.at(0).values.temperature, 41) << "the second does not blank what the first says";
  EXPECT_EQ(reasons(), std::set{Reason::duplicate});
  EXPECT_EQ(ingest->stats().refused, 10u);

  // The first falls silent: within two intervals and one more the second takes over.
  for (int i = 0; i < 3; ++i) scrape(page(energy += 7e6, line("DCGM_FI_DEV_FAN_SPEED", "30")), "b:9400");
  EXPECT_EQ(stored(field::gpu_temp), 41);
  ingest->tick(now);
  EXPECT_TRUE(shown.conflicts.empty());
}

// A fleet that is only what a fleet can be: nothing true may be refused.
struct Lived {
  std::uint64_t accepted = 0, refused = 0;
  std::string first;
};

Lived live(const std::string& scenario, const std::string& fault, int hours, std::chrono::seconds every) {
  auto fleet = *simulation::Fleet::create({8, 11, scenario, kStart});
  auto quarantine = std::make_shared<Quarantine>();
  Ingest::Settings settings{every, {}, quarantine};
  Ingest ingest(settings, {[](ToKeep&) { return true; }, [](LiveUpdate&) { return true; }}, Log::off());
  std::string text;
  const auto end = kStart + std::chrono::hours(hours);
  for (auto now = kStart; now < end; now += every) {
    if (!fault.empty() && now == kStart + every * 5) {
      EXPECT_TRUE(fleet.inject("3", fault, now)) << fault;
    }
    fleet.advance(0, now);
    if (fleet.page_fault(0) != simulation::PageFault::none) continue;
    text.clear();
    fleet.render(0, text);
    ingest.on_scrape({{"h:9400", {}, std::make_shared<telemetry::ScrapeAccess>()}, now, {}, text, "", "s/1"});
  }
  Lived out{ingest.stats().accepted, ingest.stats().refused, ""};
  const auto held = quarantine->list({.limit = 1}).items;
  if (!held.empty())
    out.first = fmt::format("{} {} {} at {}", static_cast<int>(held[0].metric), held[0].value, telemetry::to_string(held[0].reason),
                            format_rfc3339(held[0].last));
  return out;
}

TEST(TrueReadings, NoScenarioLosesOne) {
  for (const auto scenario : simulation::Fleet::scenarios()) {
    const auto lived = live(std::string(scenario), "", 2, 10s);
    EXPECT_GT(lived.accepted, 600'000u) << scenario;
    EXPECT_EQ(lived.refused, 0u) << scenario << ": " << lived.first;
  }
}

TEST(TrueReadings, NoFaultLosesOne) {
  for (const auto fault : simulation::Fleet::faults()) {
    const auto lived = live("healthy", std::string(fault), 1, 20s);
    EXPECT_EQ(lived.refused, 0u) << fault << ": " << lived.first;
  }
}

TEST(TrueReadings, NeitherFastNorSlowScrapesLoseOne) {
  for (const auto every : {std::chrono::seconds(1), std::chrono::seconds(60), std::chrono::seconds(300)}) {
    const auto lived = live("literature", "thermal_tim", every == 1s ? 1 : 24, every);
    EXPECT_EQ(lived.refused, 0u) << every.count() << " s: " << lived.first;
  }
}

}  // namespace
}  // namespace ghm::pipeline
