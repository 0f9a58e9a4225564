#include "apps/agent/snapshot_taker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

namespace ghm::agent {
namespace {

using ::testing::HasSubstr, ::testing::IsEmpty, ::testing::SizeIs;
using Json = nlohmann::json;
using transport::AgentEvent, transport::GpuName, transport::HostRound, transport::Testimony;

const Timestamp kNow = from_unix_ms(1'770'000'000'000);
const std::string kBoot = "5f0c6f0e-1111-4222-8333-9a4b5c6d7e8f";

/// A source that has a line of the log, a fact of each GPU, and an answer when the test says so.
struct FakeSource final : transport::AgentSource {
  std::string_view name() const override { return called; }
  transport::SourceRound collect(Timestamp) override { return {}; }
  Testimony testify(const GpuName& gpu, Timestamp) override {
    if (gpu.is_host()) return {{}, lines, {}, {}};
    return {{{"of", gpu.pci_bus_id}}, {}, {4711}, {}};
  }
  void look_again(Timestamp) override { ++looks, answered = false; }
  bool has_looked() const override { return answered; }
  Testimony seen_again(const GpuName& gpu, Timestamp) override {
    if (gpu.is_host()) return {};
    return answered ? Testimony{{{"temperature", "91"}}, {}, {}, {}} : Testimony{{}, {}, {}, "no answer"};
  }
  void look_away() override { ++ends; }

