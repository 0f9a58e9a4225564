#include "pipeline/remote_ingest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <random>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::pipeline {
namespace {

namespace field = telemetry::field;
using remote_write::Series, remote_write::WriteRequest;
using ::testing::ElementsAre, ::testing::HasSubstr, ::testing::UnorderedElementsAre;

const Timestamp kStart = from_unix_ms(1'700'000'000'000);
const double kStale = std::bit_cast<double>(remote_write::kStaleBits);
const std::string kInstance = "gpu-host-1:9400";

using Labels = std::vector<remote_write::Label>;

Labels gpu_labels(int gpu, const std::string& metric, Labels more = {}) {
  Labels out{{"DCGM_FI_DRIVER_VERSION", "570.86.15"},
             {"Hostname", "n1"},
             {"UUID", fmt::format("GPU-00000000-0000-0000-0000-00000000000{}", gpu)},
             {"__name__", metric},
             {"device", fmt::format("nvidia{}", gpu)},
             {"gpu", std::to_string(gpu)},
             {"instance", kInstance},
             {"job", "dcgm"},
             {"modelName", "NVIDIA H200"},
             {"pci_bus_id", fmt::format("00000000:0{}:00.0", gpu)},
             {"rack", "R07"}};
  for (auto& m : more) {
    std::erase_if(out, [&](const auto& l) { return l.name == m.name; });
    out.push_back(std::move(m));
  }
  return out;
}

Series series(int gpu, const std::string& metric, double value, Timestamp at, Labels more = {}) {
  return {gpu_labels(gpu, metric, std::move(more)), {{value, at}}};
}

struct RemoteTest : ::testing::Test {
  /// What the sender hears: nullopt when it still waits.
  std::optional<Result<void>> send(std::vector<Series> all, bool backfill = false) { return send_request({std::move(all), {}}, backfill); }
  std::optional<Result<void>> send_request(const WriteRequest& request, bool backfill = false) {
    auto heard = std::make_shared<std::optional<Result<void>>>();
    remote.take(request, now, backfill, [heard](const Result<void>& outcome) {
      EXPECT_FALSE(*heard) << "told twice";
      *heard = outcome;
    });
    return *heard;
  }
  /// A scrape of two GPUs, as one request.
  void scrape(double temperature, double xid = 0) {
    for (const int gpu : {0, 1})
      send({series(gpu, "DCGM_FI_DEV_GPU_TEMP", temperature, now), series(gpu, "DCGM_FI_DEV_XID_ERRORS", xid, now)});
    now += 10s;
  }
  std::map<std::string, std::uint64_t> refused() {
    ingest.tick(now);
    std::map<std::string, std::uint64_t> out;
    for (const auto& r : shown.refused_by) out[r.reason] += r.count;
    return out;
  }
  std::vector<std::string> events(const std::string& kind) const {
    std::vector<std::string> out;
    for (const auto& r : records)
      if (r.kind == "event" && r.body.find("\"" + kind + "\"") != std::string::npos) out.push_back(r.body);
    return out;
  }
  /// Board, entity, metric and value of all that was stored at `at`.
  std::map<std::string, double> stored(Timestamp at) const { return stored(at, std::as_const(ingest).ledger()); }
  std::map<std::string, double> stored(Timestamp at, const fleet::Ledger& ledger) const {
    std::map<std::string, double> out;
    for (const auto& row : rows)
      for (std::size_t i = 0; row.at == at && i < row.values.size(); ++i)
        if (!telemetry::is_absent(row.values[i])) out.emplace(name_of((*row.columns)[i], ledger), row.values[i]);
    return out;
  }
  static std::string name_of(const store::SeriesKey& key, const fleet::Ledger& ledger) {
    std::string who;
    if (const auto* b = ledger.find(key.board)) who = fmt::format("{} {} {} {}", b->uuid, b->pci_bus_id, b->host, b->slot);
    for (const auto& [name, host] : ledger.hosts())
      if (host.id == key.board) who = "host " + name;
    return fmt::format("{} {} {}", who, telemetry::to_string(key.entity), static_cast<int>(key.metric));
  }
  Ingest::Outlets keep_rows() {
    return {[this](ToKeep& k) {
              std::ranges::move(k.rows, std::back_inserter(rows));
              return true;
            },
            [](LiveUpdate&) { return true; }};
  }

