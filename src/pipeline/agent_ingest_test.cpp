#include "pipeline/agent_ingest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "adapters/dcgm_exporter/page_reader.h"
#include "domain/telemetry/metric_catalogue.h"
#include "pipeline/ledger_records.h"

namespace ghm::pipeline {
namespace {

using ::testing::HasSubstr, ::testing::IsEmpty, ::testing::SizeIs;
using transport::AgentEvent, transport::BatchEncoder, transport::BatchHeader, transport::HostRound;
using Json = nlohmann::json;

const Timestamp kStart = from_unix_ms(1'700'000'000'000);
const std::string kBoot = "11111111-2222-4333-8444-555555555555";

std::string uuid(int gpu) {
  return fmt::format("GPU-00000000-0000-4000-8000-00000000000{}", gpu);
}

std::string page(double temperature, double xid, const std::string& pod = {}) {
  std::string text;
  for (const char* metric : {"DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_DEV_POWER_USAGE"})
    for (const int gpu : {0, 1}) {
      const double value = metric == std::string("DCGM_FI_DEV_GPU_TEMP")     ? temperature + gpu
                           : metric == std::string("DCGM_FI_DEV_XID_ERRORS") ? (gpu == 0 ? xid : 0)
                                                                             : 312.5;
      text += fmt::format(
          "{}{{gpu=\"{}\",UUID=\"{}\",pci_bus_id=\"00000000:0{}:00.0\",device=\"nvidia{}\",modelName=\"NVIDIA H200\",Hostname=\"n1\"{}}} "
          "{}\n",
          metric, gpu, uuid(gpu), gpu + 1, gpu, pod.empty() ? "" : fmt::format(",namespace=\"ml\",pod=\"{}\",container=\"c\"", pod), value);
    }
  return text;
}

struct AgentTest : ::testing::Test {
  BatchHeader header() const {
    return {std::string(transport::kAgentIdBytes, 'a'), "n1", "0.1", {{"rack", "R07"}}, now + clock_off, now - boot, kBoot};
  }
  HostRound round(double temperature, double xid = 0) {
    HostRound r;
    r.sequence = ++sequence;
    r.at = now + clock_off;
    r.since_boot = now - boot;
    r.boot_id = kBoot;
    text = page(temperature, xid, pod);
    r.readings = reader.read(text);
    return r;
  }
  /// What the agent hears: nullopt when it still waits.
  std::optional<Result<void>> send_bytes(const std::string& bytes, bool backfill = false) {
    auto packed = transport::PackedBatch::open(bytes);
    EXPECT_TRUE(packed) << packed.error().what;
    auto heard = std::make_shared<std::optional<Result<void>>>();
    agents->take(*packed, now, backfill, [heard](const Result<void>& outcome) {
      EXPECT_FALSE(*heard) << "told twice";
      *heard = outcome;
    });
    return *heard;
  }
  std::optional<Result<void>> send(const HostRound& r, bool backfill = false) {
    return send_bytes(encoder.encode(header(), {&r, 1}), backfill);
  }
  void step(double temperature, double xid = 0) {
    const auto heard = send(round(temperature, xid));
    EXPECT_TRUE(heard && *heard);
    now += 10s;
  }
  std::vector<Json> events(const std::string& kind) const {
    std::vector<Json> out;
    for (const auto& [key, r] : records)
      if (r.kind == "event")
        if (auto body = Json::parse(r.body); body["kind"] == kind) out.push_back(body);
    return out;
  }
  std::size_t stored(Timestamp at) const { return static_cast<std::size_t>(std::ranges::count(rows, at, &store::RowBatch::at)); }
  std::map<std::string, std::uint64_t> refused() {
    ingest->tick(now);
    std::map<std::string, std::uint64_t> out;
    for (const auto& r : shown.refused_by) out[r.reason] += r.count;
    return out;
  }
  /// The server starts anew over what is kept.
  void restart() {
    ingest = std::make_unique<Ingest>(Ingest::Settings{},
                                      Ingest::Outlets{[this](ToKeep& k) {
                                                        if (!accepting) return false;
                                                        std::ranges::move(k.rows, std::back_inserter(rows));
                                                        for (auto* all : {&k.records, &k.with_rows})
                                                          for (auto& r : *all) records[r.kind + "/" + r.key] = r;
                                                        for (const auto& told : k.told) told({});
                                                        return true;
                                                      },
                                                      [this](LiveUpdate& u) {
                                                        shown = std::move(u);
                                                        return true;
                                                      }},
                                      Log::off());
    agents = std::make_unique<AgentIngest>(
        AgentIngest::Settings{}, *ingest,
        [this](const std::string& key) -> Result<std::optional<store::Record>> {
          const auto found = records.find("agent/" + key);
          return found == records.end() ? std::optional<store::Record>() : found->second;
        },
        Log::off());
  }
  AgentTest() { restart(); }

