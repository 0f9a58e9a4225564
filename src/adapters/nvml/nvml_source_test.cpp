// The source with a real child process and the fake library of tests/fake_nvml.
#include "adapters/nvml/nvml_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::nvml {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using telemetry::Entity;
using telemetry::MetricId;
using Steady = std::chrono::steady_clock;

constexpr Timestamp kNow{1'700'000'000'000ms};
constexpr const char* kA = "GPU-00000000-0000-0000-0000-00000000000a";
constexpr const char* kB = "GPU-00000000-0000-0000-0000-00000000000b";
const std::string kTwoGpus = std::string("gpu uuid=") + kA + " serial=1650000000001 pci=00000000:18:00.0\n" + "gpu uuid=" + kB +
                             " serial=1650000000002 pci=00000000:2A:00.0\n";

class NvmlSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string shape = (fs::temp_directory_path() / "ghm-nvml-XXXXXX").string();
    folder = ::mkdtemp(shape.data());
    config.library = std::string(GHM_BINARY_DIR) + "/fake_nvml/new/libnvidia-ml.so.1";
    config.reader = {std::string(GHM_BINARY_DIR) + "/nvml_reader_for_test", "nvml-reader"};
    config.period = config.lead = 0ms;
    config.patience = 100ms;
    config.call_timeout = 400ms;
    config.first_backoff = config.longest_backoff = 100ms;
    ::setenv("GHM_FAKE_NVML", (folder / "script").c_str(), 1);
  }
  void TearDown() override { fs::remove_all(folder); }

  void script(const std::string& text) { std::ofstream(folder / "script") << text; }
  void start() { source = std::make_unique<NvmlSource>(config); }
  /// Collects until `enough` says so; what came, joined: the newest readings and all events.
  template <class Enough>
  transport::SourceRound until(Enough enough) {
    transport::SourceRound all;
    for (const auto end = Steady::now() + 10s; Steady::now() < end && !enough(all); std::this_thread::sleep_for(5ms)) {
      const auto before = Steady::now();
      auto round = source->collect(kNow);
      longest = std::max(longest, Steady::now() - before);
      if (round.readings) all.readings = std::move(round.readings), ++rounds_with_readings;
      if (!round.gpus.empty()) all.gpus = std::move(round.gpus);
      all.trouble = round.trouble;
      for (auto& e : round.events) all.events.push_back(std::move(e));
    }
    EXPECT_TRUE(enough(all)) << "not within 10 s; trouble: " << all.trouble;
    return all;
  }
  transport::SourceRound until_event(const std::string& kind) {
    return until([&](const auto& r) { return find(r, kind) != nullptr; });
  }
  transport::SourceRound until_readings() {
    return until([](const auto& r) { return r.readings.has_value(); });
  }
  static const transport::AgentEvent* find(const transport::SourceRound& r, const std::string& kind) {
    for (const auto& e : r.events)
      if (e.kind == kind) return &e;
    return nullptr;
  }
  static std::optional<double> value(const transport::SourceRound& r, const std::string& uuid, unsigned metric, Entity entity = {}) {
    if (!r.readings) return std::nullopt;
    const auto& layout = *r.readings->layout;
    for (std::size_t i = 0; i < layout.table->series.size(); ++i) {
      const auto& s = layout.table->series[i];
      if (layout.gpus[static_cast<std::size_t>(s.gpu)].uuid != uuid || s.metric != MetricId(static_cast<std::uint16_t>(metric)) ||
          s.entity != entity)
        continue;
      if (telemetry::is_absent(r.readings->values[i])) return std::nullopt;
      return r.readings->values[i];
    }
    return std::nullopt;
  }

  fs::path folder;
  NvmlConfig config;
  std::unique_ptr<NvmlSource> source;
  Steady::duration longest{};
  unsigned rounds_with_readings = 0;
};

