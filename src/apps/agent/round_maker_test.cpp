#include "apps/agent/round_maker.h"

#include <gtest/gtest.h>

namespace ghm::agent {
namespace {

using telemetry::GpuIdentity, telemetry::MetricId, telemetry::PageSeries;
using transport::SourceRound;

const Timestamp kNow = from_unix_ms(1'770'000'000'000);

GpuIdentity gpu(const std::string& uuid, const std::string& pci) {
  GpuIdentity g;
  g.uuid = uuid;
  g.pci_bus_id = pci;
  return g;
}

SourceRound source(std::vector<GpuIdentity> gpus, std::vector<PageSeries> series, std::vector<double> values) {
  auto layout = std::make_shared<telemetry::PageLayout>();
  layout->gpus = std::move(gpus);
  layout->table = std::make_shared<const telemetry::SeriesTable>(telemetry::SeriesTable{std::move(series), {}});
  SourceRound s;
  s.readings.emplace();
  s.readings->layout = layout;
  s.readings->values = std::move(values);
  return s;
}

PageSeries column(int gpu, int metric) {
  return {static_cast<std::int16_t>(gpu), {}, MetricId(metric), false};
}

TEST(RoundMaker, ALaterSourceFillsWhatTheFirstDoesNotSay) {
  RoundMaker maker;
  auto page = source({gpu("GPU-a", "00000000:01:00.0"), gpu("GPU-b", "00000000:02:00.0")}, {column(0, 150), column(1, 150)}, {61, 62});
  auto nvml = source({gpu("GPU-b", ""), gpu("GPU-a", "")}, {column(0, 150), column(0, 237), column(1, 237)}, {99, 16, 8});
  nvml.readings->refused.push_back({0, {}, MetricId(150), "99", telemetry::Reason::sentinel, 0});
  nvml.readings->refused.push_back({1, {}, MetricId(237), "8", telemetry::Reason::sentinel, 2});
  const auto round = maker.make({page, nvml}, kNow);
  const auto& r = round.readings;
  ASSERT_EQ(r.layout->gpus.size(), 2u);
  EXPECT_EQ(r.values, (std::vector<double>{61, 62, 16, 8}));
  EXPECT_EQ(r.layout->table->series[2], column(1, 237));
  EXPECT_EQ(r.layout->table->series[3], column(0, 237));
  ASSERT_EQ(r.refused.size(), 1u) << "what another speaks for is not refused twice";
  EXPECT_EQ(r.refused[0].column, 3u);
  EXPECT_EQ(r.refused[0].gpu, 0);
}

TEST(RoundMaker, TwoGpusWithOneSerialStayTwo) {
  RoundMaker maker;
  auto page = source({gpu("GPU-a", "00000000:01:00.0"), gpu("GPU-b", "00000000:02:00.0")}, {column(0, 150), column(1, 150)}, {61, 62});
  SourceRound facts;
  for (const auto* uuid : {"GPU-a", "GPU-b"}) facts.gpus.push_back(gpu(uuid, "")), facts.gpus.back().serial = "1650000000001";
  const auto r = maker.make({page, facts}, kNow).readings;
  ASSERT_EQ(r.layout->gpus.size(), 2u);
  EXPECT_EQ(r.layout->gpus[0].serial, "1650000000001");
  EXPECT_EQ(r.layout->gpus[1].serial, "1650000000001");
  EXPECT_NE(r.layout->gpus[0].uuid, r.layout->gpus[1].uuid);
  EXPECT_EQ(r.values, (std::vector<double>{61, 62}));
}

TEST(RoundMaker, LayoutsThatStayGiveOneThatStays) {
  RoundMaker maker;
  const auto page = source({gpu("GPU-a", "")}, {column(0, 150)}, {61});
  const auto first = maker.make({page}, kNow).readings.layout;
  EXPECT_EQ(maker.make({page}, kNow + 10s).readings.layout, first);
  auto facts = page;
  facts.gpus.push_back(gpu("GPU-a", "0000:01:00"));
  facts.gpus.back().serial = "165";
  const auto known = maker.make({facts}, kNow + 20s).readings.layout;
  EXPECT_EQ(known->gpus[0].serial, "165");
  EXPECT_EQ(known->gpus[0].pci_bus_id, "00000000:01:00.0");
  EXPECT_EQ(maker.make({facts}, kNow + 30s).readings.layout, known);
}

TEST(RoundMaker, AnExporterThatIsDownLeavesTheRest) {
  RoundMaker maker;
  SourceRound down;
  down.trouble = "connection refused";
  EXPECT_EQ(maker.make({down}, kNow).trouble, "connection refused");
  auto nvml = source({gpu("GPU-a", "")}, {column(0, 237)}, {16});
  const auto round = maker.make({down, nvml}, kNow);
  EXPECT_EQ(round.trouble, "");
  EXPECT_EQ(round.readings.values, std::vector<double>{16});
}

TEST(RoundMaker, WhatASourceCouldNotAskStillHolds) {
  RoundMaker maker;
  SourceRound jobs, silent;
  jobs.jobs = {{{{"GPU-a", "", ""}, "job", "2", {}}, {{"GPU-a", "", ""}, "job", "1", {}}}};
  jobs.host = {{"kernel", "6.1"}};
  const auto first = maker.make({jobs}, kNow);
  ASSERT_EQ(first.jobs.size(), 2u);
  EXPECT_EQ(first.jobs[0].name, "1");
  EXPECT_EQ(maker.make({silent}, kNow).jobs, first.jobs);
  EXPECT_EQ(maker.make({silent}, kNow).host, first.host);
  jobs.jobs->clear();
  EXPECT_TRUE(maker.make({jobs}, kNow).jobs.empty());
}

}  // namespace
}  // namespace ghm::agent