  Timestamp now = kStart, boot = kStart - 1h;
  std::chrono::milliseconds clock_off{0};
  std::uint64_t sequence = 1000;
  std::string text, pod;
  dcgm_exporter::PageReader reader{telemetry::MetricCatalogue::built_in(), dcgm_exporter::make_layout_pool()};
  BatchEncoder encoder;
  bool accepting = true;
  std::vector<store::RowBatch> rows;
  std::map<std::string, store::Record> records;
  LiveUpdate shown;
  std::unique_ptr<Ingest> ingest;
  std::unique_ptr<AgentIngest> agents;
};

TEST_F(AgentTest, ARoundIsAPage) {
  step(61);
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].source, "agent/n1");
  EXPECT_EQ(rows[0].at, kStart);
  EXPECT_THAT(*rows[0].columns, SizeIs(6));
  ingest->note_agents(agents->agents());
  ingest->tick(now);
  ASSERT_THAT(shown.boards, SizeIs(2));
  EXPECT_EQ(shown.boards[0].host, "n1");
  EXPECT_EQ(shown.boards[0].place.rack, "R07");
  EXPECT_FALSE(shown.boards[0].simulated);
  EXPECT_EQ(shown.live[0].values.temperature, 61);
  EXPECT_EQ(shown.live[1].values.temperature, 62);
  ASSERT_THAT(shown.agents, SizeIs(1));
  EXPECT_EQ(shown.agents[0].host, "n1");
  EXPECT_EQ(shown.agents[0].version, "0.1");
  EXPECT_EQ(shown.agents[0].newest, kStart);
}

TEST_F(AgentTest, AnXidOnThePageIsNewsAndARangeIsARange) {
  step(61);
  step(61);
  step(61, 79);
  ASSERT_THAT(events("xid"), SizeIs(1));
  EXPECT_EQ(events("xid")[0]["code"], 79);
  step(900);
  EXPECT_EQ(refused()["out_of_range"], 2u);
}

TEST_F(AgentTest, ASimulatedHostIsSimulatedForEver) {
  auto r = round(61);
  r.simulated = "literature/7";
  send(r);
  ingest->tick(now);
  EXPECT_TRUE(shown.boards.at(0).simulated);
}

// ---- exactly once

TEST_F(AgentTest, ABatchSentTwiceChangesNothing) {
  const auto r = round(61);
  const auto bytes = encoder.encode(header(), {&r, 1});
  EXPECT_TRUE(*send_bytes(bytes));
  const auto before = records;
  EXPECT_TRUE(*send_bytes(bytes));
  EXPECT_THAT(rows, SizeIs(1));
  EXPECT_EQ(records, before);
  EXPECT_EQ(agents->stats().duplicates, 1u);
}

TEST_F(AgentTest, ARestartOfTheServerRemembersWhatItHas) {
  step(61);
  auto r = round(62);
  r.events.push_back({r.at - 2s, "xid", {uuid(0), "", ""}, 48, "double bit", {}});
  const auto bytes = encoder.encode(header(), {&r, 1});
  EXPECT_TRUE(*send_bytes(bytes));
  restart();  // killed between commit and answer; the agent sends again, and standing alone since that is asked for
  const auto asked = send_bytes(bytes);
  EXPECT_EQ(asked->error().code, Errc::conflict);
  encoder.reset();
  const auto before = rows.size();
  EXPECT_TRUE(*send(r));
  EXPECT_EQ(rows.size(), before);
  EXPECT_THAT(events("xid"), SizeIs(1));
  auto next = round(63);
  EXPECT_TRUE(*send(next)) << "differences lean on the round that was known";
  EXPECT_EQ(rows.size(), before + 1);
}

TEST_F(AgentTest, WhatTheStoreCouldNotTakeIsTakenWhenItComesAgain) {
  step(61);
  accepting = false;
  auto r = round(62);
  r.events.push_back({r.at, "xid", {uuid(0), "", ""}, 48, "double bit", {}});
  const auto heard = send(r);
  ASSERT_TRUE(heard && !*heard);
  EXPECT_EQ(heard->error().code, Errc::unavailable);
  accepting = true;
  encoder.reset();
  EXPECT_TRUE(*send(r));
  EXPECT_THAT(rows, SizeIs(2));
  EXPECT_THAT(events("xid"), SizeIs(1));
}

