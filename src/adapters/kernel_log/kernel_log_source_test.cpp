#include "adapters/kernel_log/kernel_log_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace ghm::kernel_log {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Events = std::vector<transport::AgentEvent>;

// The device as the kernel behaves: a ring of records, each read gives one, overwritten ones are an EPIPE and a jump.
class FakeDevice final : public KmsgDevice {
 public:
  struct Ring {
    std::map<std::uint64_t, std::string> records;
    std::uint64_t next = 0, first = 0;
    bool broken = false;
  };
  explicit FakeDevice(Ring& ring) : ring_(ring) {}
  DeviceRead read(std::span<char> into) override {
    if (ring_.broken) return {DeviceRead::What::failed, 0, EIO};
    if (ring_.next < ring_.first) {
      ring_.next = ring_.first;
      return {DeviceRead::What::overwritten, 0, EPIPE};
    }
    const auto found = ring_.records.find(ring_.next);
    if (found == ring_.records.end()) return {};
    ++ring_.next;
    if (found->second.size() > into.size()) return {DeviceRead::What::too_big, 0, EINVAL};
    std::memcpy(into.data(), found->second.data(), found->second.size());
    return {DeviceRead::What::bytes, found->second.size(), 0};
  }

 private:
  Ring& ring_;
};

std::string record(std::uint64_t seq, const std::string& text, std::uint64_t us = 1'000'000) {
  return fmt::format("4,{},{},-;{}\n SUBSYSTEM=pci\n DEVICE=+pci:0000:9b:00.0\n", seq, us, text);
}

TEST(KmsgRecord, HeadTextAndEscapes) {
  const auto r = parse_kmsg_record("28,4711,987654321,c,caller=T1;one\\x0atwo\\x5cthree\\xzz\n KEY=value\n");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->level, 4u);
  EXPECT_EQ(r->facility, 3u);
  EXPECT_EQ(r->seq, 4711u);
  EXPECT_EQ(r->at, 987654321us);
  EXPECT_EQ(r->fragment, Fragment::start);
  EXPECT_EQ(r->text, "one\ntwo\\three\\xzz");
  for (const char* bad : {"", ";", "x", "4,1", "4,1,2;text", "4,-1,2,-;text", "4,1,-2,-;text", "4,1,99999999999999999999,-;x", "<4>text",
                          "4,1,9223372036854775807,-;x"})
    EXPECT_FALSE(parse_kmsg_record(bad)) << bad;
}

TEST(KmsgReader, EveryRecordOnceInOrder) {
  FakeDevice::Ring ring;
  for (std::uint64_t i = 0; i < 5; ++i) ring.records[i] = record(i, "line " + std::to_string(i));
  KmsgReader reader(std::make_unique<FakeDevice>(ring), std::nullopt);
  std::vector<LogItem> items;
  EXPECT_FALSE(*reader.drain(100, items));
  ASSERT_EQ(items.size(), 5u);
  EXPECT_EQ(std::get<KmsgRecord>(items[4]).text, "line 4");
  EXPECT_EQ(reader.last_seq(), 4u);
}

TEST(KmsgReader, OverwrittenRecordsAreAGap) {
  FakeDevice::Ring ring;
  for (std::uint64_t i = 0; i < 3; ++i) ring.records[i] = record(i, "early");
  KmsgReader reader(std::make_unique<FakeDevice>(ring), std::nullopt);
  std::vector<LogItem> items;
  ASSERT_TRUE(reader.drain(100, items));
  ring.first = 10, ring.records[10] = record(10, "late");
  items.clear();
  ASSERT_TRUE(reader.drain(100, items));
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(std::get<LogGap>(items[0]).missing, 7u);
  EXPECT_EQ(std::get<KmsgRecord>(items[1]).text, "late");
  EXPECT_EQ(reader.counts().overwritten, 1u);
}

