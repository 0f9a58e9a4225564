// What pages of all exporter versions mean, told line by line. Every page goes through all paths, which must agree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "adapters/dcgm_exporter/page_reader.h"
#include "adapters/dcgm_exporter/reading_text.h"

namespace ghm::dcgm_exporter {
namespace {

using testing::HasSubstr;
using testing::Not;

const telemetry::MetricCatalogue& catalogue() {
  return telemetry::MetricCatalogue::built_in();
}

std::string read(const std::string& page) {
  auto text = text_of(read_careful(page, catalogue()));
  EXPECT_EQ(text, text_of(read_naive(page, catalogue()))) << page;
  PageReader reader(catalogue(), make_layout_pool());
  EXPECT_EQ(text, text_of(reader.read(page))) << page;
  EXPECT_EQ(text, text_of(reader.read(page))) << page;
  return text;
}

struct Case {
  const char* why;
  std::string page;
  std::vector<std::string> says;
};

void expect_all(const std::vector<Case>& cases) {
  for (const auto& c : cases) {
    const auto text = read(c.page);
    for (const auto& line : c.says) EXPECT_THAT(text, HasSubstr(line + "\n")) << c.why;
  }
}

// A GPU row's labels, first GPU or second.
const std::string kGpu0 =
    R"(gpu="0",UUID="GPU-aa",pci_bus_id="00000000:18:00.0",device="nvidia0",modelName="NVIDIA H100 80GB HBM3",Hostname="n1")";
const std::string kGpu1 =
    R"(gpu="1",UUID="GPU-bb",pci_bus_id="00000000:2A:00.0",device="nvidia1",modelName="NVIDIA H100 80GB HBM3",Hostname="n1")";
std::string row(const std::string& name, const std::string& labels, const std::string& value) {
  return name + "{" + labels + "} " + value + "\n";
}
const std::string kTemp = "DCGM_FI_DEV_GPU_TEMP";

TEST(ReadCareful, TellsWhichGpu) {
  expect_all({
      {"a row of today",
       row(kTemp, kGpu0, "41"),
       {"gpu: index=0 uuid=GPU-aa pci=00000000:18:00.0 model=NVIDIA H100 80GB HBM3 host=n1 serial= driver= vbios=", "gpu0 gpu 150 = 41"}},
      {"version 1.x",
       "dcgm_gpu_temp{gpu=\"0\",uuid=\"GPU-aa\"} 41\n",
       {"gpu: index=0 uuid=GPU-aa pci= model= host= serial= driver= vbios=", "gpu0 gpu 150 = 41"}},
      {"blanks around commas", row(kTemp, R"(gpu="0", UUID="GPU-aa" , device="nvidia0")", "41"), {"gpu0 gpu 150 = 41"}},
      {"only an index",
       row(kTemp, R"(gpu="3")", "41"),
       {"gpu: index=3 uuid= pci= model= host= serial= driver= vbios=", "gpu0 gpu 150 = 41"}},
      {"only a device", row(kTemp, R"(device="nvidia3")", "41"), {"gpu: index=3 uuid= pci= model= host= serial= driver= vbios="}},
      {"a kernel's spelling of the address",
       row(kTemp, R"(pci_bus_id="0000:9b:00.0")", "41"),
       {"gpu: index=-1 uuid= pci=00000000:9B:00.0 model= host= serial= driver= vbios="}},
      {"old build",
       row(kTemp, R"(gpu="0",UUID="GPU-aa",Hostname="localhost")", "41"),
       {"gpu: index=0 uuid=GPU-aa pci= model= host=localhost serial= driver= vbios="}},
      {"a blank UUID says nothing",
       row(kTemp, R"(gpu="0",UUID="<<<NULL>>>")", "41"),
       {"gpu: index=0 uuid= pci= model= host= serial= driver= vbios="}},
      {"sorted by index, whatever the order of rows",
       row(kTemp, kGpu1, "51") + row(kTemp, kGpu0, "41"),
       {"gpu0 gpu 150 = 41", "gpu1 gpu 150 = 51"}},
      {"nobody's",
       row(kTemp, R"(Hostname="n1")", "41") + kTemp + " 42\n",
       {"refused: gpu? gpu 150 unknown_identity \"41\"", "refused: gpu? gpu 150 unknown_identity \"42\""}},
  });
}

TEST(ReadCareful, JoinsRowsOfOneGpu) {
  const std::string link =
      R"(nvlink="4",gpu="1",gpu_uuid="GPU-bb",pci_bus_id="00000000:2A:00.0",model_name="NVIDIA H100 80GB HBM3",hostname="n1")";
  const auto text =
      read(row("DCGM_FI_DEV_NVLINK_REPLAY_ERROR_PER_LINK_TOTAL", link, "7") + row(kTemp, kGpu0, "41") + row(kTemp, kGpu1, "51") +
           row("DCGM_FI_DEV_SM_CLOCK", R"(gpu="1")", "1980") + row("DCGM_FI_DEV_MEM_CLOCK", R"(pci_bus_id="0000:18:00.0")", "2619"));
  EXPECT_THAT(text, Not(HasSubstr("uuid= "))) << "every row belongs to one of two GPUs";
  EXPECT_THAT(text, HasSubstr("gpu1 nvlink4 "));
  EXPECT_THAT(text, HasSubstr("nvlink=4 = 7\n"));
  EXPECT_THAT(text, HasSubstr("gpu1 gpu 100 = 1980\n"));
  EXPECT_THAT(text, HasSubstr("gpu0 gpu 101 = 2619\n"));
}

TEST(ReadCareful, ReadsIdentityFromLabelRows) {
  const auto labels =
      kGpu0 + R"(,DCGM_FI_DRIVER_VERSION="570.86.15",DCGM_FI_DEV_SERIAL="1652922012345",DCGM_FI_DEV_VBIOS_VERSION="<<<NOT_PERM>>>")";
  EXPECT_THAT(read(row(kTemp, labels, "41")), HasSubstr("serial=1652922012345 driver=570.86.15 vbios=\n"));
  EXPECT_THAT(read(row(kTemp, kGpu0 + R"(,DCGM_FI_SYSTEM_DRIVER_VERSION="590.1")", "41")), HasSubstr("driver=590.1 "));
  const auto printed = read(row(kTemp, kGpu0, "41") + row("DCGM_FI_DEV_SERIAL", kGpu0, "1652922012345"));
  EXPECT_THAT(printed, HasSubstr("serial=1652922012345"));
  EXPECT_THAT(printed, HasSubstr("unknown 0 repeated 0\n")) << "a label-type row is no reading and no refusal";
  EXPECT_THAT(printed, Not(HasSubstr("refused")));
}

TEST(ReadCareful, TellsWhatRunsOnAGpu) {
  const std::string page =
      R"(DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-1",pod="train-1",namespace="ml",container="main"} 40)"
      "\n"
      R"(DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-1",pod="train-0",namespace="ml",container="main"} 40)"
      "\n"
      R"(DCGM_FI_DEV_GPU_TEMP{gpu="1",UUID="GPU-2",pod="exporter-x",namespace="gpu-operator",exported_pod="infer",exported_namespace="web"} 41)"
      "\n"
      R"(DCGM_FI_DEV_GPU_TEMP{gpu="2",UUID="GPU-3",hpc_job="4711"} 42)"
      "\n"
      R"(DCGM_FI_DEV_POWER_USAGE{gpu="3",UUID="GPU-4",pod=""} 42)"
      "\n";
  const auto reading = read_careful(page, catalogue());
  EXPECT_EQ(reading.layout->work, read_naive(page, catalogue()).layout->work);
  const auto& work = reading.layout->work;
  ASSERT_EQ(work.size(), 4u);
  EXPECT_EQ(work[0].pods, (std::vector<std::string>{"ml/train-0/main", "ml/train-1/main"})) << "time slicing";
  EXPECT_EQ(work[1].pods, std::vector<std::string>{"web/infer"}) << "the exporter's own pod is not the GPU's";
  EXPECT_EQ(work[2].jobs, std::vector<std::string>{"4711"});
  EXPECT_EQ(work[3], telemetry::Workload{});
}