TEST_F(AgentTest, TwoHostsWithOneAgentIdAreTwo) {
  step(61);
  auto copy = header();
  copy.host = "n2";
  BatchEncoder other;
  sequence = 1000;
  auto r = round(61);
  EXPECT_TRUE(*send_bytes(other.encode(copy, {&r, 1})));
  EXPECT_EQ(agents->stats().duplicates, 0u);
}

// ---- time

TEST_F(AgentTest, AWrongClockIsShiftedAndTold) {
  clock_off = -2h;
  for (int i = 0; i < 3; ++i) step(61 + i);
  EXPECT_EQ(stored(kStart), 1u);
  EXPECT_EQ(stored(kStart + 20s), 1u) << "steps stay steps";
  ASSERT_THAT(events("clock_skew"), SizeIs(1));
  EXPECT_THAT(events("clock_skew")[0]["detail"].get<std::string>(), HasSubstr("7200 s behind"));
  EXPECT_EQ(events("clock_skew")[0]["fields"]["server_clock"], format_rfc3339(kStart));
  EXPECT_EQ(events("clock_skew")[0]["fields"]["host_clock"], format_rfc3339(kStart - 2h));
  ingest->note_agents(agents->agents());
  ingest->tick(now);
  EXPECT_EQ(shown.agents[0].behind, 2h);
  const auto host = static_cast<std::uint32_t>(std::as_const(*ingest).ledger().host_id("n1"));
  EXPECT_THAT(records.at(fmt::format("open/{:010}", host)).body, HasSubstr("\"clock_skew\"")) << "both clocks are kept as long as it lasts";
  clock_off = 0ms;
  step(64);
  ASSERT_THAT(events("clock_skew"), SizeIs(2));
  EXPECT_EQ(stored(kStart + 30s), 1u);
}

TEST_F(AgentTest, AFewSecondsAreNoSkew) {
  clock_off = 20s;
  step(61);
  EXPECT_THAT(events("clock_skew"), IsEmpty());
  EXPECT_EQ(stored(kStart + 20s), 1u);
}

TEST_F(AgentTest, AClockThatWasSetAfterTheBootDoesNotMisplaceWhatWasSpooledBefore) {
  clock_off = from_unix_ms(1000) - now;  // 1970
  auto early = round(61);
  const auto really = now;
  now += 10min;
  clock_off = 0ms;
  EXPECT_TRUE(*send(early));
  EXPECT_EQ(stored(really), 1u);
  EXPECT_THAT(events("clock_skew"), IsEmpty());
}

TEST_F(AgentTest, LateRoundsAreStoredAndMoveNobody) {
  step(61);
  for (int i = 0; i < 3; ++i) step(61);
  std::vector<HostRound> spooled;
  for (int i = 0; i < 20; ++i) {
    spooled.push_back(round(65, i >= 10 ? 63 : 0));
    now += 10s;
  }
  now += 2h;
  ingest->tick(now);
  ingest->tick(now);
  encoder.reset();
  EXPECT_TRUE(*send_bytes(encoder.encode(header(), spooled)));
  for (const auto& r : spooled) EXPECT_EQ(stored(r.at), 1u);
  EXPECT_THAT(events("source_returned"), IsEmpty()) << "it only catches up";
  ASSERT_THAT(events("xid"), SizeIs(1)) << "what happened meanwhile is told";
  step(61);
  EXPECT_EQ(events("source_returned").size() + 0, events("source_silent").size());
}

TEST_F(AgentTest, TooOldAndFutureRoundsAreRefusedAndTheirEventsKept) {
  step(61);
  auto old = round(62);
  old.at -= 49h;
  old.since_boot -= 49h;
  old.boot_id = "an earlier one";
  old.events.push_back({old.at, "xid", {uuid(1), "", ""}, 63, "row remap", {}});
  EXPECT_TRUE(*send(old));
  EXPECT_EQ(refused()["too_old"], 6u);
  ASSERT_THAT(events("xid"), SizeIs(1));
  auto older = round(62);
  older.at -= 49h;
  older.boot_id = "an earlier one";
  EXPECT_TRUE(*send(older, true));
  EXPECT_EQ(stored(older.at), 1u) << "X-Ghm-Backfill: 1";
  auto future = round(62);
  future.at += 10min;
  future.boot_id = "another";
  EXPECT_TRUE(*send(future));
  EXPECT_EQ(refused()["future"], 6u);
  EXPECT_THAT(rows, SizeIs(2));
}

// ---- what else it says