TEST(KmsgReader, ARecordThatIsTooBigIsCountedAndIsAGap) {
  FakeDevice::Ring ring;
  ring.records[0] = record(0, "a");
  ring.records[1] = record(1, std::string(20'000, 'x'));
  ring.records[2] = record(2, "b");
  KmsgReader reader(std::make_unique<FakeDevice>(ring), std::nullopt);
  std::vector<LogItem> items;
  ASSERT_TRUE(reader.drain(100, items));
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(std::get<LogGap>(items[1]).missing, 1u);
  EXPECT_EQ(reader.counts().too_big, 1u);
}

TEST(KmsgReader, WhatWasOverwrittenWhileNobodyReadIsAGapToo) {
  FakeDevice::Ring ring;
  ring.first = ring.next = 50, ring.records[50] = record(50, "x");
  KmsgReader reader(std::make_unique<FakeDevice>(ring), 20);
  std::vector<LogItem> items;
  ASSERT_TRUE(reader.drain(100, items));
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(std::get<LogGap>(items[0]).missing, 29u);
}

TEST(KmsgReader, MalformedRecordsAreCountedAndCostOnlyThemselves) {
  FakeDevice::Ring ring;
  ring.records[0] = "no head at all\n";
  ring.records[1] = std::string("\0\xff\x01;\n", 5);
  ring.records[2] = record(2, "fine");
  KmsgReader reader(std::make_unique<FakeDevice>(ring), std::nullopt);
  std::vector<LogItem> items;
  ASSERT_TRUE(reader.drain(100, items));
  EXPECT_EQ(items.size(), 1u);
  EXPECT_EQ(reader.counts().malformed, 2u);
  EXPECT_NE(reader.counts().last_malformed.find("expected 'priority,sequence"), std::string::npos);
}

TEST(KmsgReader, ALimitOfReadsIsKept) {
  FakeDevice::Ring ring;
  for (std::uint64_t i = 0; i < 100; ++i) ring.records[i] = record(i, "x");
  KmsgReader reader(std::make_unique<FakeDevice>(ring), std::nullopt);
  std::vector<LogItem> items;
  EXPECT_TRUE(*reader.drain(10, items));
  EXPECT_EQ(items.size(), 10u);
  ring.broken = true;
  EXPECT_FALSE(reader.drain(10, items));
}

TEST(RecordCutter, PiecesOfAStreamAndLinesWithoutEnd) {
  RecordCutter cutter;
  std::vector<std::string> out;
  cutter.add("4,1,2,-;he", out);
  EXPECT_TRUE(out.empty());
  cutter.add("llo\n KEY=v\n4,2,3,-;next\n", out);
  EXPECT_EQ(out, (std::vector<std::string>{"4,1,2,-;hello", "4,2,3,-;next"}));
  out.clear();
  for (int i = 0; i < 100; ++i) cutter.add(std::string(1000, 'y'), out);
  cutter.add("\n4,3,4,-;after\n", out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].size(), RecordCutter::kLongest);
  EXPECT_EQ(out[1], "4,3,4,-;after");
  EXPECT_EQ(cutter.cut_lines(), 1u);
}

TEST(KernelClock, RecordsStandOnTheClockOfNowAndNeverLater) {
  KernelClock clock;
  EXPECT_FALSE(clock.look({Timestamp(1'000'000ms), 50s, 0us}));
  EXPECT_EQ(clock.wall_time(40s), Timestamp(990'000ms));
  EXPECT_EQ(clock.wall_time(60s), Timestamp(1'000'000ms));
}

TEST(KernelClock, AClockSetBackOrForwardIsAStepASuspendIsNot) {
  KernelClock clock;
  clock.look({Timestamp(1'000'000ms), 50s, 0us});
  EXPECT_EQ(clock.look({Timestamp(1'010'000ms - 3'600'000ms), 60s, 0us}), -3'600'000ms);
  EXPECT_FALSE(clock.look({Timestamp(1'020'000ms - 3'600'000ms), 70s, 0us}));
  EXPECT_FALSE(clock.look({Timestamp(1'030'000ms - 3'000'000ms), 80s, 600s}));
  EXPECT_EQ(clock.look({Timestamp(9'000'000'000ms), 90s, 600s}).has_value(), true);
}

// A folder with a stream of records in it: as the agent's tests feed it.
class SourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* base = std::getenv("TMPDIR");
    std::string shape = std::string(base ? base : "/tmp") + "/ghm-kmsg-XXXXXX";
    folder = ::mkdtemp(shape.data());
    config.device = folder / "kmsg";
    config.boot_id = folder / "boot_id";
    config.driver_version = folder / "version";
    config.state = folder / "state";
    put("boot_id", "11111111-2222-3333-4444-555555555555\n");
    put("version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: 12\n");
  }
  void TearDown() override { fs::remove_all(folder); }

  void put(const char* name, const std::string& text) const { std::ofstream(folder / name) << text; }
  void log(const std::string& text) { std::ofstream(folder / "kmsg", std::ios::app) << record(seq++, text, us += 1000); }
  KernelLogSource source() {
    return KernelLogSource(config, [this] { return clocks; });
  }

  fs::path folder;
  KernelLogConfig config;
  std::uint64_t seq = 7, us = 1'000'000;
  ClockReading clocks{Timestamp(1'700'000'000'000ms), 100s, 0us};
};

TEST_F(SourceTest, XidsOfThisBootAreToldWithTheirTime) {
  log("NVRM: Xid (PCI:0000:9b:00): 79, pid=1, name=a, GPU has fallen off the bus.");
  auto s = source();
  const auto events = s.listen({});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].at, Timestamp(1'700'000'000'000ms) - 100s + 1001ms);
  EXPECT_EQ(events[0].fields.at("boot_id"), "11111111-2222-3333-4444-555555555555");
  EXPECT_EQ(events[0].fields.at("driver"), "535.104.05");
  EXPECT_TRUE(s.listen({}).empty());
  log("NVRM: Xid (PCI:0000:9b:00): 43, pid=1, name=a, Ch 1");
  EXPECT_EQ(s.collect({}).events.size(), 1u);
}

TEST_F(SourceTest, ARestartTellsOnlyWhatIsNew) {
  log("NVRM: Xid (PCI:0000:9b:00): 79, a");
  {
    auto s = source();
    EXPECT_EQ(s.listen({}).size(), 1u);
    s.kept();
  }
  log("NVRM: Xid (PCI:0000:9b:00): 43, b");
  {
    auto s = source();
    const auto events = s.listen({});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].code, 43);
  }  // killed before it was told: it is told again
  EXPECT_EQ(source().listen({}).size(), 1u);
}

TEST_F(SourceTest, AnotherBootCountsFromItsBeginning) {
  log("NVRM: Xid (PCI:0000:9b:00): 79, a");
  {
    auto s = source();
    EXPECT_EQ(s.listen({}).size(), 1u);
    s.kept();
  }
  put("boot_id", "99999999-2222-3333-4444-555555555555\n");
  put("kmsg", record(0, "NVRM: Xid (PCI:0000:9b:00): 13, after the boot"));
  const auto events = source().listen({});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].code, 13);
}