TEST(ReadCareful, TellsEntities) {
  expect_all({
      {"a link by label",
       row("DCGM_FI_DEV_NVLINK_COUNT_RX_SYMBOL_ERRORS", R"(nvlink="17",gpu="0",gpu_uuid="GPU-aa")", "3"),
       {"gpu0 nvlink17 1214 nvlink=17 = 3"}},
      {"a link by name", row("DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_L3", kGpu0, "3"), {"gpu0 nvlink3 403 = 3"}},
      {"a link inside a name", row("DCGM_FI_PROF_NVLINK_L17_RX_BYTES", kGpu0, "3"), {"gpu0 nvlink17 1075 = 3"}},
      {"a cache level is no link", row("DCGM_FI_DEV_ECC_SBE_VOL_L2", kGpu0, "3"), {"gpu0 gpu 316 = 3"}},
      {"all links of a GPU", row("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", kGpu0, "3"), {"gpu0 gpu 449 = 3"}},
      {"a switch", row("DCGM_FI_DEV_NVSWITCH_TEMPERATURE_CURRENT", R"(nvswitch="2",Hostname="n1")", "45"), {"gpu-1 switch2 858 = 45"}},
      {"a switch's link",
       row("DCGM_FI_DEV_NVSWITCH_LINK_CRC_ERRORS", R"(nvlink="14",nvswitch="nvswitch1",Hostname="n1")", "0"),
       {"gpu-1 switch1link14 787 nvlink=14 = 0"}},
      {"a CPU", row("DCGM_FI_DEV_CPU_TEMP_CURRENT", R"(cpu="1",Hostname="n1")", "45.500000"), {"gpu-1 cpu1 1110 = 45.5"}},
      {"a core", row("DCGM_FI_DEV_CPU_UTIL_TOTAL", R"(cpucore="71",cpu="0",Hostname="n1")", "0.250000"), {"gpu-1 cpucore71 1100 = 0.25"}},
      {"the node, once, though each GPU prints it",
       row("DCGM_FI_CUDA_DRIVER_VERSION", kGpu0, "12080") + row("DCGM_FI_CUDA_DRIVER_VERSION", kGpu1, "12080"),
       {"gpu-1 node 5 = 12080", "unknown 0 repeated 1"}},
      {"a link that is no number",
       row("DCGM_FI_DEV_NVLINK_COUNT_RX_SYMBOL_ERRORS", R"(nvlink="all",gpu="0")", "3"),
       {"refused: gpu0 gpu 1214 unknown_identity \"3\""}},
  });
}