  Timestamp now = kStart;
  bool accepting = true;
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
                   for (const auto& told : k.told) told({});
                   return true;
                 },
                 [this](LiveUpdate& u) {
                   shown = std::move(u);
                   return true;
                 }},
                Log::off()};
  RemoteIngest remote{{}, ingest, Log::off()};
};

TEST_F(RemoteTest, SamplesBecomeRowsUnderBoardsAndALiveUpdate) {
  const auto heard = send({series(0, "DCGM_FI_DEV_GPU_TEMP", 61, now), series(0, "DCGM_FI_DEV_POWER_USAGE", 312.5, now),
                           series(1, "DCGM_FI_DEV_GPU_TEMP", 64, now)});
  ASSERT_TRUE(heard && *heard);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].source, "remote_write/gpu-host-1:9400");
  EXPECT_EQ(rows[0].at, kStart);
  ingest.tick(now);
  ASSERT_EQ(shown.boards.size(), 2u);
  EXPECT_EQ(shown.boards[0].host, "n1");
  EXPECT_EQ(shown.boards[0].place.rack, "R07");
  EXPECT_EQ(shown.boards[0].driver_version, "570.86.15");
  EXPECT_FALSE(shown.boards[0].simulated);
  ASSERT_EQ(shown.live.size(), 2u);
  EXPECT_EQ(shown.live[0].values.temperature, 61);
  EXPECT_EQ(shown.live[0].values.power, 312.5);
  EXPECT_EQ(shown.live[1].values.temperature, 64);
  EXPECT_EQ(shown.accepted, 3u);
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A page as the requests of a Prometheus that scraped it: each series once, in any order, in pieces of any size.
std::vector<WriteRequest> requests_of(const std::string& page, Timestamp at, std::mt19937& random) {
  std::vector<Series> all;
  WriteRequest metadata;
  dcgm_exporter::for_each_line(page, [&](std::string_view line) {
    if (const auto help = dcgm_exporter::parse_help(line); !help.name.empty())
      metadata.help.push_back({std::string(help.name), std::string(help.text)});
    if (line.front() == '#') return true;
    const auto parts = dcgm_exporter::split_line(line);
    const auto parsed = dcgm_exporter::parse_prefix(parts.prefix);
    const auto number = dcgm_exporter::parse_rest(parts.rest).number;
    if (!number) return true;
    Labels labels{{"__name__", std::string(parsed.name)}, {"instance", kInstance}, {"job", "dcgm"}};
    for (const auto& l : parsed.labels) labels.push_back({std::string(l.name), l.value});
    all.push_back({labels, {{*number, at}}});
    return true;
  });
  std::ranges::shuffle(all, random);
  std::vector<WriteRequest> out{metadata};
  for (std::size_t i = 0; i < all.size();) {
    const auto n = std::min<std::size_t>(1 + random() % 6, all.size() - i);
    out.push_back({{all.begin() + static_cast<std::ptrdiff_t>(i), all.begin() + static_cast<std::ptrdiff_t>(i + n)}, {}});
    i += n;
  }
  return out;
}