TEST_F(SourceTest, ADamagedStateFileMeansFromTheBeginning) {
  log("NVRM: Xid (PCI:0000:9b:00): 79, a");
  for (const char* text : {"", "garbage", "11111111-2222-3333-4444-555555555555 x", "11111111-2222-3333-4444-555555555555 "}) {
    put("state", text);
    EXPECT_EQ(source().listen({}).size(), 1u) << text;
  }
}

TEST_F(SourceTest, AnSxidThatWaitsIsNotTakenForTold) {
  log("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 20034, Fatal, Link 30 LTSSM Fault Up");
  {
    auto s = source();
    clocks.monotonic = std::chrono::microseconds(us);
    EXPECT_TRUE(s.listen({}).empty());
    s.kept();
  }
  clocks.monotonic = std::chrono::microseconds(us) + 2s;
  auto s = source();
  EXPECT_EQ(s.listen({}).size(), 1u);
}

TEST_F(SourceTest, WithoutEventsTheStateIsSavedOnceAMinute) {
  auto s = source();
  log("nothing of ours");
  s.listen({});
  s.kept();
  const auto first = fs::last_write_time(folder / "state");
  log("nothing of ours");
  s.listen({});
  s.kept();
  EXPECT_EQ(fs::last_write_time(folder / "state"), first);
  clocks.monotonic += KernelLogSource::kSaveEvery;
  clocks.wall += KernelLogSource::kSaveEvery;
  s.kept();
  EXPECT_NE(fs::last_write_time(folder / "state"), first);
}

