#include "adapters/host_facts/host_facts_source.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace ghm::host_facts {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr Timestamp kNow{1'700'000'000'000ms};
constexpr const char* kUuid = "GPU-5b0c6a44-0000-1111-2222-333344445555";

TEST(SysfsText, GenerationsAndLanes) {
  struct Case {
    const char* text;
    std::optional<unsigned> want;
  };
  for (const auto& c : {Case{"2.5 GT/s PCIe\n", 1}, Case{"5.0 GT/s PCIe", 2}, Case{"8 GT/s", 3}, Case{"8.0 GT/s PCIe", 3},
                        Case{"16.0 GT/s PCIe", 4}, Case{"32.0 GT/s PCIe\n", 5}, Case{"64.0 GT/s PCIe", 6}, Case{"Unknown", std::nullopt},
                        Case{"", std::nullopt}, Case{"3.2 GT/s", std::nullopt}})
    EXPECT_EQ(pcie_generation(c.text), c.want) << c.text;
  for (const auto& c : {Case{"16\n", 16}, Case{"1", 1}, Case{"0", std::nullopt}, Case{"63", std::nullopt}, Case{"255", std::nullopt},
                        Case{"x16", std::nullopt}})
    EXPECT_EQ(pcie_lanes(c.text), c.want) << c.text;
}

TEST(SysfsText, AerFiles) {
  const auto counts = read_aer("RxErr 0\nBadTLP 3\nBadDLLP 0\nReplay Timer Timeout 2\nTOTAL_ERR_COR 5\n");
  EXPECT_EQ(counts.total, 5u);
  EXPECT_EQ(counts.by_name, (std::map<std::string, std::uint64_t>{{"BadTLP", 3}, {"Replay Timer Timeout", 2}}));
  EXPECT_EQ(read_aer("").total, 0u);
  EXPECT_EQ(read_aer("garbage\n\n x\nBadTLP many\n").by_name.size(), 0u);
}

TEST(SysfsText, FirmwareThatNobodyFilledInSaysNothing) {
  for (const char* filler : {"To be filled by O.E.M.\n", "Default string", "0", "00000000", "None", "", "   ", ".........."})
    EXPECT_EQ(dmi_value(filler), "") << filler;
  EXPECT_EQ(dmi_value("S452392X2A01234 \n"), "S452392X2A01234");
}

class HostFactsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string shape = (fs::temp_directory_path() / "ghm-host-XXXXXX").string();
    root = ::mkdtemp(shape.data());
    put("sys/class/dmi/id/sys_vendor", "Supermicro\n");
    put("sys/class/dmi/id/product_name", "SYS-821GE-TNHR\n");
    put("sys/class/dmi/id/product_serial", "S452392X2A01234\n");
    put("sys/class/dmi/id/board_serial", "To be filled by O.E.M.\n");
    put("proc/sys/kernel/osrelease", "6.1.0-28-amd64\n");
    put("proc/sys/kernel/hostname", "gpu-17\n");
    put("proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n");
    put("proc/stat", "cpu  1 2 3\ncpu0 1 2 3\nintr 5\nctxt 7\nbtime 1699990000\nprocesses 3\n");
    put("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu Jan 23\nGCC version:  gcc 12.2.0\n");
    add_gpu("0000:18:00.0", "0x030200");
    put("proc/driver/nvidia/gpus/0000:18:00.0/information",
        std::string("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 177\nGPU UUID: \t ") + kUuid +
            "\nVideo BIOS: \t 96.00.74.00.01\nBus Type: \t PCIe\nBus Location: \t 0000:18:00.0\n");
    add_gpu("0000:2a:00.0", "0x030200");
    put("proc/driver/nvidia/gpus/0000:2a:00.0/information", "Model: \t\t Unknown\nGPU UUID: \t ?\nVideo BIOS: \t ?\n");
    put("sys/bus/pci/devices/0000:3b:00.0/vendor", "0x15b3\n");
    put("sys/bus/pci/devices/0000:3b:00.0/class", "0x020000\n");
    put("sys/bus/pci/devices/0000:05:00.0/vendor", "0x10de\n");
    put("sys/bus/pci/devices/0000:05:00.0/class", "0x068000\n");  // an NVSwitch
  }
  void TearDown() override { fs::remove_all(root); }

  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path, std::ios::binary) << text;
  }
  void device(const std::string& file, const std::string& text) const { put("sys/bus/pci/devices/0000:18:00.0/" + file, text); }
  void add_gpu(const std::string& address, const std::string& kind) const {
    const auto folder = "sys/bus/pci/devices/" + address + "/";
    put(folder + "vendor", "0x10de\n");
    put(folder + "class", kind + "\n");
    put(folder + "config", std::string("\xde\x10\x30\x23 and more", 13));
    put(folder + "current_link_speed", "32.0 GT/s PCIe\n");
    put(folder + "max_link_speed", "32.0 GT/s PCIe\n");
    put(folder + "current_link_width", "16\n");
    put(folder + "max_link_width", "16\n");
    put(folder + "aer_dev_correctable", "RxErr 0\nBadTLP 7\nTOTAL_ERR_COR 7\n");
    put(folder + "aer_dev_fatal", "TOTAL_ERR_FATAL 0\n");
  }
  std::vector<std::string> kinds(const transport::SourceRound& r) const {
    std::vector<std::string> all;
    for (const auto& e : r.events) all.push_back(e.kind);
    return all;
  }
  transport::SourceRound after(HostFactsSource& source, unsigned rounds) const {
    transport::SourceRound last;
    for (unsigned i = 0; i < rounds; ++i) last = source.collect(kNow);
    return last;
  }

  fs::path root;
};
using Kinds = std::vector<std::string>;