TEST(ReadCareful, TellsMigInstances) {
  const auto mig = [](const char* id) { return kGpu0 + R"(,GPU_I_PROFILE="1g.10gb",GPU_I_ID=")" + id + "\""; };
  expect_all({
      {"an instance has its own activity and memory",
       row("DCGM_FI_PROF_GR_ENGINE_ACTIVE", mig("9"), "0.482113") + row("DCGM_FI_DEV_FB_USED", mig("9"), "7") +
           row("DCGM_FI_DEV_FB_USED", mig("11"), "8"),
       {"gpu0 mig9 1001 GPU_I_ID=9 GPU_I_PROFILE=1g.10gb = 0.482113", "gpu0 mig9 252 GPU_I_ID=9 GPU_I_PROFILE=1g.10gb = 7",
        "gpu0 mig11 252 GPU_I_ID=11 GPU_I_PROFILE=1g.10gb = 8"}},
      {"the card's temperature is one reading",
       row(kTemp, mig("9"), "41") + row(kTemp, mig("11"), "41"),
       {"gpu0 gpu 150 = 41", "unknown 0 repeated 1"}},
      {"an old build's blanks",
       row("DCGM_FI_DEV_FB_USED", kGpu0 + R"(,GPU_I_PROFILE="<<<NULL>>>",GPU_I_ID="")", "7"),
       {"gpu0 gpu 252 = 7"}},
  });
}

TEST(ReadCareful, TellsRepeatsFromContradictions) {
  const auto pod = [](const char* name) { return kGpu0 + R"(,pod=")" + name + R"(",namespace="ml",container="c")"; };
  expect_all({
      {"time slicing: two pods, one value",
       row(kTemp, pod("a"), "41") + row(kTemp, pod("b"), "41.0"),
       {"gpu0 gpu 150 = 41", "unknown 0 repeated 1"}},
      {"two values",
       row(kTemp, pod("a"), "41") + row(kTemp, pod("b"), "42"),
       {"gpu0 gpu 150 = 41", "refused: gpu0 gpu 150 duplicate \"42\"", "unknown 0 repeated 0"}},
      {"two names of one field",
       row(kTemp, kGpu0, "41") + row("dcgm_gpu_temp", kGpu0, "41"),
       {"gpu0 gpu 150 = 41", "unknown 0 repeated 1"}},
      {"a number after a text",
       row(kTemp, pod("a"), "N/A") + row(kTemp, pod("b"), "42"),
       {"gpu0 gpu 150 = 42", "refused: gpu0 gpu 150 unparsable \"N/A\""}},
  });
}