TEST_F(NvmlSourceTest, AHealthyHostInCanonicalUnits) {
  script("driver 570.86.15\n" + kTwoGpus +
         "set 1 temperature 71\nset 1 field:185 512345\nset 1 pcie_width 8\nset 1 link_up@4 0\nset 1 link_error@4:1 12\n"
         "set 1 remapped_uncorrected 3\nset 1 remap_pending 1\nset 1 reasons 64\nset 1 field:230 4\nset 1 sram_threshold 1\nprocesses 1 "
         "4711 4712\n");
  start();
  const auto r = until_readings();
  struct Want {
    unsigned metric;
    double value;
    Entity entity = {};
  };
  const Entity link4{Entity::Kind::nvlink, 4}, link17{Entity::Kind::nvlink, 17};
  const Want wants[] = {{150, 71},  {140, 52},  {153, 46},        {155, 512.345},    {157, 342},        {164, 700},        {163, 700},
                        {160, 700}, {161, 200}, {162, 700},       {100, 1980},       {101, 2619},       {113, 1980},       {112, 64},
                        {190, 0},   {203, 97},  {204, 55},        {250, 81559},      {252, 60000},      {235, 5},          {237, 5},
                        {236, 16},  {238, 8},   {202, 0},         {1501, 2},         {310, 0},          {311, 0},          {343, 0},
                        {346, 1},   {393, 3},   {396, 1},         {395, 0},          {385, 1280},       {389, 0},          {240, 5e9},
                        {1423, 0},  {1523, 4},  {1508, 0, link4}, {1508, 1, link17}, {1528, 12, link4}, {1527, 0, link17}, {170, 3},
                        {174, 0},   {67, 0},    {158, 92},        {159, 95},         {300, 1}};
  for (const auto& w : wants) EXPECT_EQ(value(r, kB, w.metric, w.entity), w.value) << w.metric << " " << telemetry::to_string(w.entity);
  EXPECT_EQ(value(r, kA, 150), 41);
  EXPECT_GT(value(r, kA, 156).value_or(0), 1e9);
  ASSERT_EQ(r.gpus.size(), 2u);
  EXPECT_EQ(r.gpus[1], (telemetry::GpuIdentity{kB, "1650000000002", "00000000:2A:00.0", "NVIDIA H100 80GB HBM3", "", "570.86.15",
                                               "96.00.74.00.01", 1}));
  ASSERT_EQ(source->processes().size(), 2u);
  EXPECT_EQ(source->processes()[0].pid, 4711u);
  EXPECT_EQ(source->processes()[0].gpu.uuid, kB);
  EXPECT_TRUE(r.events.empty());
}

TEST_F(NvmlSourceTest, EveryMetricIsInTheCatalogueAndPlausible) {
  script(kTwoGpus + "mig 1 2\nset 0 field:201@all 5\nset 0 field:222@all 15\n");
  start();
  const auto r = until_readings();
  const auto& series = r.readings->layout->table->series;
  EXPECT_GT(series.size(), 150u);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto* spec = telemetry::MetricCatalogue::built_in().find(series[i].metric);
    ASSERT_NE(spec, nullptr) << static_cast<int>(series[i].metric);
    EXPECT_GE(r.readings->values[i], spec->min) << spec->name;
    EXPECT_LE(r.readings->values[i], spec->max) << spec->name;
  }
}

TEST_F(NvmlSourceTest, ALostGpuIsAnEventAndTheOthersGoOn) {
  script(kTwoGpus + "from 3\nlost 1\nfrom 6\nfound 1\n");
  start();
  auto r = until_event("gpu_lost");
  EXPECT_EQ(find(r, "gpu_lost")->gpu.uuid, kB);
  EXPECT_EQ(find(r, "gpu_lost")->gpu.serial, "1650000000002");
  EXPECT_TRUE(value(r, kA, 150));
  EXPECT_FALSE(value(r, kB, 150));
  r = until_event("gpu_back");
  EXPECT_TRUE(value(r, kB, 150));
  EXPECT_EQ(source->counts().starts, 1u);
}

TEST_F(NvmlSourceTest, ACallThatHangsCostsTheChildAndNotTheAgent) {
  script(kTwoGpus + "from 2\nhang 0 nvmlDeviceGetTemperature\n");
  start();
  const auto r = until_event("nvml_hang");
  const auto* hang = find(r, "nvml_hang");
  EXPECT_EQ(hang->gpu.uuid, kA);
  EXPECT_EQ(hang->fields.at("call"), "nvmlDeviceGetTemperature");
  EXPECT_NE(r.trouble.find("has not come back"), std::string::npos);
  EXPECT_LT(longest, 5s) << "the agent waited for a call that never comes back";
}