TEST_F(AgentTest, EventsFindTheirBoard) {
  step(61);
  auto r = round(61);
  r.events.push_back({r.at - 1s, "xid", {"", "", "0000:02:00"}, 79, "NVRM: Xid (PCI:0000:02:00): 79", {{"pid", "4711"}}});
  r.events.push_back({r.at, "kernel_gap", {}, 0, "12 lines lost", {}});
  r.events.push_back({r.at + 1h, "Not A Word", {uuid(0), "", ""}, 0, "?", {}});
  r.events.push_back({r.at, "xid", {"GPU-unknown", "", ""}, 31, "nobody's", {}});
  send(r);
  const auto second = std::as_const(*ingest).ledger().find(uuid(1))->id;
  const auto xids = events("xid");
  ASSERT_THAT(xids, SizeIs(2));
  EXPECT_EQ(xids[0]["board"], static_cast<std::uint32_t>(second));
  EXPECT_EQ(xids[0]["code"], 79);
  EXPECT_EQ(xids[0]["fields"]["pid"], "4711");
  EXPECT_EQ(xids[0]["host"], "n1");
  EXPECT_FALSE(xids[1].contains("board"));
  EXPECT_THAT(events("kernel_gap"), SizeIs(1));
  ASSERT_THAT(events("agent_event"), SizeIs(1));
  EXPECT_EQ(events("agent_event")[0]["fields"]["kind"], "Not A Word");
}

// ---- one Xid, two witnesses

AgentEvent line(Timestamp at, int code, int seq, const std::string& process = "python3") {
  return {at, "xid", {"", "", "0000:01:00"}, code, "NVRM: Xid", {{"boot_id", kBoot}, {"seq", std::to_string(seq)}, {"process", process}}};
}

TEST_F(AgentTest, TheGaugeAfterTheKernelsLineIsNoSecondEvent) {
  step(61);
  auto r = round(61);
  r.events.push_back(line(r.at - 1s, 79, 1));
  send(r);
  now += 30s;
  step(61, 79);
  ASSERT_THAT(events("xid"), SizeIs(1));
  EXPECT_EQ(events("xid")[0]["fields"]["process"], "python3");
  for (int i = 0; i < 40; ++i) step(61, 79);
  step(61, 31);
  step(61, 79);
  EXPECT_THAT(events("xid"), SizeIs(3)) << "another code, and minutes later the same again, are other occurrences";
}

TEST_F(AgentTest, TheKernelsLineTakesThePlaceOfTheGaugesEvent) {
  step(61);
  step(61, 79);
  ASSERT_THAT(events("xid"), SizeIs(1));
  auto r = round(61, 79);
  r.events.push_back(line(r.at - 11s, 79, 1));
  r.events.push_back(line(r.at - 1s, 79, 2));
  send(r);
  ASSERT_THAT(events("xid"), SizeIs(2)) << "the second line is another occurrence";
  for (const auto& e : events("xid")) EXPECT_EQ(e["fields"]["process"], "python3");
}

TEST_F(AgentTest, ALineThatAProcessWroteIsNoWitness) {
  step(61);
  auto r = round(61);
  r.events.push_back(line(r.at - 1s, 79, 1));
  r.events.back().fields["written_by"] = "process";
  send(r);
  now += 10s;
  step(61, 79);
  EXPECT_THAT(events("xid"), SizeIs(2));
}

TEST_F(AgentTest, ARestartBetweenLineAndGaugeMakesNoSecondEvent) {
  step(61);
  auto r = round(61);
  r.events.push_back(line(r.at - 1s, 79, 1));
  send(r);
  now += 10s;
  restart();
  std::vector<store::Record> kept;
  for (const auto& [key, record] : records) kept.push_back(record);
  const auto first = store::SeriesKey{fleet::BoardId{1}, {}, telemetry::field::xid};
  ingest->restore_trust({{first, {now, 0}}});
  ingest->restore_xids(kept);
  encoder.reset();
  step(61, 79);
  ASSERT_THAT(events("xid"), SizeIs(1));
}

TEST_F(AgentTest, AnAgentThatWasKilledTellsNoLineTwice) {
  step(61);
  auto r = round(61);
  r.events.push_back(line(r.at - 1s, 31, 5));
  send(r);
  now += 2s;
  auto again = round(61);
  again.events.push_back(line(r.at - 1s, 31, 5));
  again.events.push_back(line(again.at, 31, 6));
  send(again);
  EXPECT_THAT(events("xid"), SizeIs(2));
}

