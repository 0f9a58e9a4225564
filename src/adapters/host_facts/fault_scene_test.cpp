#include "adapters/host_facts/fault_scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace ghm::host_facts {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A GPU below a port, as sysfs has it: a folder in a folder, and links to both among the devices.
struct Scene : ::testing::Test {
  Scene() {
    std::string shape = (fs::temp_directory_path() / "ghm-scene-XXXXXX").string();
    root = ::mkdtemp(shape.data());
    fs::create_directories(root / "sys/bus/pci/devices");
    put(port / "vendor", "0x1000\n");
    put(port / "current_link_speed", "32.0 GT/s PCIe\n");
    put(port / "aer_dev_nonfatal", "Undefined 0\nCmpltTO 3\nTOTAL_ERR_NONFATAL 3\n");
    put(gpu / "vendor", "0x10de\n");
    put(gpu / "device", "0x2330\n");
    put(gpu / "class", "0x030200\n");
    put(gpu / "config", std::string("\xde\x10\x30\x23", 4) + std::string(60, '\0') + "what root alone may read");
    put(gpu / "current_link_width", "8\n");
    put(gpu / "max_link_width", "16\n");
    put(gpu / "aer_dev_correctable", "RxErr 0\nBadTLP 9\nTOTAL_ERR_COR 9\n");
    put(gpu / "aer_dev_fatal", "DLP 0\nTOTAL_ERR_FATAL 0\n");
    fs::create_directory_symlink(root / gpu, root / "sys/bus/pci/devices/0000:18:00.0");
  }
  ~Scene() override { fs::remove_all(root); }
  void put(const fs::path& name, const std::string& text) {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name, std::ios::binary) << text;
  }
  fs::path root;
  const fs::path port = "sys/devices/pci0000:17/0000:17:01.0", gpu = port / "0000:18:00.0";
};

TEST_F(Scene, ADeviceItsLinkItsErrorsAndThePortAboveIt) {
  const auto said = pci_scene(root, "00000000:18:00.0");
  EXPECT_EQ(said.missing, "");
  const telemetry::LabelMap want = {{"pci_bus_id", "00000000:18:00.0"},
                                    {"answers", "yes"},
                                    {"vendor", "0x10de"},
                                    {"device", "0x2330"},
                                    {"class", "0x030200"},
                                    {"current_link_width", "8"},
                                    {"max_link_width", "16"},
                                    {"aer_correctable", "BadTLP 9"},
                                    {"aer_fatal", "none"},
                                    {"port", "0000:17:01.0"},
                                    {"port_current_link_speed", "32.0 GT/s PCIe"},
                                    {"port_aer_nonfatal", "CmpltTO 3"}};
  for (const auto& [name, value] : want) EXPECT_EQ(said.facts.contains(name) ? said.facts.at(name) : "absent", value) << name;
  EXPECT_THAT(said.facts.at("config"), ::testing::StartsWith("de 10 30 23 00"));
  EXPECT_EQ(said.facts.at("config").size(), 64u * 3 - 1) << "what everybody may read of it";
}

TEST_F(Scene, ADeviceThatDoesNotAnswerIsAskedNoMore) {
  put(gpu / "config", std::string(64, '\xff'));
  const auto said = pci_scene(root, "0000:18:00.0");
  EXPECT_EQ(said.facts.at("answers"), "no");
  EXPECT_THAT(said.missing, HasSubstr("does not answer on the PCI bus"));
  EXPECT_FALSE(said.facts.contains("current_link_width"));
  EXPECT_EQ(said.facts.at("port_current_link_speed"), "32.0 GT/s PCIe") << "the port above it does";
  EXPECT_EQ(said.facts.at("aer_correctable"), "BadTLP 9") << "the kernel's count costs the device nothing";
}

TEST_F(Scene, ADeviceThatIsNotThereIsSaid) {
  EXPECT_THAT(pci_scene(root, "0000:99:00.0").missing, HasSubstr("no device at 00000000:99:00.0"));
  EXPECT_THAT(pci_scene(root, "../../etc").missing, HasSubstr("not known"));
  EXPECT_THAT(pci_scene(root, "").missing, HasSubstr("not known"));
}

TEST_F(Scene, TheHost) {
  put("proc/uptime", "1234.56 7890.12\n");
  put("proc/meminfo", "MemTotal:       2113000000 kB\nMemFree: 1 kB\nMemAvailable:   1000000 kB\n");
  put("sys/module/nvidia/version", "535.104.05\n");
  EXPECT_THAT(host_scene(root).missing, HasSubstr("no NVIDIA driver"));
  put("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05\nGCC version:  gcc \x1b[1m\n");
  const auto said = host_scene(root);
  EXPECT_EQ(said.missing, "");
  EXPECT_EQ(said.facts.at("uptime"), "1234.56 7890.12");
  EXPECT_EQ(said.facts.at("memory_available"), "1000000 kB");
  EXPECT_EQ(said.facts.at("module_nvidia"), "535.104.05");
  EXPECT_EQ(said.facts.at("driver"), "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05; GCC version:  gcc ?[1m");
}

TEST_F(Scene, AProcess) {
  put("proc/4711/stat", "4711 (python (3) \xff) D 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 64 0 123456 789 10\n");
  EXPECT_EQ(process_scene(root, 4711), "4711 python (3) ?, state D, started 1234.56 s after boot");
  put("proc/4712/stat", "4712 (cut");
  put("proc/4713/stat", "4713 (cut) Z");
  EXPECT_EQ(process_scene(root, 4712), "");
  EXPECT_EQ(process_scene(root, 4713), "4713 cut, state Z");
  EXPECT_EQ(process_scene(root, 1), "");
}

}  // namespace
}  // namespace ghm::host_facts