TEST_F(NvmlSourceTest, AGpuThatHangsIsLeftAloneAndTheOthersGoOn) {
  config.first_backoff = config.longest_backoff = 60s;
  script(kTwoGpus + "from 2\nhang 0 nvmlDeviceGetClockInfo\n");
  start();
  auto r = until_event("nvml_hang");
  rounds_with_readings = 0;
  r = until([&](const auto& all) { return rounds_with_readings >= 5 && value(all, kB, 150); });
  EXPECT_FALSE(value(r, kA, 150));
  EXPECT_EQ(source->counts().hangs, 1u) << "it was touched again";
  EXPECT_EQ(source->counts().starts, 2u);
}

TEST_F(NvmlSourceTest, AHangThatEndsIsToldToo) {
  script(kTwoGpus + "from 2\nhang 0 nvmlDeviceGetClockInfo\n");
  start();
  until_event("nvml_hang");
  script(kTwoGpus);
  const auto r = until_event("nvml_recovered");
  EXPECT_TRUE(value(r, kA, 150));
}

TEST_F(NvmlSourceTest, ChildrenThatCannotBeEndedAreBounded) {
  config.end_signal = SIGCONT;  // as good as nothing: like a process that sits in the driver
  config.call_timeout = 100ms;
  config.first_backoff = config.longest_backoff = 1ms;
  script(kTwoGpus + "hang 0 nvmlDeviceGetUUID\n");
  start();
  const auto r = until([](const auto& all) { return all.trouble.find("needs a reboot") != std::string::npos; });
  EXPECT_EQ(source->counts().lost_children, NvmlSource::kMostLost);
  EXPECT_EQ(source->counts().starts, NvmlSource::kMostLost);
}

TEST_F(NvmlSourceTest, AChildThatDiesIsStartedAgain) {
  script(kTwoGpus + "from 3\ncrash 1 nvmlDeviceGetPowerUsage\nfail 1 nvmlDeviceGetFieldValues 999\n");
  start();
  auto r = until_event("nvml_crash");
  EXPECT_EQ(find(r, "nvml_crash")->code, SIGABRT);
  rounds_with_readings = 0;
  until([&](const auto&) { return rounds_with_readings >= 2; });
  EXPECT_GE(source->counts().starts, 2u);
}

TEST_F(NvmlSourceTest, MigInstancesHaveTheirMemoryAndTheCardItsRest) {
  script(kTwoGpus + "mig 0 2\nset 0 minor 3\nset 1 minor 5\n");
  start();
  const auto r = until_readings();
  EXPECT_EQ(value(r, kA, 67), 1);
  EXPECT_EQ(value(r, kA, 250, {Entity::Kind::mig, 7}), 9728);
  EXPECT_EQ(value(r, kA, 252, {Entity::Kind::mig, 8}), 100);
  EXPECT_FALSE(value(r, kA, 203)) << "utilisation does not exist with MIG on";
  EXPECT_FALSE(value(r, kA, 393)) << "nor do remapped rows";
  EXPECT_EQ(value(r, kA, 150), 41);
  EXPECT_EQ(value(r, kB, 203), 97);
  EXPECT_EQ(source->find_device("MIG-00000000-0000-0000-0000-000000000018").uuid, kA);
  EXPECT_EQ(source->find_device("1").uuid, kB);
  EXPECT_EQ(source->find_device("gpu-5").uuid, kB) << "by minor number";
  for (const char* nobody : {"7", "gpu-1", "MIG-00000000-0000-0000-0000-000000000099", "", "-1", "gpu-"})
    EXPECT_TRUE(source->find_device(nobody).is_host()) << nobody;
}