TEST_F(RemoteTest, APageInPiecesIsStoredAsThePageItself) {
  std::mt19937 random(7);
  for (const auto& entry : std::filesystem::directory_iterator(std::string(GHM_SOURCE_DIR) + "/tests/pages")) {
    if (entry.path().extension() != ".prom" || entry.path().stem() == "damaged" || entry.path().stem() == "federation") continue;
    const auto page = text_of(entry.path());
    now += 1h;
    rows.clear();
    Ingest scraped{{}, keep_rows(), Log::off()};
    scraped.on_scrape({{kInstance, {}, std::make_shared<telemetry::ScrapeAccess>()}, now, {}, page, "", ""});
    ASSERT_EQ(rows.size(), 1u) << entry.path();
    const auto expected = stored(now, scraped.ledger());
    rows.clear();
    Ingest pushed{{}, keep_rows(), Log::off()};
    RemoteIngest pieces{{}, pushed, Log::off()};
    // Rows that name their GPU by index alone find it once another row has named it: with the second scrape all is known.
    for (const auto at : {now - 10s, now})
      for (const auto& request : requests_of(page, at, random)) pieces.take(request, at, false, [](const Result<void>&) {});
    EXPECT_GT(rows.size(), 2u);
    EXPECT_FALSE(expected.empty());
    EXPECT_EQ(stored(now, pushed.ledger()), expected) << entry.path();
    std::multiset<std::string> boards, wanted;
    const auto name = [](const fleet::Board& b) { return b.uuid + b.serial + b.pci_bus_id + b.host + b.model + b.driver_version; };
    for (const auto& [id, b] : pushed.ledger().boards()) boards.insert(name(b));
    for (const auto& [id, b] : scraped.ledger().boards()) wanted.insert(name(b));
    EXPECT_EQ(boards, wanted) << entry.path();
  }
}

TEST_F(RemoteTest, WhatARequestLacksIsNotGone) {
  scrape(61);
  send({series(0, "DCGM_FI_DEV_GPU_TEMP", 70, now)});
  ingest.tick(now);
  EXPECT_EQ(shown.live[0].values.temperature, 70);
  EXPECT_EQ(shown.live[1].values.temperature, 61);
  const auto columns = rows.back().columns;
  send({series(1, "DCGM_FI_DEV_GPU_TEMP", 71, now)});
  EXPECT_EQ(rows.back().columns, columns) << "the columns are the source's, whatever a request has of them";
  EXPECT_EQ(stored(now).size(), 2u);
}

TEST_F(RemoteTest, WhatIsNoGpuMetricIsIgnoredAndCounted) {
  const auto heard = send({{{{"__name__", "node_load1"}, {"instance", kInstance}}, {{1, now}, {2, now}}}, {{{"job", "x"}}, {{1, now}}}});
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ(remote.stats().unknown, 3u);
  EXPECT_EQ(ingest.stats().unknown_lines, 3u);
  EXPECT_TRUE(rows.empty());
  EXPECT_TRUE(ingest.ledger().boards().empty());
}

TEST_F(RemoteTest, OddValuesAreRefusedWithTheirReasonAndTheOthersKept) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto heard = send({series(0, "DCGM_FI_DEV_GPU_TEMP", 9.223372036854775794e18, now),
                           series(0, "DCGM_FI_DEV_MEMORY_TEMP", nan, now),
                           series(0, "DCGM_FI_DEV_POWER_USAGE", -5, now),
                           series(0, "DCGM_FI_DEV_SM_CLOCK", 1980, now + 6min),
                           series(0, "DCGM_FI_DEV_MEM_CLOCK", 2619, now - 49h),
                           series(0, "DCGM_FI_DEV_GPU_UTIL", telemetry::absent(), now),
                           {{{"__name__", "DCGM_FI_DEV_GPU_TEMP"}, {"instance", kInstance}}, {{61, now}}},
                           series(1, "DCGM_FI_DEV_GPU_TEMP", 61, now),
                           series(1, "DCGM_FI_DEV_GPU_TEMP", 61, now, {{"pod", "p"}}),
                           series(1, "DCGM_FI_DEV_GPU_TEMP", 62, now, {{"pod", "q"}})});
  ASSERT_TRUE(heard && *heard) << "Prometheus would send it again for ever";
  const std::map<std::string, std::uint64_t> expected{{"sentinel", 1}, {"not_finite", 2}, {"out_of_range", 1},    {"future", 1},
                                                      {"too_old", 1},  {"duplicate", 1},  {"unknown_identity", 1}};
  EXPECT_EQ(refused(), expected);
  EXPECT_EQ(stored(now).size(), 1u);
}