  std::string called = "nvml";
  std::vector<std::string> lines{"1 [0.1] <4> the line before"};
  bool answered = false;
  int looks = 0, ends = 0;
};

struct Taker : ::testing::Test {
  Taker() {
    std::string name = (std::filesystem::temp_directory_path() / "ghm-taker-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    std::filesystem::create_directories(folder / "proc/4711");
    std::ofstream(folder / "proc/4711/stat") << "4711 (a (odd) name) D 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 64 0 123456 789 10\n";
    auto made = std::make_unique<FakeSource>();
    source = made.get();
    sources.push_back(std::move(made));
    start();
  }
  ~Taker() override { std::filesystem::remove_all(folder); }

  void start(std::string boot = kBoot) {
    boot_id = boot;
    taker = std::make_unique<SnapshotTaker>(SnapshotTaker::Settings{folder / "state", folder, boot}, sources, [] {
      return telemetry::LabelMap{{"version", "0.1"}};
    });
  }
  HostRound round() {
    HostRound r;
    r.at = kNow + passed;
    r.since_boot = 1h + passed;
    r.boot_id = boot_id;
    return r;
  }
  static AgentEvent xid(int code, int gpu, std::uint64_t seq = 77) {
    AgentEvent e;
    e.at = kNow;
    e.kind = "xid";
    e.gpu.pci_bus_id = "0000:0" + std::to_string(gpu) + ":00";
    e.code = code;
    e.text = "NVRM: Xid";
    e.fields = {{"boot_id", kBoot}, {"seq", std::to_string(seq)}};
    return e;
  }
  /// Two GPUs at 01 and 02, the first of them at 71 degrees.
  void readings(HostRound& r) {
    auto layout = std::make_shared<telemetry::PageLayout>();
    telemetry::SeriesTable table;
    for (int g = 0; g < 2; ++g) {
      telemetry::GpuIdentity id;
      id.uuid = "GPU-" + std::to_string(g);
      id.serial = "165000" + std::to_string(g);
      id.pci_bus_id = "00000000:0" + std::to_string(g + 1) + ":00.0";
      id.index = g;
      layout->gpus.push_back(id);
      table.series.push_back({static_cast<std::int16_t>(g), {}, telemetry::MetricId{150}, false});
      r.readings.values.push_back(71 + g);
    }
    table.series.push_back({0, {telemetry::Entity::Kind::nvlink, 4}, telemetry::MetricId{449}, false});
    r.readings.values.push_back(telemetry::absent());
    layout->table = std::make_shared<const telemetry::SeriesTable>(std::move(table));
    r.readings.layout = std::move(layout);
  }
  std::vector<transport::Snapshot> take(std::vector<AgentEvent> events) {
    auto r = round();
    r.events = std::move(events);
    taker->take(r);
    taker->kept(0);
    told = r.events;
    return r.snapshots;
  }
  std::vector<transport::Snapshot> look() {
    auto r = round();
    taker->look(r);
    return r.snapshots;
  }
  std::uint64_t skipped(const char* reason) const {
    const auto n = taker->stats().skipped.find(reason);
    return n == taker->stats().skipped.end() ? 0 : n->second;
  }

  std::filesystem::path folder;
  std::string boot_id;
  SnapshotTaker::Sources sources;
  FakeSource* source = nullptr;
  std::unique_ptr<SnapshotTaker> taker;
  std::chrono::milliseconds passed{0};
  std::vector<AgentEvent> told;
};

TEST_F(Taker, WritesDownWhatIsKnownOfTheGpu) {
  auto first = round();
  readings(first);
  taker->take(first);
  EXPECT_THAT(first.snapshots, IsEmpty()) << "no sign, no snapshot";
  EXPECT_EQ(first.host.at("snapshots"), "1");
  passed = 1s;
  const auto parts = take({xid(79, 1)});
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_EQ(parts[0].part, "context");
  EXPECT_EQ(parts[1].part, "sign");
  EXPECT_EQ(parts[1].gpu, (GpuName{"GPU-0", "1650000", "00000000:01:00.0"})) << "all its names, though the line has one";
  for (const auto& p : parts) {
    EXPECT_EQ(p.id, "5f0c6f0e-k77");
    EXPECT_EQ(p.at, kNow + 1s);
  }
  const auto context = Json::parse(parts[0].body), sign = Json::parse(parts[1].body);
  EXPECT_EQ(context["sources"]["nvml"]["lines"][0], "1 [0.1] <4> the line before");
  EXPECT_THAT(context["sources"]["kernel_log"]["missing"].get<std::string>(), HasSubstr("sources.kernel_log is off"));
  EXPECT_EQ(context["agent"]["version"], "0.1");
  EXPECT_EQ(sign["sign"]["code"], 79);
  EXPECT_EQ(sign["sign"]["family"], "pcie_bus");
  EXPECT_EQ(sign["readings"]["values"], (Json{{"DCGM_FI_DEV_GPU_TEMP", 71.0}})) << "its own alone";
  EXPECT_EQ(sign["readings"]["at"], format_rfc3339(kNow));
  EXPECT_EQ(sign["sources"]["nvml"]["processes"][0], "4711 a (odd) name, state D, started 1234.56 s after boot");
  EXPECT_EQ(taker->stats().taken, 1u);
  EXPECT_EQ(source->looks, 1);
}

// What stands on disk and in bundles for years: a change here is a change of the version.
TEST_F(Taker, TheDocumentsReadLikeThis) {
  auto r = round();
  readings(r);
  r.host = {{"kernel", "6.1"}, {"machine_id", "not to be told"}};
  r.jobs = {{{"GPU-0", "", ""}, "job", "77", {{"user", "ada"}}}};
  r.events = {xid(79, 1)};
  taker->take(r);
  ASSERT_THAT(r.snapshots, SizeIs(2));
  EXPECT_EQ(nlohmann::ordered_json::parse(r.snapshots[0].body).dump(1), R"({
 "version": 1,
 "taken_at": "2026-02-02T02:40:00Z",
 "since_boot_ms": 3600000,
 "boot_id": "5f0c6f0e-1111-4222-8333-9a4b5c6d7e8f",
 "sign": {
  "kind": "xid",
  "code": 79,
  "family": "pcie_bus",
  "why": "an Xid whose first step is a reset or more",
  "at": "2026-02-02T02:40:00Z",
  "text": "NVRM: Xid",
  "fields": {
   "boot_id": "5f0c6f0e-1111-4222-8333-9a4b5c6d7e8f",
   "seq": "77"
  }
 },
 "agent": {
  "version": "0.1"
 },
 "host": {
  "kernel": "6.1",
  "snapshots": "1"
 },
 "sources": {
  "nvml": {
   "lines": [
    "1 [0.1] <4> the line before"
   ]
  },
  "kernel_log": {
   "missing": "not watched: sources.kernel_log is off"
  },
  "host_facts": {
   "missing": "not watched: sources.host_facts is off"
  }
 }
})");
  EXPECT_EQ(nlohmann::ordered_json::parse(r.snapshots[1].body).dump(1), R"({
 "version": 1,
 "sign": {
  "kind": "xid",
  "code": 79,
  "family": "pcie_bus",
  "why": "an Xid whose first step is a reset or more",
  "at": "2026-02-02T02:40:00Z",
  "text": "NVRM: Xid",
  "fields": {
   "boot_id": "5f0c6f0e-1111-4222-8333-9a4b5c6d7e8f",
   "seq": "77"
  }
 },
 "gpu": {
  "uuid": "GPU-0",
  "serial": "1650000",
  "pci_bus_id": "00000000:01:00.0",
  "index": 0,
  "model": null,
  "driver_version": null,
  "vbios_version": null
 },
 "readings": {
  "at": "2026-02-02T02:40:00Z",
  "values": {
   "DCGM_FI_DEV_GPU_TEMP": 71.0
  }
 },
 "jobs": [
  {
   "kind": "job",
   "name": "77",
   "facts": {
    "user": "ada"
   }
  }
 ],
 "sources": {
  "nvml": {
   "facts": {
    "of": "00000000:01:00.0"
   },
   "processes": [
    "4711 a (odd) name, state D, started 1234.56 s after boot"
   ]
  }
 }
})");
}

TEST_F(Taker, WhatHasToBeAskedForFollows) {
  take({xid(79, 1)});
  passed = 500ms;
  source->answered = true;
  EXPECT_THAT(look(), IsEmpty()) << "the kernel may still print";
  passed = 1s;
  const auto parts = look();
  ASSERT_THAT(parts, SizeIs(1));
  EXPECT_EQ(parts[0].part, "later");
  EXPECT_EQ(parts[0].at, kNow) << "of the moment";
  EXPECT_EQ(Json::parse(parts[0].body)["sources"]["nvml"]["facts"]["temperature"], "91");
  EXPECT_EQ(source->ends, 1);
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(Taker, WhatHangsIsSaidAndNotWaitedFor) {
  take({xid(119, 1)});
  passed = 2s;
  EXPECT_THAT(look(), IsEmpty());
  passed = 3s;
  const auto parts = look();
  ASSERT_THAT(parts, SizeIs(1));
  EXPECT_EQ(Json::parse(parts[0].body)["sources"]["nvml"]["missing"], "no answer");
}

TEST_F(Taker, OneOfABoardAndFaultAnHourAlsoAfterARestart) {
  EXPECT_THAT(take({xid(79, 1), xid(79, 1)}), SizeIs(2));
  EXPECT_EQ(skipped("known"), 1u);
  start();
  EXPECT_THAT(take({xid(79, 1)}), IsEmpty());
  start("another-boot");
  EXPECT_THAT(take({xid(79, 1)}), SizeIs(2));
}

TEST_F(Taker, ABurstIsEightBoardsAndOneContext) {
  std::vector<AgentEvent> events;
  for (int gpu = 0; gpu < 64; ++gpu) {
    events.push_back(xid(79, 1));
    events.back().gpu.pci_bus_id = "0000:" + std::to_string(gpu + 10) + ":00";
  }
  const auto parts = take(events);
  EXPECT_THAT(parts, SizeIs(9));
  EXPECT_EQ(skipped("too_many"), 56u);
  ASSERT_EQ(told.size(), 65u) << "and one event says so";
  EXPECT_EQ(told.back().kind, "snapshot_skipped");
  EXPECT_EQ(told.back().fields.at("reason"), "too_many");
}

TEST_F(Taker, AFaultFromBeforeTheAgentIsNotWrittenDown) {
  passed = 11min;
  EXPECT_THAT(take({xid(79, 1)}), IsEmpty());
  EXPECT_EQ(skipped("old"), 1u);
  EXPECT_EQ(source->looks, 0);
}

TEST_F(Taker, AHostWideFaultNamesNoGpu) {
  AgentEvent hang;
  hang.at = kNow;
  hang.kind = "nvml_hang";
  const auto parts = take({hang});
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_TRUE(parts[1].gpu.is_host());
  EXPECT_THAT(parts[1].id, HasSubstr("5f0c6f0e-t"));
}

TEST_F(Taker, NoRoomIsCountedAndTold) {
  auto r = round();
  r.events = {xid(79, 1)};
  taker->take(r);
  taker->kept(1);
  EXPECT_EQ(taker->stats().taken, 0u);
  EXPECT_EQ(skipped("no_room"), 1u);
  EXPECT_FALSE(taker->is_looking());
  take({});
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].fields.at("reason"), "no_room");
}

TEST_F(Taker, WhateverASourceSaysTheDocumentIsBoundedAndAscii) {
  source->lines.assign(5000, std::string(100, '\\') + "\xff\x01");
  const auto parts = take({xid(79, 1)});
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_LE(parts[0].body.size(), transport::kLargestSnapshot);
  EXPECT_THAT(Json::parse(parts[0].body)["sources"].get<std::string>(), HasSubstr("left out"));
}

}  // namespace
}  // namespace ghm::agent