TEST_F(NvmlSourceTest, WhatIsNotSupportedIsAbsentAndNotZero) {
  script(kTwoGpus +
         "fail * nvmlDeviceGetTemperature 3\nfail * nvmlDeviceGetTemperatureV 3\nfail 0 nvmlDeviceGetUtilizationRates 3\n"
         "fail 0 nvmlDeviceGetSerial 3\nfail 0 nvmlDeviceGetSramEccErrorStatus 4\nfail 0 nvmlDeviceGetFieldValues 3\nset 1 field:82 0\n");
  start();
  const auto r = until_readings();
  EXPECT_FALSE(value(r, kA, 150));
  EXPECT_FALSE(value(r, kA, 203));
  EXPECT_FALSE(value(r, kA, 346));
  EXPECT_FALSE(value(r, kB, 140)) << "0 degrees is a sensor that is not there";
  EXPECT_EQ(value(r, kA, 155), 300) << "without fields the plain call says it";
  EXPECT_EQ(value(r, kA, 1508, {Entity::Kind::nvlink, 17}), 1);
  EXPECT_EQ(r.gpus[0].serial, "");
  EXPECT_EQ(value(r, kB, 203), 97);
}

TEST_F(NvmlSourceTest, AnOldDriverLacksFunctions) {
  config.library = std::string(GHM_BINARY_DIR) + "/fake_nvml/old/libnvidia-ml.so.1";
  script("driver 450.80.02\n" + kTwoGpus);
  start();
  const auto r = until_readings();
  EXPECT_EQ(value(r, kA, 150), 41);
  EXPECT_EQ(value(r, kA, 155), 300);
  EXPECT_EQ(value(r, kA, 112), 0);
  EXPECT_EQ(value(r, kA, 1508, {Entity::Kind::nvlink, 0}), 1);
  EXPECT_FALSE(value(r, kA, 250));
  EXPECT_FALSE(value(r, kA, 67));
}

TEST_F(NvmlSourceTest, NoGpusAtAll) {
  script("driver 570.86.15\n");
  start();
  const auto r = until([&](const auto&) { return source->counts().rounds >= 3; });
  EXPECT_FALSE(r.readings);
  EXPECT_EQ(r.trouble, "");
  EXPECT_TRUE(r.events.empty());
}

TEST_F(NvmlSourceTest, UnpluggedAndPluggedAgain) {
  script(kTwoGpus + "from 3\nremove 0\nfrom 6\nreturn 0\n");
  start();
  auto r = until_event("gpu_gone");
  EXPECT_EQ(find(r, "gpu_gone")->gpu.uuid, kA);
  EXPECT_TRUE(value(r, kB, 150));
  r = until_event("gpu_back");
  EXPECT_EQ(find(r, "gpu_back")->gpu.uuid, kA);
  EXPECT_TRUE(value(r, kA, 150));
}

TEST_F(NvmlSourceTest, AHostWithoutTheLibraryIsOneSentence) {
  config.library = (folder / "libnvidia-ml.so.1").string();
  start();
  const auto r = until([](const auto& all) { return !all.trouble.empty(); });
  EXPECT_NE(r.trouble.find("is NVIDIA's driver installed?"), std::string::npos) << r.trouble;
  EXPECT_TRUE(r.events.empty());
  EXPECT_EQ(source->reader_pid(), 0) << "a child that has nothing to do is not kept";
}

TEST_F(NvmlSourceTest, ADriverExchangedUnderneathIsLoadedAnew) {
  script(kTwoGpus + "from 3\ncount 18\n");
  start();
  until_event("nvml_unavailable");
  script("driver 580.65.06\n" + kTwoGpus);
  const auto r = until_event("driver_changed");
  EXPECT_EQ(find(r, "driver_changed")->text, "the driver was 570.86.15 and is 580.65.06");
  EXPECT_GE(source->counts().starts, 2u);
}

TEST_F(NvmlSourceTest, ADriverThatIsNotLoadedIsTriedAgain) {
  script("init 9\n" + kTwoGpus);
  start();
  until([](const auto& all) { return all.trouble == "nvmlInit_v2: DRIVER_NOT_LOADED"; });
  script(kTwoGpus);
  until_readings();
}

TEST_F(NvmlSourceTest, AReaderThatCannotBeStartedIsOneSentence) {
  config.reader = {(folder / "nothing").string()};
  start();
  const auto r = until([](const auto& all) { return !all.trouble.empty(); });
  EXPECT_NE(r.trouble.find("cannot be started: No such file"), std::string::npos) << r.trouble;
}