TEST(ReadCareful, KeepsEventLikeRowsApart) {
  const auto text = read(row("DCGM_EXP_XID_ERRORS_COUNT", kGpu0 + R"(,window_size_in_ms="300000",xid="79")", "1") +
                         row("DCGM_EXP_XID_ERRORS_COUNT", kGpu0 + R"(,window_size_in_ms="300000",xid="31")", "2") +
                         row("DCGM_EXP_CLOCK_EVENTS_COUNT", kGpu0 + R"(,clock_event="hw_thermal",window_size_in_ms="300000")", "3") +
                         row("DCGM_EXP_GPU_HEALTH_STATUS", kGpu0 + R"(,health_watch="PCIE",health_error_code="")", "0") +
                         row("DCGM_EXP_GPU_HEALTH_STATUS", kGpu0 + R"(,health_watch="MEM",health_error_code="")", "10") +
                         row("DCGM_FI_DEV_XID_ERRORS", kGpu0 + R"(,err_code="79",err_msg="GPU has fallen off the bus")", "79"));
  EXPECT_THAT(text, HasSubstr("gpu0 gpu 9001 event window_size_in_ms=300000 xid=79 = 1\n"));
  EXPECT_THAT(text, HasSubstr("gpu0 gpu 9001 event window_size_in_ms=300000 xid=31 = 2\n"));
  EXPECT_THAT(text, HasSubstr("gpu0 gpu 9002 event clock_event=hw_thermal window_size_in_ms=300000 = 3\n"));
  EXPECT_THAT(text, HasSubstr("gpu0 gpu 9003 event = 0\n"));
  EXPECT_THAT(text, HasSubstr("gpu0 gpu 9003 event = 10\n"));
  EXPECT_THAT(text, HasSubstr("gpu0 gpu 230 err_code=79 = 79\n")) << "the gauge is a series, not an event";
}

TEST(ReadCareful, BringsUnitsToTheCatalogues) {
  const auto util = [](const char* help) { return std::string(help) + row("DCGM_FI_DEV_GPU_UTIL_RATIO", kGpu0, "0.5"); };
  expect_all({
      {"hertz", row("DCGM_FI_DEV_SM_CLOCK_HERTZ", kGpu0, "1980000000"), {"gpu0 gpu 100 = 1980"}},
      {"joules", row("DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL", kGpu0, "1234.567000"), {"gpu0 gpu 156 = 1234567"}},
      {"bytes", row("DCGM_FI_DEV_BAR1_USED_BYTES", kGpu0, "3145728"), {"gpu0 gpu 92 = 3"}},
      {"ratio", row("DCGM_FI_DEV_FAN_SPEED_RATIO", kGpu0, "0.25"), {"gpu0 gpu 191 = 25"}},
      {"0.57 * 100 is 56.99999999999999", row("DCGM_FI_DEV_FAN_SPEED_RATIO", kGpu0, "0.570000"), {"gpu0 gpu 191 = 57"}},
      {"more decimals than an exporter prints",
       row("DCGM_FI_DEV_FAN_SPEED_RATIO", kGpu0, "0.5712345678"),
       {"gpu0 gpu 191 = 57.123456780000005"}},
      {"HELP says percent", util("# HELP DCGM_FI_DEV_GPU_UTIL_RATIO GPU utilization (in %).\n"), {"gpu0 gpu 203 = 0.5"}},
      {"HELP says ratio", util("# HELP DCGM_FI_DEV_GPU_UTIL_RATIO GPU utilization (ratio, 0-1).\n"), {"gpu0 gpu 203 = 50"}},
      {"HELP after the sample", util("") + "# HELP DCGM_FI_DEV_GPU_UTIL_RATIO Fraction of time busy.\n", {"gpu0 gpu 203 = 50"}},
      {"nobody says", util(""), {"gpu0 gpu 203 = absent", "refused: gpu0 gpu 203 conversion_error \"0.5\""}},
      {"a packed bit-error rate stays packed",
       row("DCGM_FI_DEV_NVLINK_COUNT_EFFECTIVE_BER", R"(nvlink="1",gpu="0",gpu_uuid="GPU-aa")", "3855"),
       {"gpu0 nvlink1 1217 nvlink=1 = 3855"}},
  });
}

