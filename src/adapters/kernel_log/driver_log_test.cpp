#include "adapters/kernel_log/driver_log.h"

#include <gtest/gtest.h>

namespace ghm::kernel_log {
namespace {

using namespace std::chrono_literals;
using Events = std::vector<transport::AgentEvent>;
constexpr const char* kUuid = "GPU-5b0c6a44-0000-1111-2222-333344445555";

struct Story {
  DriverLog log{"boot-1"};
  Events events;
  std::uint64_t seq = 100;
  std::chrono::microseconds now = 5s;

  void line(std::string text, std::chrono::microseconds later = 1ms, Fragment fragment = Fragment::whole, unsigned facility = 0) {
    now += later;
    KmsgRecord r;
    r.seq = seq++, r.at = now, r.text = std::move(text), r.fragment = fragment, r.facility = facility;
    log.add(r, Timestamp(1'700'000'000'000ms) + std::chrono::duration_cast<std::chrono::milliseconds>(now), events);
  }
  void quiet(std::chrono::microseconds span) { log.flush(now += span, events); }
};

TEST(DriverLog, AnXidIsAnEventWithItsEvidence) {
  Story s;
  s.line(std::string("NVRM: GPU at PCI:0000:9b:00: ") + kUuid);
  s.line("NVRM: GPU Board Serial Number: 1655122001234");
  s.line("NVRM: Xid (PCI:0000:9b:00): 31, pid=77, name=ray::WorkerDict, Ch 00000008");
  ASSERT_EQ(s.events.size(), 1u);
  const auto& e = s.events[0];
  EXPECT_EQ(e.kind, "xid");
  EXPECT_EQ(e.code, 31);
  EXPECT_EQ(e.gpu.uuid, kUuid);
  EXPECT_EQ(e.gpu.serial, "1655122001234");
  EXPECT_EQ(e.gpu.pci_bus_id, "00000000:9B:00.0");
  EXPECT_EQ(e.text, "NVRM: Xid (PCI:0000:9b:00): 31, pid=77, name=ray::WorkerDict, Ch 00000008");
  const telemetry::LabelMap want = {
      {"boot_id", "boot-1"}, {"monotonic_us", "5003000"}, {"pid", "77"}, {"process", "ray::WorkerDict"}, {"seq", "102"}};
  EXPECT_EQ(e.fields, want);
  EXPECT_EQ(e.at, Timestamp(1'700'000'005'003ms));
}

TEST(DriverLog, ABurstOverSeveralGpusIsTheirEvents) {
  Story s;
  for (int gpu = 0; gpu < 8; ++gpu) s.line("NVRM: Xid (PCI:0000:" + std::to_string(10 + gpu) + ":00): 45, pid=5, name=a, Ch 1", 1us);
  EXPECT_EQ(s.events.size(), 8u);
  EXPECT_EQ(s.events[7].gpu.pci_bus_id, "00000000:17:00.0");
}

TEST(DriverLog, ThreeLinesOfAnSxidAreOneEvent) {
  Story s;
  s.log.set_driver_version("535.104.05");
  s.line("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 28006, Non-fatal, Link 46 MC TS crumbstore MCTO (First)");
  s.line("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 28006, Severity 0 Engine instance 46 Sub-engine instance 00");
  s.line("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 28006, Data {0x50610002, 0x10100030}");
  EXPECT_TRUE(s.events.empty());
  EXPECT_TRUE(s.log.waiting());
  s.quiet(1s);
  ASSERT_EQ(s.events.size(), 1u);
  EXPECT_FALSE(s.log.waiting());
  EXPECT_EQ(s.events[0].fields.at("severity"), "nonfatal");
  EXPECT_EQ(s.events[0].fields.at("link"), "46");
  EXPECT_EQ(s.events[0].fields.at("instance"), "46");
  EXPECT_EQ(s.events[0].fields.at("code_now"), "29006");
  EXPECT_EQ(s.events[0].fields.at("driver"), "535.104.05");
  EXPECT_NE(s.events[0].text.find("Data {0x50610002"), std::string::npos);
}

TEST(DriverLog, TwoFaultsOfOneSwitchAreTwoEvents) {
  Story s;
  s.line("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 20034, Fatal, Link 30 LTSSM Fault Up");
  s.line("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 20034, Fatal, Link 31 LTSSM Fault Up");
  s.line("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 12028, Fatal, Link 31 egress");
  s.quiet(1s);
  ASSERT_EQ(s.events.size(), 3u);
  EXPECT_EQ(s.events[0].fields.at("link"), "30");
}

TEST(DriverLog, TheDriverThatIsLoadedNumbersTheSxids) {
  Story s;
  s.line("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 28006, Fatal, Link 1 x");
  s.quiet(1s);
  s.line("NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue");
  s.line("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 28006, Fatal, Link 1 x");
  s.quiet(1s);
  ASSERT_EQ(s.events.size(), 2u);
  EXPECT_EQ(s.events[0].fields.at("code_now"), "unknown");
  EXPECT_EQ(s.events[1].fields.at("code_now"), "28006");
}

TEST(DriverLog, FallenOffTheBusInThreeRecordsOrOne) {
  Story s;
  s.line("NVRM: The NVIDIA GPU 0000:18:00.0");
  s.line("NVRM: (PCI ID: 10de:2330) installed in this system has");
  s.line("NVRM: fallen off the bus and is not responding to commands.");
  s.line(
      "NVRM: The NVIDIA GPU 0000:19:00.0\nNVRM: (PCI ID: 10de:2330) installed in this system has\nNVRM: fallen off the bus and is not "
      "responding to commands.");
  s.line("NVRM: GPU 0000:29:00.0: GPU has fallen off the bus.");
  ASSERT_EQ(s.events.size(), 3u);
  for (const auto& e : s.events) EXPECT_EQ(e.kind, "gpu_off_bus");
  EXPECT_EQ(s.events[0].gpu.pci_bus_id, "00000000:18:00.0");
  EXPECT_EQ(s.events[1].gpu.pci_bus_id, "00000000:19:00.0");
  EXPECT_EQ(s.events[2].gpu.pci_bus_id, "00000000:29:00.0");
}

TEST(DriverLog, ABeginningWithoutAnEndIsTold) {
  Story s;
  s.line("NVRM: The NVIDIA GPU 0000:18:00.0");
  s.quiet(1s);
  s.line("NVRM: fallen off the bus and is not responding to commands.");
  ASSERT_EQ(s.events.size(), 2u);
  EXPECT_EQ(s.events[0].kind, "kernel_unreadable");
  EXPECT_EQ(s.events[0].gpu.pci_bus_id, "00000000:18:00.0");
  EXPECT_EQ(s.events[1].kind, "kernel_unreadable");
}

TEST(DriverLog, FragmentsAreOneLine) {
  Story s;
  s.line("NVRM: Xid (PCI:0000:9b:00): 13, pid=1, ", 1ms, Fragment::start);
  s.line("name=a, ", 1ms, Fragment::continuation);
  s.line("Graphics Exception", 1ms, Fragment::continuation);
  s.line("eth0: link up");
  ASSERT_EQ(s.events.size(), 1u);
  EXPECT_EQ(s.events[0].text, "NVRM: Xid (PCI:0000:9b:00): 13, pid=1, name=a, Graphics Exception");
  s.line("NVRM: Xid (PCI:0000:9b:00): 31, pid=1", 1ms, Fragment::start);
  s.quiet(1s);
  EXPECT_EQ(s.events.size(), 2u);
}

TEST(DriverLog, ANewlineInsideAnXidStaysInItsEvidence) {
  Story s;
  s.line(
      "NVRM: Xid (PCI:0000:9b:00): 13, pid=1, name=a, Graphics\nException on GPC 0\nNVRM: Xid (PCI:0000:9b:00): 45, pid=1, name=a, Ch 1");
  ASSERT_EQ(s.events.size(), 2u);
  EXPECT_EQ(s.events[0].text, "NVRM: Xid (PCI:0000:9b:00): 13, pid=1, name=a, Graphics\\x0aException on GPC 0");
  EXPECT_EQ(s.events[1].code, 45);
}

TEST(DriverLog, BinaryAndTenKilobytesAreBoundedEvidence) {
  Story s;
  s.line("NVRM: Xid (PCI:0000:9b:00): 13, pid=1, name=\x01\xff\xfe, " + std::string(10'000, '\x07'));
  s.line("NVRM: Xid (PCI:0000:9b:00): 13, pid=2, name=a, " + std::string(10'000, 'x'));
  s.line(std::string("\0\x01NVRM: Xid (\0\0\0", 15));
  ASSERT_EQ(s.events.size(), 3u);
  for (const auto& e : s.events) {
    EXPECT_LE(e.text.size(), transport::kLongestEventText);
    for (const char c : e.text) EXPECT_TRUE(c >= ' ' && c <= '~');
  }
  EXPECT_NE(s.events[1].text.find("bytes more]"), std::string::npos);
  EXPECT_EQ(s.events[2].kind, "kernel_unreadable");
}

TEST(DriverLog, AFloodIsCountedAndNothingElseIsHidden) {
  Story s;
  for (int i = 0; i < 10'000; ++i)
    s.line("NVRM: Xid (PCI:0000:9b:00): 119, pid=1, name=a, Timeout after 6s, sequence " + std::to_string(i));
  s.line("NVRM: Xid (PCI:0000:9b:00): 79, pid=1, name=a, GPU has fallen off the bus.");
  ASSERT_EQ(s.events.size(), SignFolder::kTold + 1);
  EXPECT_EQ(s.events.back().code, 79);
  s.quiet(60s);
  ASSERT_EQ(s.events.size(), SignFolder::kTold + 2);
  EXPECT_EQ(s.events.back().fields.at("repeats"), std::to_string(10'000 - SignFolder::kTold));
  EXPECT_NE(s.events.back().text.find("sequence 9999"), std::string::npos);
}

TEST(DriverLog, ALineThatAProcessWroteIsMarked) {
  Story s;
  s.line("NVRM: Xid (PCI:0000:9b:00): 79, by hand", 1ms, Fragment::whole, 1);
  ASSERT_EQ(s.events.size(), 1u);
  EXPECT_EQ(s.events[0].fields.at("written_by"), "process");
}

TEST(DriverLog, ABoardWithoutASerialHasNone) {
  Story s;
  s.line(std::string("NVRM: GPU at PCI:0000:9b:00: ") + kUuid);
  s.line("NVRM: GPU Board Serial Number: 0");
  s.line("NVRM: Xid (PCI:0000:9b:00): 79, x");
  EXPECT_EQ(s.events.at(0).gpu.serial, "");
  EXPECT_EQ(s.events.at(0).gpu.uuid, kUuid);
}

}  // namespace
}  // namespace ghm::kernel_log
