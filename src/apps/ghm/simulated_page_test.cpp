// The simulator's page through the reader and the checks that real pages go through: all of it is understood and believed.
#include <gtest/gtest.h>

#include <set>

#include "adapters/dcgm_exporter/page_reader.h"
#include "domain/simulation/fleet.h"
#include "domain/validation/believe.h"

namespace ghm::app {
namespace {

constexpr Timestamp kBirth{std::chrono::milliseconds(1'770'000'000'000)};

TEST(SimulatedPage, IsUnderstoodAndBelieved) {
  const auto& metrics = telemetry::MetricCatalogue::built_in();
  auto fleet = simulation::Fleet::create({240, 5, "literature", kBirth});
  ASSERT_TRUE(fleet);
  std::set<std::string> models;
  for (std::size_t host = 0; host < fleet->hosts(); ++host) {
    fleet->advance(host, kBirth + 600s);
    std::string page;
    fleet->render(host, page);
    auto reading = dcgm_exporter::read_careful(page, metrics);
    const auto rules = validation::ColumnRules::build(*reading.layout, reading.values, metrics, telemetry::ModelCatalogue::built_in());
    validation::believe(reading, rules, kBirth + 600s);
    EXPECT_EQ(reading.unknown_lines, 0u);
    for (const auto& r : reading.refused) ADD_FAILURE() << "refused: metric " << static_cast<int>(r.metric) << " = " << r.value;
    ASSERT_EQ(reading.layout->gpus.size(), 8u) << "link rows belong to the GPUs, not to others";
    EXPECT_GE(reading.values.size(), 8u * 110);
    for (const auto& gpu : reading.layout->gpus) {
      EXPECT_EQ(gpu.serial.size(), 13u);
      EXPECT_FALSE(gpu.vbios_version.empty() || gpu.driver_version.empty());
      EXPECT_EQ(gpu.hostname, fleet->place(host).host);
      models.insert(gpu.model);
    }
  }
  EXPECT_EQ(models.size(), 4u);
}

}  // namespace
}  // namespace ghm::app
