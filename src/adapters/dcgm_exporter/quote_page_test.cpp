#include <gtest/gtest.h>

#include "adapters/dcgm_exporter/page_reader.h"
#include "domain/validation/believe.h"

namespace ghm::dcgm_exporter {
namespace {

TEST(QuotePage, RefusedValuesAreThePagesText) {
  const std::string page =
      "DCGM_FI_DEV_GPU_TEMP{gpu=\"0\"} 9223372036854775794\n"
      "DCGM_FI_DEV_SM_CLOCK_HERTZ{gpu=\"0\"} 9.9e+15 1700000000000\n"
      "DCGM_FI_DEV_MEM_CLOCK{gpu=\"0\"} fast\n"
      "DCGM_FI_DEV_GPU_TEMP{gpu=\"1\"} NaN\n"
      "DCGM_FI_DEV_GPU_TEMP{gpu=\"2\"} 41\n";
  const auto& catalogue = telemetry::MetricCatalogue::built_in();
  auto reading = read_careful(page, catalogue);
  const auto first = reading.refused.size();
  ASSERT_EQ(first, 1u);
  const auto rules = validation::ColumnRules::build(*reading.layout, reading.values, catalogue, telemetry::ModelCatalogue::built_in());
  validation::believe(reading, rules, from_unix_ms(1700000000000));
  quote_page(reading, first, page, catalogue);
  std::vector<std::string> quoted;
  for (const auto& r : reading.refused) quoted.push_back(std::string(to_string(r.reason)) + " " + r.value);
  EXPECT_EQ(quoted,
            (std::vector<std::string>{"unparsable fast", "out_of_range 9.9e+15", "sentinel 9223372036854775794", "not_finite NaN"}));
}

}  // namespace
}  // namespace ghm::dcgm_exporter