TEST_F(NvmlSourceTest, TheChildEndsWithTheAgent) {
  script(kTwoGpus);
  start();
  until_readings();
  const auto pid = source->reader_pid();
  ASSERT_GT(pid, 0);
  source.reset();
  for (const auto end = Steady::now() + 5s; Steady::now() < end; std::this_thread::sleep_for(5ms))
    if (!fs::exists("/proc/" + std::to_string(pid) + "/exe")) break;
  std::error_code gone;
  EXPECT_TRUE(fs::read_symlink("/proc/" + std::to_string(pid) + "/exe", gone).empty());
}

// ---- a fault was seen

TEST_F(NvmlSourceTest, AFaultIsFollowedByALookAtOnce) {
  config.period = 1h;
  config.lead = 0ms;
  script("driver 570.86.15\n" + kTwoGpus + "processes 1 4711\nfrom 2\nset 1 temperature 91\nset 1 remapped_uncorrected 3\nlost 0\n");
  start();
  until_readings();
  const transport::GpuName a{kA, "", "00000000:18:00.0"}, b{"", "", "00000000:2A:00.0"};
  const auto known = source->testify(b, kNow);
  EXPECT_EQ(known.facts.at("state"), "answers");
  EXPECT_EQ(known.processes, std::vector<std::uint32_t>{4711});
  EXPECT_EQ(known.missing, "");
  EXPECT_FALSE(known.facts.contains("DCGM_FI_DEV_GPU_TEMP")) << "nothing is asked of the driver yet";
  source->look_again(kNow);
  EXPECT_FALSE(source->has_looked());
  for (const auto end = Steady::now() + 5s; Steady::now() < end && !source->has_looked(); std::this_thread::sleep_for(5ms))
    source->listen(kNow);
  EXPECT_EQ(source->seen_again(b, kNow).facts.at("DCGM_FI_DEV_GPU_TEMP"), "91");
  EXPECT_EQ(source->seen_again(b, kNow).facts.at("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS"), "3") << "counters too, which are read seldom";
  EXPECT_EQ(source->seen_again(a, kNow).missing, "NVML says that the GPU is lost");
  source->look_away();
  EXPECT_TRUE(source->has_looked()) << "nobody waits";
  EXPECT_EQ(source->testify(a, kNow).missing, "NVML says that the GPU is lost");
  EXPECT_THAT(source->testify({"GPU-other", "", ""}, kNow).missing, ::testing::HasSubstr("has not named this GPU"));
}

TEST_F(NvmlSourceTest, ALookThatHangsSaysInWhichCall) {
  config.period = 1h;
  config.call_timeout = 5s;
  script("driver 570.86.15\n" + kTwoGpus + "from 2\nhang 0 nvmlDeviceGetPowerManagementLimit\n");
  start();
  until_readings();
  source->look_again(kNow);
  std::string said;
  for (const auto end = Steady::now() + 4s; Steady::now() < end && said.find("PowerManagementLimit on GPU 0") == said.npos;
       std::this_thread::sleep_for(5ms)) {
    source->listen(kNow);
    said = source->seen_again({kA, "", ""}, kNow).missing;
  }
  EXPECT_THAT(said, ::testing::HasSubstr("PowerManagementLimit on GPU 0"));
  EXPECT_FALSE(source->has_looked());
  EXPECT_THAT(source->testify({}, kNow).facts.at("call_under_way"), ::testing::HasSubstr("PowerManagementLimit"));
}

TEST_F(NvmlSourceTest, WithoutAReaderThereIsNothingToWaitFor) {
  config.library = "libnone.so.1";
  script("");
  start();
  until([](const auto& r) { return !r.trouble.empty(); });
  source->look_again(kNow);
  for (const auto end = Steady::now() + 5s; Steady::now() < end && !source->has_looked(); std::this_thread::sleep_for(5ms))
    source->listen(kNow);
  EXPECT_TRUE(source->has_looked());
  EXPECT_FALSE(source->testify({}, kNow).missing.empty());
}

}  // namespace
}  // namespace ghm::nvml