TEST(ReadCareful, RefusesWhatIsNoNumber) {
  expect_all({
      {"not convertible",
       row("DCGM_FI_DEV_SM_CLOCK", kGpu0, "ERROR - FAILED TO CONVERT TO STRING"),
       {"gpu0 gpu 100 = absent", "refused: gpu0 gpu 100 conversion_error \"ERROR - FAILED TO CONVERT TO STRING\""}},
      {"a leaked blank",
       row("DCGM_FI_DEV_SM_CLOCK", kGpu0, "<<<NOT_SUPPORTED>>>"),
       {"refused: gpu0 gpu 100 sentinel \"<<<NOT_SUPPORTED>>>\""}},
      {"text", row("DCGM_FI_DEV_SM_CLOCK", kGpu0, "fast"), {"refused: gpu0 gpu 100 unparsable \"fast\""}},
      {"nothing", row("DCGM_FI_DEV_SM_CLOCK", kGpu0, ""), {"refused: gpu0 gpu 100 unparsable \"\""}},
      {"a quote inside a pod's name",
       row(kTemp, kGpu0 + R"(,pod="we"ird")", "41") + row(kTemp, kGpu1, "51"),
       {"gpu0 gpu 150 = 51", "refused: gpu? gpu 150 unparsable \"41\""}},
      {"the same, of a GPU that other rows know",
       row(kTemp, kGpu0 + R"(,pod="we"ird")", "41") + row("DCGM_FI_DEV_SM_CLOCK", kGpu0, "1980"),
       {"refused: gpu0 gpu 150 unparsable \"41\""}},
      {"no metric's name", "<html>\n", {"refused: gpu? gpu 0 unparsable \"<html>\""}},
      {"a newline inside a pod's name",
       "DCGM_FI_DEV_SM_CLOCK{gpu=\"0\"} 1980\n" + kTemp + "{gpu=\"0\",pod=\"a\nb\"} 41\n",
       {"refused: gpu0 gpu 150 unparsable \"DCGM_FI_DEV_GPU_TEMP{gpu=\"0\",pod=\"a\"", "unknown 1 repeated 0"}},
  });
}

TEST(ReadCareful, LeavesJudgementToValidation) {
  expect_all({
      {"not finite", row(kTemp, kGpu0, "NaN") + row(kTemp, kGpu1, "+Inf"), {"gpu0 gpu 150 = nan", "gpu1 gpu 150 = inf"}},
      {"a sentinel", row(kTemp, kGpu0, "9223372036854775794"), {"gpu0 gpu 150 = 9.223372036854776e+18"}},
      {"an absurd number", row(kTemp, kGpu0, "-1e9"), {"gpu0 gpu 150 = -1000000000"}},
  });
}

TEST(ReadCareful, ToleratesProxiesAndFederation) {
  expect_all({
      {"floats and time stamps", row(kTemp, kGpu0, "4.2e+01 1700000000123"), {"gpu0 gpu 150 = 42 @1700000000123"}},
      {"no last newline", "# EOF\n\n" + kTemp + "{" + kGpu0 + "} 41", {"gpu0 gpu 150 = 41"}},
      {"carriage returns", kTemp + "{" + kGpu0 + "} 41\r\n# TYPE x gauge\r\n", {"gpu0 gpu 150 = 41"}},
      {"other exporters' families",
       "node_load1 0.5\nup{job=\"x\"} 1\n" + row(kTemp, kGpu0, "41"),
       {"gpu0 gpu 150 = 41", "unknown 2 repeated 0"}},
      {"two hosts on one page",
       row(kTemp, R"(gpu="0",UUID="GPU-aa",Hostname="n1")", "41") + row(kTemp, R"(gpu="0",UUID="GPU-bb",Hostname="n2")", "51"),
       {"gpu0 gpu 150 = 41", "gpu1 gpu 150 = 51"}},
      {"an empty page", "", {"unknown 0 repeated 0"}},
      {"blank lines", "\n \n\r\n", {"unknown 0 repeated 0"}},
  });
}

TEST(ReadCareful, DoesNotFillMemoryWithGarbage) {
  const auto r = read_careful(std::string(300'000, 'x') + "}\n", catalogue());
  EXPECT_EQ(r.unknown_lines, 1u);
  std::string page;
  for (int i = 0; i < 100'010; ++i) page += "<\n";
  const auto garbage = read_careful(page, catalogue());
  EXPECT_EQ(garbage.refused.size(), 100'000u);
  EXPECT_EQ(garbage.unknown_lines, 10u);
  ASSERT_FALSE(read_careful("<" + std::string(5000, 'x'), catalogue()).refused.empty());
  EXPECT_EQ(read_careful("<" + std::string(5000, 'x'), catalogue()).refused[0].value.size(), 200u);
}

}  // namespace
}  // namespace ghm::dcgm_exporter