TEST_F(HostFactsTest, FactsGpusAndLinks) {
  HostFactsSource source({root, {}});
  const auto r = source.collect(kNow);
  const telemetry::LabelMap want = {{"boot_id", "11111111-2222-3333-4444-555555555555"},
                                    {"boot_time", "2023-11-14T19:26:40Z"},
                                    {"driver", "570.86.15"},
                                    {"hostname", "gpu-17"},
                                    {"kernel", "6.1.0-28-amd64"},
                                    {"product", "SYS-821GE-TNHR"},
                                    {"serial", "S452392X2A01234"},
                                    {"vendor", "Supermicro"}};
  EXPECT_EQ(r.host, want);
  ASSERT_EQ(r.gpus.size(), 2u) << "neither the switch nor the network card is a GPU";
  EXPECT_EQ(r.gpus[0].uuid, kUuid);
  EXPECT_EQ(r.gpus[0].vbios_version, "96.00.74.00.01");
  EXPECT_EQ(r.gpus[0].model, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(r.gpus[0].pci_bus_id, "00000000:18:00.0");
  EXPECT_EQ(r.gpus[1].uuid, "") << "a GPU that is not initialised does not say it";
  EXPECT_EQ(r.gpus[1].vbios_version, "");
  ASSERT_TRUE(r.readings);
  EXPECT_EQ(r.readings->values, (std::vector<double>{5, 16, 5, 16, 5, 16, 5, 16}));
  EXPECT_TRUE(r.events.empty()) << "errors from before the agent started are the base line";
  EXPECT_EQ(source.collect(kNow).readings->layout, r.readings->layout);
}

TEST_F(HostFactsTest, ALinkThatLostLanesIsToldOnceAndASlowIdleOneIsNot) {
  HostFactsSource source({root, {}});
  source.collect(kNow);
  device("current_link_width", "8\n");
  device("current_link_speed", "2.5 GT/s PCIe\n");
  auto r = source.collect(kNow);
  ASSERT_EQ(kinds(r), Kinds{"pcie_width_reduced"});
  EXPECT_EQ(r.events[0].gpu.uuid, kUuid);
  EXPECT_EQ(r.events[0].fields.at("width"), "8");
  EXPECT_EQ(r.readings->values[0], 1);
  EXPECT_EQ(kinds(source.collect(kNow)), Kinds{});
  device("current_link_width", "16\n");
  EXPECT_EQ(kinds(source.collect(kNow)), Kinds{"pcie_width_restored"});
}

TEST_F(HostFactsTest, AGpuOffTheBusReadsAsAllOnes) {
  HostFactsSource source({root, {}});
  source.collect(kNow);
  device("config", std::string(64, '\xff'));
  device("current_link_width", "63\n");
  const auto r = source.collect(kNow);
  EXPECT_EQ(kinds(r), Kinds{"pcie_no_answer"});
  EXPECT_TRUE(telemetry::is_absent(r.readings->values[1]));
  EXPECT_EQ(kinds(source.collect(kNow)), Kinds{});
  device("config", std::string("\xde\x10\x30\x23", 4));
  device("current_link_width", "16\n");
  EXPECT_EQ(kinds(source.collect(kNow)), Kinds{"pcie_answers"});
}

TEST_F(HostFactsTest, ErrorsThatGrewAreAnEvent) {
  HostFactsSource source({root, {}});
  source.collect(kNow);
  device("aer_dev_correctable", "RxErr 0\nBadTLP 9\nBadDLLP 4\nTOTAL_ERR_COR 13\n");
  device("aer_dev_fatal", "DLP 1\nTOTAL_ERR_FATAL 1\n");
  EXPECT_EQ(kinds(after(source, HostFactsSource::kSlowEvery - 1)), Kinds{});
  const auto r = source.collect(kNow);
  ASSERT_EQ(kinds(r), (Kinds{"pcie_aer", "pcie_aer"}));
  EXPECT_EQ(r.events[0].text, "6 correctable PCIe errors: BadDLLP +4, BadTLP +2");
  EXPECT_EQ(r.events[1].fields.at("severity"), "fatal");
  device("aer_dev_correctable", "BadTLP 1\nTOTAL_ERR_COR 1\n");
  EXPECT_EQ(kinds(after(source, HostFactsSource::kSlowEvery)), Kinds{}) << "a fall is a new count";
}

TEST_F(HostFactsTest, GpusComeAndGoOnTheBus) {
  HostFactsSource source({root, {}});
  source.collect(kNow);
  fs::remove_all(root / "sys/bus/pci/devices/0000:18:00.0");
  add_gpu("0000:4e:00.0", "0x030000");
  const auto r = after(source, HostFactsSource::kWalkEvery);
  EXPECT_EQ(kinds(r), (Kinds{"pci_gpu_gone", "pci_gpu_new"}));
  EXPECT_EQ(r.events[0].gpu.uuid, kUuid);
  EXPECT_EQ(r.gpus.size(), 2u);
}

TEST_F(HostFactsTest, ADriverThatIsExchangedIsSeen) {
  HostFactsSource source({root, {}});
  source.collect(kNow);
  put("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n");
  EXPECT_EQ(after(source, HostFactsSource::kSlowEvery).host.at("driver"), "580.65.06");
  fs::remove_all(root / "proc/driver");
  EXPECT_FALSE(after(source, HostFactsSource::kSlowEvery).host.contains("driver"));
}

TEST_F(HostFactsTest, WhatRootAloneMayReadComesAsACredential) {
  fs::remove(root / "sys/class/dmi/id/product_serial");
  put("credentials/product_serial", "S452392X2A01234\n");
  EXPECT_EQ(HostFactsSource({root, root / "credentials"}).collect(kNow).host.at("serial"), "S452392X2A01234");
  EXPECT_FALSE(HostFactsSource({root, {}}).collect(kNow).host.contains("serial"));
}

TEST_F(HostFactsTest, AGpuThatIsNotTheDriversHasNoReadings) {
  fs::remove_all(root / "proc/driver/nvidia/gpus/0000:2a:00.0");
  const auto r = HostFactsSource({root, {}}).collect(kNow);
  EXPECT_EQ(r.readings->layout->gpus.size(), 1u);
  EXPECT_EQ(r.gpus.size(), 2u);
}

TEST_F(HostFactsTest, AnEmptyHostSaysNothingAndFailsNothing) {
  fs::remove_all(root);
  fs::create_directories(root);
  HostFactsSource source({root, {}});
  const auto r = source.collect(kNow);
  EXPECT_TRUE(r.host.empty());
  EXPECT_TRUE(r.gpus.empty());
  EXPECT_FALSE(r.readings);
  EXPECT_EQ(r.trouble, "");
}

}  // namespace
}  // namespace ghm::host_facts
