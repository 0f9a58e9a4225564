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

TEST(Believe, ARefusedValueBecomesAbsentAndKeepsItsText) {
  auto r = reading("", {{field::gpu_temp, 4000}});
  believe(r, ColumnRules::build(*r.layout, {}, telemetry::MetricCatalogue::built_in(), telemetry::ModelCatalogue::built_in()), kNow);
  EXPECT_TRUE(telemetry::is_absent(r.values[0]));
  ASSERT_EQ(r.refused.size(), 1u);
  EXPECT_EQ(r.refused[0].value, "4000");
  EXPECT_EQ(r.refused[0].gpu, 0);
}

TEST(Believe, ALinesOwnTimeMustBeNearOurs) {
  auto r = reading("", {{field::gpu_temp, 60}, {field::gpu_temp, 61}, {field::gpu_temp, 62}});
  r.stamps = {{0, kNow + 6min}, {1, kNow - 49h}, {2, kNow - 47h}};
  EXPECT_EQ(reasons(std::move(r)), (std::vector{Reason::future, Reason::too_old}));
}

}  // namespace
}  // namespace ghm::validation
