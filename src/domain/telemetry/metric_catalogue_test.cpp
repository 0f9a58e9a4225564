#include "domain/telemetry/metric_catalogue.h"

#include <gtest/gtest.h>

#include <set>

#include "domain/telemetry/model_catalogue.h"

namespace ghm::telemetry {
namespace {

const MetricCatalogue& built_in() {
  return MetricCatalogue::built_in();
}

double converted(const char* spelling, double printed) {
  const auto* s = built_in().spelling(spelling);
  return s ? printed * s->multiply / s->divide : -1;
}

TEST(MetricCatalogue, HasMoreThanAHundredAndTenMetricsOfAGpu) {
  std::size_t numbers = 0;
  for (const auto& spec : built_in().all())
    numbers += spec.kind != MetricKind::label && spec.entity == Entity::Kind::gpu && !spec.event_like;
  EXPECT_GE(numbers, 110u);
}

TEST(MetricCatalogue, EverySpellingLeadsToOneField) {
  struct Case {
    const char* spelling;
    MetricId id;
    const char* canonical;
  };
  const Case cases[] = {
      {"DCGM_FI_DEV_GPU_TEMP", field::gpu_temp, "DCGM_FI_DEV_GPU_TEMP"},
      {"dcgm_gpu_temp", field::gpu_temp, "DCGM_FI_DEV_GPU_TEMP"},
      {"DCGM_FI_DEV_CLOCKS_EVENT_REASONS", field::clock_reasons, "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"},
      {"DCGM_FI_DEV_ROW_REMAP_FAILED", field::row_remap_failure, "DCGM_FI_DEV_ROW_REMAP_FAILURE"},
      {"DCGM_FI_EXP_CLOCK_THROTTLE_REASONS_COUNT", field::exp_clock_events, "DCGM_EXP_CLOCK_EVENTS_COUNT"},
  };
  for (const auto& c : cases) {
    const auto* spec = built_in().by_name(c.spelling);
    ASSERT_NE(spec, nullptr) << c.spelling;
    EXPECT_EQ(spec->id, c.id) << c.spelling;
    EXPECT_EQ(spec->name, c.canonical);
  }
  EXPECT_EQ(built_in().by_name("DCGM_FI_DEV_GPU_TEMPO"), nullptr);
  EXPECT_EQ(built_in().by_name(""), nullptr);
}

TEST(MetricCatalogue, BaseUnitsAreConverted) {
  EXPECT_EQ(converted("DCGM_FI_DEV_SM_CLOCK_HERTZ", 1'980'000'000), 1980);
  EXPECT_EQ(converted("DCGM_FI_DEV_BAR1_USED_BYTES", 1048576), 1);
  EXPECT_EQ(converted("DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL", 1234.5), 1234500);
  EXPECT_EQ(converted("DCGM_FI_DEV_FAN_SPEED_RATIO", 0.42), 42);
  EXPECT_EQ(converted("DCGM_FI_DEV_GPU_TEMP", 61), 61);
}

TEST(MetricCatalogue, NamesThatEndInALinkNumber) {
  const auto* spec = built_in().by_name("DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_L3");
  ASSERT_NE(spec, nullptr);
  EXPECT_EQ(spec->link, 3);
  EXPECT_EQ(built_in().by_name("DCGM_FI_DEV_GPU_TEMP")->link, -1);
}

TEST(MetricCatalogue, FieldsThatCodeNamesAreThere) {
  for (const auto id : {field::serial, field::clock_reasons, field::gpu_temp, field::ecc_sbe_volatile, field::ecc_dbe_aggregate,
                        field::banks_without_spares, field::row_remap_failure, field::fan_speed, field::nvlink_state,
                        field::graphics_activity, field::exp_p2p})
    EXPECT_NE(built_in().find(id), nullptr) << static_cast<int>(id);
  EXPECT_EQ(built_in().find(MetricId{16000}), nullptr);
  EXPECT_EQ(built_in().find(MetricId{65535}), nullptr);
}

TEST(MetricCatalogue, ComplaintsNameTheLine) {
  const std::string head =
      "field_id,name,kind,unit,entity,meaning,counter_resets,min,max,used_for,multiply,divide,per_instance,event_like,unit_from_help\n";
  struct Case {
    const char* row;
    const char* said;
  };
  const Case cases[] = {
      {"0,A,gauge,W,gpu,m,n-a,,,power,1,1,0,0,0", "t.csv:2: field_id '0': expected 1 to 16383"},
      {"1,A,odd,W,gpu,m,n-a,,,power,1,1,0,0,0", "t.csv:2: kind 'odd': expected gauge, counter, info or label"},
      {"1,A,gauge,W,gpu,m,n-a,low,,power,1,1,0,0,0", "t.csv:2: min 'low': expected a number"},
      {"1,A,gauge,W,gpu,m,n-a,,,power,1,1,0,0,0\n2,A,gauge,W,gpu,m,n-a,,,power,1,1,0,0,0", "t.csv: the name A stands twice"},
  };
  for (const auto& c : cases) {
    const auto parsed = MetricCatalogue::parse(head + c.row, "t.csv");
    ASSERT_FALSE(parsed) << c.row;
    EXPECT_EQ(parsed.error().what, c.said);
  }
  EXPECT_EQ(MetricCatalogue::parse("field_id\n1\n", "t.csv").error().what, "t.csv:1: column 'name' is missing");
}

TEST(ModelCatalogue, FindsByTheExportersNameAndItsOwn) {
  const auto& models = ModelCatalogue::built_in();
  const auto* h100 = models.find("nvidia h100 80gb hbm3");
  ASSERT_NE(h100, nullptr);
  EXPECT_EQ(h100, models.find("H100-SXM5-80GB"));
  EXPECT_EQ(h100->tdp_w, 700);
  EXPECT_EQ(h100->nvlinks, 18);
  EXPECT_FALSE(h100->has_fan);
  EXPECT_EQ(models.find("NVIDIA B200")->tdp_w, 1000);
  EXPECT_EQ(models.find("NVIDIA A100-SXM4-80GB")->nvlinks, 12);
  EXPECT_TRUE(models.find("NVIDIA GeForce RTX 4090")->has_fan);
  EXPECT_EQ(models.find("Riva TNT2"), nullptr);
  EXPECT_FALSE(models.find("P40")->slowdown_temp_c.has_value()) << "an unknown fact is not 0";
}

}  // namespace
}  // namespace ghm::telemetry