TEST_F(RemoteTest, BackfillIsBoundedByTheRetentionAlone) {
  scrape(61);
  send({series(0, "DCGM_FI_DEV_GPU_TEMP", 55, now - 49h)}, true);
  EXPECT_EQ(stored(now - 49h).size(), 1u);
  EXPECT_TRUE(refused().empty());
  ingest.tick(now);
  EXPECT_EQ(shown.live[0].values.temperature, 61) << "an old value is not the present one";
  send({series(0, "DCGM_FI_DEV_GPU_TEMP", 55, now - 31 * 24h)}, true);
  send({series(0, "DCGM_FI_DEV_GPU_TEMP", 55, from_unix_ms(std::numeric_limits<std::int64_t>::min()))}, true);
  EXPECT_EQ(refused()["too_old"], 2u);
}

TEST_F(RemoteTest, AChangedXidIsOneEventAndAnUrgentScoreHoweverOftenItIsSent) {
  for (int i = 0; i < 4; ++i) scrape(61, 31);
  EXPECT_TRUE(events("xid").empty()) << "a first sight may be old";
  const auto fault = std::vector{series(0, "DCGM_FI_DEV_XID_ERRORS", 79, now)};
  for (int attempt = 0; attempt < 3; ++attempt) send(fault);
  send({series(0, "DCGM_FI_DEV_XID_ERRORS", 0, now - 10s)});
  ASSERT_EQ(events("xid").size(), 1u);
  EXPECT_THAT(events("xid")[0], HasSubstr("Xid 79"));
  EXPECT_EQ(urgent.size(), 1u) << "told with the event, so that nobody scores before it is kept";
}

TEST_F(RemoteTest, BothWitnessesOfAFaultAreHeardTogether) {
  for (int i = 0; i < 4; ++i) scrape(61);
  const Labels count{{"xid", "79"}, {"window_size_in_ms", "300000"}};
  send({series(0, "DCGM_FI_DEV_XID_ERRORS", 79, now)});
  send({series(0, "DCGM_EXP_XID_ERRORS_COUNT", 1, now, count)});
  scrape(62, 0);
  send({series(0, "DCGM_EXP_XID_ERRORS_COUNT", kStale, now, count)});
  send({series(1, "DCGM_FI_DEV_GPU_TEMP", kStale, now)});
  scrape(63, 0);
  send({series(0, "DCGM_EXP_XID_ERRORS_COUNT", 1, now, count)});
  EXPECT_EQ(events("xid").size(), 1u) << "a target that did not answer is no end of a fault's window";
  send({series(0, "DCGM_EXP_XID_ERRORS_COUNT", kStale, now + 1s, count), series(0, "DCGM_FI_DEV_GPU_TEMP", 61, now + 1s)});
  send({series(0, "DCGM_EXP_XID_ERRORS_COUNT", 1, now + 2s, count)});
  EXPECT_EQ(events("xid").size(), 2u) << "the window had ended: it is a new one";
}

TEST_F(RemoteTest, WhatRunsOnABoardIsKeptAsIntervals) {
  send({series(0, "DCGM_FI_DEV_GPU_TEMP", 61, now, {{"pod", "exporter"}, {"exported_pod", "train"}, {"exported_namespace", "ml"}})});
  const auto work =
      std::ranges::find_if(records, [](const auto& r) { return r.kind == "open" && r.body.find("ml/train") != std::string::npos; });
  EXPECT_NE(work, records.end());
}