TEST_F(AgentTest, JobsBecomeIntervalsWithTheirFacts) {
  step(61);
  auto r = round(61);
  r.jobs.push_back({{uuid(1), "", ""}, "job", "4711", {{"user", "ann"}}});
  send(r);
  now += 10s;
  const auto second = std::as_const(*ingest).ledger().find(uuid(1))->id;
  const auto open = [&] {
    const auto body = Json::parse(records.at(fmt::format("open/{:010}", static_cast<std::uint32_t>(second))).body);
    return std::vector<Json>(body.begin(), body.end());
  };
  const auto is_job = [](const Json& i) { return i["kind"] == "job"; };
  const auto now_open = open();
  const auto job = std::ranges::find_if(now_open, is_job);
  ASSERT_NE(job, now_open.end());
  EXPECT_EQ((*job)["value"], "4711");
  EXPECT_EQ((*job)["facts"]["user"], "ann");
  EXPECT_EQ((*job)["from"], to_unix_ms(r.at));
  step(61);  // without jobs
  EXPECT_TRUE(std::ranges::none_of(open(), is_job));
  pod = "train-0";
  step(61);
  EXPECT_TRUE(std::ranges::any_of(open(), [](const Json& i) { return i["kind"] == "pod" && i["value"] == "ml/train-0/c"; }));
}

TEST_F(AgentTest, ABootAndFactsOfTheHostAreTold) {
  step(61);
  auto r = round(61);
  r.boot_id = "another boot";
  r.since_boot = 30s;
  r.host = {{"kernel", "6.1.0"}};
  send(r);
  ASSERT_THAT(events("host_booted"), SizeIs(1));
  EXPECT_EQ(Json::parse(records.at("host_facts/n1").body)["facts"]["kernel"], "6.1.0");
}

TEST_F(AgentTest, AnExporterThatIsDownIsSilenceWithItsReason) {
  for (int i = 0; i < 5; ++i) step(61);
  for (int i = 0; i < 5; ++i) {
    auto r = round(61);
    r.readings = {};
    r.trouble = "127.0.0.1:9400: connection refused";
    send(r);
    now += 10s;
    ingest->tick(now);
  }
  ASSERT_THAT(events("source_silent"), SizeIs(1));
  EXPECT_THAT(events("source_silent")[0]["detail"].get<std::string>(), HasSubstr("connection refused"));
  step(61);
  EXPECT_THAT(events("source_returned"), SizeIs(1));
}

// ---- snapshots of faults

TEST_F(AgentTest, ASnapshotIsKeptOnceWithItsRound) {
  step(61);
  auto r = round(62);
  AgentEvent xid;
  xid.at = r.at - 500ms;
  xid.kind = "xid";
  xid.gpu.pci_bus_id = "0000:01:00";
  xid.code = 79;
  xid.fields = {{"boot_id", kBoot}, {"seq", "77"}};
  r.events = {xid};
  r.snapshots = {{"11111111-k77", r.at, "context", {}, R"({"version":1})"},
                 {"11111111-k77", r.at, "sign", {"", "", "0000:01:00"}, R"({"version":1,"sign":{"kind":"xid"}})"},
                 {"11111111-k77", r.at, "sign", {}, "no json"}};
  encoder.reset();
  const auto bytes = encoder.encode(header(), {&r, 1});
  ASSERT_TRUE(send_bytes(bytes).value());
  const auto kept = [&] {
    std::vector<store::Record> out;
    for (const auto& [key, record] : records)
      if (record.kind == "evidence") out.push_back(record);
    return out;
  };
  ASSERT_THAT(kept(), SizeIs(3));
  const auto board = Json::parse(kept()[0].body);
  EXPECT_TRUE(kept()[0].key.starts_with("b0000000002/001700000010000-11111111-k77-")) << kept()[0].key;
  EXPECT_EQ(board["gpu"]["uuid"], uuid(0)) << "the board at that address";
  EXPECT_EQ(board["said"]["sign"]["kind"], "xid");
  EXPECT_TRUE(kept()[1].key.starts_with("hn1/"));
  EXPECT_THAT(events("evidence_taken"), SizeIs(2));
  EXPECT_EQ(events("evidence_taken")[0]["fields"]["id"], "11111111-k77");

  // The agent was killed between its two writes and tells the same sign again, in another round.
  now += 10s;
  auto again = round(63);
  again.events = r.events;
  again.snapshots = r.snapshots;
  ASSERT_TRUE(send(again).value());
  EXPECT_THAT(kept(), SizeIs(3));
  EXPECT_THAT(events("evidence_taken"), SizeIs(2));
  restart();
  ASSERT_TRUE(send_bytes(bytes).value()) << "the same batch, to a server that was started anew";
  EXPECT_THAT(kept(), SizeIs(3));
}

}  // namespace
}  // namespace ghm::pipeline
