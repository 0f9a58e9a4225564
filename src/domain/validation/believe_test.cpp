#include "domain/validation/believe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ghm::validation {
namespace {

namespace field = telemetry::field;
using telemetry::MetricId;
using telemetry::Reason;

const Timestamp kNow = from_unix_ms(1'700'000'000'000);

telemetry::PageReading reading(const std::string& model, std::vector<std::pair<MetricId, double>> values) {
  auto table = std::make_shared<telemetry::SeriesTable>();
  telemetry::PageReading r;
  for (const auto& [metric, value] : values) {
    table->series.push_back({0, {}, metric, false});
    r.values.push_back(value);
  }
  auto layout = std::make_shared<telemetry::PageLayout>();
  layout->table = table;
  layout->gpus.emplace_back().model = model;
  r.layout = layout;
  return r;
}

std::vector<Reason> reasons(telemetry::PageReading r) {
  const auto rules = ColumnRules::build(*r.layout, r.values, telemetry::MetricCatalogue::built_in(), telemetry::ModelCatalogue::built_in());
  believe(r, rules, kNow);
  std::vector<Reason> out;
  for (const auto& refusal : r.refused) out.push_back(refusal.reason);
  return out;
}

TEST(Believe, ReadsLikeTheContract) {
  const double inf = std::numeric_limits<double>::infinity();
  struct Case {
    const char* why;
    const char* model;
    MetricId metric;
    double value;
    std::vector<Reason> want;
  };
  const Case cases[] = {
      {"a normal temperature", "NVIDIA H100 80GB HBM3", field::gpu_temp, 61, {}},
      {"too hot to be true", "NVIDIA H100 80GB HBM3", field::gpu_temp, 4000, {Reason::out_of_range}},
      {"INT32 blank", "", field::gpu_temp, 2147483632.0, {Reason::sentinel}},
      {"INT32 not permissioned", "", field::total_energy, 2147483635.0, {Reason::sentinel}},
      {"one above the blanks is a count", "", field::total_energy, 2147483636.0, {}},
      {"INT64 not supported", "", field::total_energy, 9223372036854775794.0, {Reason::sentinel}},
      {"FP64 blank", "", field::power_usage, 140737488355328.0, {Reason::sentinel}},
      {"FP64 blank times 100", "", field::fan_speed, 1.40737488355328e16, {Reason::sentinel}},
      {"INT32 blank in hertz, read as MHz", "", field::sm_clock, 2147483632.0 / 1e6, {Reason::sentinel}},
      {"a clock beside it", "", field::sm_clock, 2147, {}},
      {"unsigned -1 as utilisation", "", field::gpu_util, 4294967295.0, {Reason::out_of_range}},
      {"NaN", "", field::gpu_temp, std::nan(""), {Reason::not_finite}},
      {"infinity", "", field::gpu_temp, inf, {Reason::not_finite}},
      {"absent stays absent, without a word", "", field::gpu_temp, telemetry::absent(), {}},
      {"a B200 draws 1,000 W", "NVIDIA B200", field::power_usage, 1000, {}},
      {"and not 1,501", "NVIDIA B200", field::power_usage, 1501, {Reason::out_of_range}},
      {"a T4 does not draw 300 W", "Tesla T4", field::power_usage, 300, {Reason::out_of_range}},
      {"power of 0 is possible", "NVIDIA B200", field::power_usage, 0, {}},
      {"below 0 is not", "NVIDIA B200", field::power_usage, -1, {Reason::out_of_range}},
  };
  for (const auto& c : cases) EXPECT_EQ(reasons(reading(c.model, {{c.metric, c.value}})), c.want) << c.why;
}

TEST(Believe, TheDevicesOwnLimitsComeFirst) {
  EXPECT_TRUE(reasons(reading("Tesla T4", {{field::power_usage, 150}, {field::power_limit_max, 150}})).empty());
  EXPECT_EQ(reasons(reading("NVIDIA B200", {{field::power_usage, 500}, {field::power_limit_max, 300}})),
            (std::vector{Reason::out_of_range}));
  // A blank limit is no limit.
  const auto blank = reasons(reading("NVIDIA B200", {{field::power_usage, 900}, {field::power_limit_max, 2147483632.0}}));
  EXPECT_EQ(blank, (std::vector{Reason::sentinel}));
}

TEST(Believe, PhysicsOfTheModelAndTheDevice) {
  constexpr MetricId pcie_sent{1009}, link_sent{1011}, links_mib{449}, one_link_mib{440}, fb_total{250}, max_memory_clock{114};
  const std::string h100 = "NVIDIA H100 80GB HBM3";
  struct Case {
    const char* why;
    std::string model;
    std::vector<std::pair<MetricId, double>> page;
    std::vector<Reason> want;
  };
  const Case cases[] = {
      {"PCIe 5 x16, nearly full", h100, {{pcie_sent, 62e9}}, {}},
      {"more than 16 lanes carry", h100, {{pcie_sent, 75e9}}, {Reason::out_of_range}},
      {"a T4 has PCIe 3", "Tesla T4", {{pcie_sent, 40e9}}, {Reason::out_of_range}},
      {"the device says generation 4",
       h100,
       {{field::pcie_max_gen, 4}, {field::pcie_max_width, 16}, {pcie_sent, 60e9}},
       {Reason::out_of_range}},
      {"NVLink 4, 450 GB/s and headers", h100, {{link_sent, 530e9}}, {}},
      {"more than 18 links carry", h100, {{link_sent, 600e9}}, {Reason::out_of_range}},
      {"send plus receive of all links in MiB", h100, {{links_mib, 900e9 / 1048576}}, {}},
      {"twice that", h100, {{links_mib, 1800e9 / 1048576}}, {Reason::out_of_range}},
      {"one link of 18", h100, {{one_link_mib, 48'000}, {one_link_mib, 62'000}}, {Reason::out_of_range}},
      {"a part whose links we do not know", "Quadro Unheard Of", {{link_sent, 900e9}}, {}},
      {"clock above the device's own", h100, {{field::max_sm_clock, 1980}, {field::sm_clock, 2100}}, {Reason::out_of_range}},
      {"clock at the device's own", h100, {{field::max_sm_clock, 1980}, {field::sm_clock, 1980}}, {}},
      {"a game card's clock is the device's own word",
       "NVIDIA GeForce RTX 5090",
       {{field::max_sm_clock, 2400}, {field::sm_clock, 2407}},
       {}},
      {"memory clock", h100, {{max_memory_clock, 2619}, {field::mem_clock, 3000}}, {Reason::out_of_range}},
      {"more memory than the device has", h100, {{fb_total, 81559}, {field::fb_used, 82000}}, {Reason::out_of_range}},
      {"more memory than the model has", h100, {{field::fb_used, 97000}}, {Reason::out_of_range}},
      {"80 GB are 81559 MiB", h100, {{field::fb_used, 81559}}, {}},
      {"a sister with more memory than the row", "NVIDIA GH200 144G HBM3e", {{field::fb_used, 140'000}}, {}},
      {"a limit that is garbage limits nothing", h100, {{field::max_sm_clock, 2147483632.0}, {field::sm_clock, 1980}}, {Reason::sentinel}},
  };
  for (const auto& c : cases) EXPECT_EQ(reasons(reading(c.model, c.page)), c.want) << c.why;
}

TEST(Believe, ASitesOwnWordWins) {
  const Overrides hot{{field::gpu_temp, "", std::nullopt, 130.0}, {field::gpu_temp, "T4", std::nullopt, 60.0}};
  const auto judged = [&](const std::string& model, double value) {
    auto r = reading(model, {{field::gpu_temp, value}});
    const auto& metrics = telemetry::MetricCatalogue::built_in();
    believe(r, ColumnRules::build(*r.layout, r.values, metrics, telemetry::ModelCatalogue::built_in(), hot), kNow);
    return r.refused.empty();
  };
  EXPECT_TRUE(judged("NVIDIA B200", 125));
  EXPECT_FALSE(judged("NVIDIA B200", 131));
  EXPECT_FALSE(judged("NVIDIA B200", 9)) << "the side that is not given stays the catalogue's";
  EXPECT_TRUE(judged("Tesla T4", 59)) << "a model by either of its names";
  EXPECT_FALSE(judged("Tesla T4", 61));
}

TEST(Believe, ARefusedValueBecomesAbsentAndKeepsItsText) {
  auto r = reading("", {{field::gpu_temp, 4000}});
  believe(r, ColumnRules::build(*r.layout, {}, telemetry::MetricCatalogue::built_in(), telemetry::ModelCatalogue::built_in()), kNow);
  EXPECT_TRUE(telemetry::is_absent(r.values[0]));
  ASSERT_EQ(r.refused.size(), 1u);
  EXPECT_EQ(r.refused[0].value, "4000");
  EXPECT_EQ(r.refused[0].gpu, 0);
  EXPECT_EQ(r.refused[0].column, 0u);
  EXPECT_EQ(r.refused[0].number, 4000);
}

TEST(Believe, ALinesOwnTimeMustBeNearOurs) {
  auto r = reading("", {{field::gpu_temp, 60}, {field::gpu_temp, 61}, {field::gpu_temp, 62}});
  r.stamps = {{0, kNow + 6min}, {1, kNow - 49h}, {2, kNow - 47h}};
  EXPECT_EQ(reasons(std::move(r)), (std::vector{Reason::future, Reason::too_old}));
}

}  // namespace
}  // namespace ghm::validation