TEST_F(RemoteTest, WhatAScrapeSaysAlreadyIsRefusedAsDuplicate) {
  const auto line = "DCGM_FI_DEV_GPU_TEMP{gpu=\"0\",UUID=\"GPU-00000000-0000-0000-0000-000000000000\",Hostname=\"n1\"} 61\n";
  ingest.on_scrape({{kInstance, {}, std::make_shared<telemetry::ScrapeAccess>()}, now, {}, line, "", ""});
  send({series(0, "DCGM_FI_DEV_GPU_TEMP", 60, now + 1ms), series(0, "DCGM_FI_DEV_POWER_USAGE", 300, now + 1ms)});
  EXPECT_EQ(refused()["duplicate"], 1u);
  EXPECT_EQ(stored(now + 1ms).size(), 1u) << "what only the one says is kept";
}

TEST_F(RemoteTest, AStaleMarkerIsNoValue) {
  scrape(61);
  const auto before = rows.size();
  const auto heard = send({series(0, "DCGM_FI_DEV_GPU_TEMP", kStale, now)});
  ASSERT_TRUE(heard && *heard);
  EXPECT_EQ(rows.size(), before);
  EXPECT_TRUE(refused().empty());
  EXPECT_TRUE(telemetry::is_absent(shown.live[0].values.temperature));
  EXPECT_EQ(shown.live[1].values.temperature, 61);
}

TEST_F(RemoteTest, TheServersLabelsAndTheExportersOwnAreToldApart) {
  send({series(0, "DCGM_FI_DEV_GPU_TEMP", 61, now,
               {{"gpu", "team-a"},
                {"exported_gpu", "0"},
                {"Hostname", "cluster"},
                {"exported_Hostname", "n7"},
                {"datacenter", "fra1"},
                {"region", "eu"},
                {"exported_instance", "x"}})});
  ingest.tick(now);
  ASSERT_EQ(shown.boards.size(), 1u);
  EXPECT_EQ(shown.boards[0].slot, 0);
  EXPECT_EQ(shown.boards[0].host, "n7");
  EXPECT_EQ(shown.boards[0].place.datacenter, "fra1");
  EXPECT_EQ(shown.boards[0].place.region, "eu");
}

TEST_F(RemoteTest, OneInstanceForManyHostsIsManySources) {
  const auto of = [&](const std::string& host, int gpu, const std::string& instance, Labels more = {}) {
    more.push_back({"Hostname", host});
    more.push_back({"instance", instance});
    return series(gpu, "DCGM_FI_DEV_GPU_TEMP", 61, now, more);
  };
  send({of("n1", 0, "localhost:9400"), of("n2", 1, "localhost:9400"), of("n3", 2, "service:9400"), of("n4", 3, "service:9400"),
        of("localhost", 4, "n5:9400"), of("localhost", 5, "10.0.0.6:9400", {{"host", "n6"}})});
  std::vector<std::string> sources, hosts;
  for (const auto& row : rows) sources.push_back(row.source);
  for (const auto& [name, host] : ingest.ledger().hosts()) hosts.push_back(name);
  EXPECT_THAT(sources, UnorderedElementsAre("remote_write/n1", "remote_write/n2", "remote_write/service:9400",
                                            "remote_write/service:9400/n4", "remote_write/n5:9400", "remote_write/10.0.0.6:9400"));
  EXPECT_THAT(hosts, ElementsAre("n1", "n2", "n3", "n4", "n5", "n6"));
}

TEST_F(RemoteTest, ASimulatedSourceIsMarked) {
  send({series(0, "DCGM_FI_DEV_GPU_TEMP", 61, now, {{"ghm_simulated", "healthy/7"}})});
  RemoteIngest all{{10s, true, 720h}, ingest, Log::off()};
  all.take({{series(1, "DCGM_FI_DEV_GPU_TEMP", 61, now)}, {}}, now, false, [](const Result<void>&) {});
  for (const auto& [id, b] : ingest.ledger().boards()) EXPECT_TRUE(b.simulated) << b.uuid;
  EXPECT_EQ(ingest.ledger().boards().size(), 2u);
}