TEST_F(SourceTest, AStateThatCannotBeSavedIsOneSentence) {
  config.state = folder / "no" / "such" / "folder";
  log("NVRM: Xid (PCI:0000:9b:00): 79, a");
  auto s = source();
  EXPECT_EQ(s.listen({}).size(), 1u);
  s.kept();
  EXPECT_NE(s.collect({}).trouble.find("will tell this boot's faults again"), std::string::npos);
}

TEST_F(SourceTest, GapsAndClockStepsAreEvents) {
  auto s = source();
  log("a");
  s.listen({});
  seq += 12;
  log("b");
  clocks.wall -= 2h;
  clocks.monotonic += 1s;
  const auto events = s.listen({});
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, "clock_step");
  EXPECT_EQ(events[0].fields.at("by_ms"), "-7201000");
  EXPECT_EQ(events[1].kind, "kernel_gap");
  EXPECT_EQ(events[1].fields.at("missing"), "12");
  EXPECT_EQ(s.counts().missing, 12u);
}

TEST_F(SourceTest, ADeviceThatIsNotThereIsOneSentenceAndIsTriedAgain) {
  auto s = source();
  const auto round = s.collect({});
  EXPECT_NE(round.trouble.find("kmsg: No such file"), std::string::npos) << round.trouble;
  log("NVRM: Xid (PCI:0000:9b:00): 79, a");
  const auto later = s.collect({});
  EXPECT_EQ(later.trouble, "");
  EXPECT_EQ(later.events.size(), 1u);
}

TEST_F(SourceTest, AtAFaultAllLinesAroundItAreSaid) {
  for (int i = 0; i < 5; ++i) log("before the agent " + std::to_string(i));
  {
    auto first = source();
    first.listen({});
    first.kept();
  }
  clocks.monotonic += 120s;
  auto s = source();
  log("nvidia 0000:9b:00.0: AER: Corrected error received");
  log("NVRM: Xid (PCI:0000:9b:00): 79, a");
  std::ofstream(folder / "kmsg", std::ios::app) << "no record\n";
  EXPECT_EQ(s.listen({}).size(), 1u);
  const auto said = s.testify({}, {});
  ASSERT_EQ(said.lines.size(), 7u) << "also those that were told before a restart";
  EXPECT_NE(said.lines[5].find("AER: Corrected error received"), std::string::npos) << said.lines[5];
  EXPECT_NE(said.lines[6].find("Xid (PCI:0000:9b:00): 79"), std::string::npos) << said.lines[6];
  EXPECT_EQ(said.facts.at("unreadable_records"), "1");
  EXPECT_EQ(s.counts_of_own().at("kernel_log_malformed_records"), 1u);
  EXPECT_TRUE(s.testify({"GPU-1", "", ""}, {}).is_empty()) << "the log is the host's";
  EXPECT_TRUE(s.seen_again({}, {}).lines.empty());
  log("NVRM: and the dump that follows");
  s.listen({});
  EXPECT_EQ(s.seen_again({}, {}).lines.size(), 1u);
}

TEST_F(SourceTest, APipeFeedsItInPieces) {
  ASSERT_EQ(::mkfifo((folder / "kmsg").c_str(), 0600), 0);
  auto s = source();
  EXPECT_TRUE(s.listen({}).empty());
  const int pipe = ::open((folder / "kmsg").c_str(), O_WRONLY | O_NONBLOCK);
  ASSERT_GE(pipe, 0);
  const auto text = record(1, "NVRM: Xid (PCI:0000:9b:00): 79, in two pieces");
  const auto write = [&](std::string_view piece) {
    ASSERT_EQ(::write(pipe, piece.data(), piece.size()), static_cast<ssize_t>(piece.size()));
  };
  write(std::string_view(text).substr(0, 30));
  EXPECT_TRUE(s.listen({}).empty());
  write(std::string_view(text).substr(30));
  EXPECT_EQ(s.listen({}).size(), 1u);
  ::close(pipe);
}

TEST(DriverVersion, InTheFirstLineOfProc) {
  EXPECT_EQ(driver_version_in(
                "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (x)\nGCC version: gcc 12.2.0\n"),
            "570.86.15");
  EXPECT_EQ(driver_version_in("GCC version: gcc 12.2.0\n"), "");
  EXPECT_EQ(driver_version_in(""), "");
}

}  // namespace
}  // namespace ghm::kernel_log