TEST_F(RemoteTest, TheIntervalIsLearntAndSilenceIsNoticed) {
  const auto pass = [&](std::chrono::seconds d) {  // looks that lie far apart are a clock that leapt
    for (auto t = 0s; t < d; t += 5s) ingest.tick(now += 5s);
  };
  ingest.tick(now);
  for (int i = 0; i < 6; ++i) {
    scrape(61);
    ingest.tick(now);
  }
  EXPECT_EQ(ingest.ledger().hosts().at("n1").interval, 10s);
  EXPECT_TRUE(events("source_silent").empty());
  send({series(0, "DCGM_FI_DEV_GPU_TEMP", 61, now)});
  pass(15s);
  EXPECT_EQ(events("gpu_missing").size(), 1u) << "the other GPU's samples still come";
  pass(10s);
  EXPECT_EQ(events("source_silent").size(), 1u);
  scrape(61);
  ingest.tick(now - 10s);
  EXPECT_EQ(events("source_returned").size(), 1u);
}

TEST_F(RemoteTest, WhatComesLateIsKeptAndMovesNoBoard) {
  scrape(61);
  send({series(0, "DCGM_FI_DEV_GPU_TEMP", 55, now - 3h, {{"Hostname", "n0"}, {"instance", "old-host:9400"}})});
  EXPECT_EQ(stored(now - 3h).size(), 1u);
  EXPECT_TRUE(events("gpu_moved").empty());
  EXPECT_TRUE(events("identity_conflict").empty());
  EXPECT_EQ(ingest.ledger().boards().size(), 2u);
  EXPECT_EQ(ingest.ledger().boards().begin()->second.host, "n1");
}

TEST_F(RemoteTest, AFullQueueIsToldAndWhatIsSentAgainIsKept) {
  accepting = false;
  const auto request = std::vector{series(0, "DCGM_FI_DEV_GPU_TEMP", 61, now)};
  const auto heard = send(request);
  ASSERT_TRUE(heard);
  ASSERT_FALSE(*heard);
  EXPECT_EQ(heard->error().code, Errc::unavailable);
  accepting = true;
  const auto again = send(request);
  ASSERT_TRUE(again && *again);
  EXPECT_EQ(stored(now).size(), 1u);
  EXPECT_EQ(events("gpu_appeared").size(), 1u) << "the ledger's records have waited";
}

TEST_F(RemoteTest, ARequestOfNothingButTimesIsRefusedAsAWhole) {
  std::vector<Series> all;
  for (int n = 0; n < 400; ++n) {
    all.push_back(series(0, "DCGM_FI_DEV_GPU_TEMP", 61, now, {{"nvlink", std::to_string(n)}}));
    for (int t = 0; t < 400; ++t) all.back().samples.push_back({61, now - std::chrono::milliseconds(1 + n * 400 + t)});
  }
  const auto heard = send(std::move(all));
  ASSERT_TRUE(heard);
  ASSERT_FALSE(*heard);
  EXPECT_EQ(heard->error().code, Errc::invalid_input);
  EXPECT_TRUE(rows.empty());
}

TEST_F(RemoteTest, UnitsComeWithTheHelpAndContradictionsAreNotGuessed) {
  const std::string metric = "DCGM_FI_DEV_GPU_UTIL_RATIO";
  send({series(0, metric, 0.57, now)});
  EXPECT_EQ(refused()["conversion_error"], 1u);
  send_request({{}, {{metric, "GPU utilization (ratio 0.0-1.0)."}, {"other", "x"}}});
  now += 10s;
  send({series(0, metric, 0.57, now)});
  ASSERT_EQ(stored(now).size(), 1u);
  EXPECT_EQ(stored(now).begin()->second, 57);
  send_request({{}, {{metric, "GPU utilization (in %)."}}});
  now += 10s;
  send({series(0, metric, 0.57, now)});
  EXPECT_EQ(refused()["conversion_error"], 2u);
}

}  // namespace
}  // namespace ghm::pipeline
