#include "domain/simulation/fleet.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "domain/simulation/page_for_test.h"
#include "domain/telemetry/metric_catalogue.h"
#include "domain/telemetry/model_catalogue.h"

namespace ghm::simulation {
namespace {

using test::fleet_of;
using test::kBirth;
using test::label;
using test::lines_of;
using test::page_at;
using test::seen;

std::vector<std::string> pages(Fleet fleet, std::chrono::seconds every, std::chrono::seconds until) {
  std::vector<std::string> out;
  for (auto t = 0s; t < until; t += every) page_at(fleet, 0, kBirth + t);
  for (std::size_t host = 0; host < fleet.hosts(); ++host) out.push_back(page_at(fleet, host, kBirth + until));
  return out;
}

TEST(Fleet, TheSameSeedGivesTheSamePages) {
  EXPECT_EQ(pages(fleet_of(32, "literature", 3), 10s, 600s), pages(fleet_of(32, "literature", 3), 10s, 600s));
}

TEST(Fleet, HowOftenItIsScrapedChangesNothing) {
  EXPECT_EQ(pages(fleet_of(8), 1s, 120s), pages(fleet_of(8), 60s, 120s));
}

TEST(Fleet, AnotherSeedGivesOtherBoards) {
  EXPECT_NE(pages(fleet_of(8, "healthy", 3), 60s, 60s), pages(fleet_of(8, "healthy", 4), 60s, 60s));
}

std::set<std::string> jobs_on(Fleet& fleet, std::size_t host, Timestamp t) {
  std::set<std::string> jobs;
  for (const auto& line : lines_of(page_at(fleet, host, t))) jobs.insert(label(line, "hpc_job"));
  return jobs;
}

Fleet fleet_with_job_names(int gpus) {
  auto fleet = Fleet::create({.gpus = gpus, .seed = 7, .scenario = "healthy", .start = kBirth, .job_names = true});
  EXPECT_TRUE(fleet) << fleet.error().what;
  return std::move(*fleet);
}

/// Two hosts that share a job, and when they do.
struct SharedJob {
  std::size_t a = 0, b = 0;
  Timestamp at{};
  std::string name;
};
std::optional<SharedJob> shared_job(Fleet& fleet) {
  for (auto t = kBirth + 10min; t < kBirth + 48h; t += 1h) {
    std::map<std::string, std::size_t> seen;
    for (std::size_t host = 0; host < fleet.hosts(); ++host) {
      const auto jobs = jobs_on(fleet, host, t);
      EXPECT_EQ(jobs.size(), 1u) << "all GPUs of a host work on one job";
      if (jobs.contains("")) continue;
      const auto [other, first] = seen.try_emplace(*jobs.begin(), host);
      if (!first) return SharedJob{other->second, host, t, *jobs.begin()};
    }
  }
  return std::nullopt;
}

TEST(Fleet, PagesNameJobsWhereThePlanSaysSo) {
  auto plain = fleet_of(64);
  for (std::size_t host = 0; host < plain.hosts(); ++host) EXPECT_EQ(jobs_on(plain, host, kBirth + 10min), std::set<std::string>{""});
}

TEST(Fleet, AFaultEndsTheJobOnAllOfItsHosts) {
  auto fleet = fleet_with_job_names(64);
  const auto job = shared_job(fleet);
  ASSERT_TRUE(job) << "no job of two hosts within two days";
  EXPECT_TRUE(job->name.starts_with("train-")) << job->name;
  ASSERT_TRUE(fleet.inject(fmt::format("{}", 8 * job->a + 3), "off_bus", job->at));
  EXPECT_EQ(jobs_on(fleet, job->a, job->at + 30s), std::set<std::string>{""});
  EXPECT_EQ(jobs_on(fleet, job->b, job->at + 40s), std::set<std::string>{""});
}

TEST(Fleet, RefusesPlansThatCannotBe) {
  EXPECT_EQ(Fleet::create({0, 1, "healthy", kBirth}).error().code, Errc::invalid_input);
  const auto unknown = Fleet::create({8, 1, "sunny", kBirth});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().what, testing::HasSubstr("noprecursor"));
}

TEST(Fleet, EveryBoardOfALargeFleetIsItsOwn) {
  auto fleet = fleet_of(2000);
  std::set<std::string> serials, uuids, hosts;
  for (std::size_t h = 0; h < fleet.hosts(); ++h) {
    hosts.insert(fleet.place(h).host);
    std::set<std::string> buses;
    for (const auto& line : lines_of(page_at(fleet, h, kBirth)))
      if (line.name == "DCGM_FI_DEV_GPU_TEMP") {
        EXPECT_EQ(label(line, "DCGM_FI_DEV_SERIAL").size(), 13u);
        EXPECT_TRUE(telemetry::is_gpu_uuid(label(line, "UUID")));
        EXPECT_EQ(telemetry::normalise_pci_bus_id(label(line, "pci_bus_id")), label(line, "pci_bus_id"));
        EXPECT_EQ(label(line, "Hostname"), fleet.place(h).host);
        serials.insert(label(line, "DCGM_FI_DEV_SERIAL"));
        uuids.insert(label(line, "UUID"));
        buses.insert(label(line, "pci_bus_id"));
      }
    EXPECT_EQ(buses.size(), 8u);
  }
  EXPECT_EQ(serials.size(), 2000u);
  EXPECT_EQ(uuids.size(), 2000u);
  EXPECT_EQ(hosts.size(), 250u);
}

TEST(Fleet, StandsInRacksOfFourHostsAtTwoSites) {
  auto fleet = fleet_of(96);
  std::map<std::string, int> racks;
  std::set<std::string> sites;
  for (std::size_t h = 0; h < fleet.hosts(); ++h) {
    ++racks[fleet.place(h).rack];
    sites.insert(fleet.place(h).datacenter + " " + fleet.place(h).region);
  }
  EXPECT_THAT(racks, testing::UnorderedElementsAre(std::pair("fra1-r01", 4), std::pair("fra1-r02", 4), std::pair("iad1-r01", 4)));
  EXPECT_THAT(sites, testing::UnorderedElementsAre("fra1 eu-central", "iad1 us-east"));
}

TEST(Page, EveryNameIsInTheMetricCatalogueAndEveryValueInItsRange) {
  const auto& catalogue = telemetry::MetricCatalogue::built_in();
  auto fleet = fleet_of(160, "literature");
  for (std::size_t h = 0; h < fleet.hosts(); ++h)
    for (const auto& line : lines_of(page_at(fleet, h, kBirth + 900s))) {
      const auto* spec = catalogue.by_name(line.name);
      ASSERT_NE(spec, nullptr) << line.name;
      EXPECT_GE(line.value, spec->min) << line.name;
      EXPECT_LE(line.value, spec->max) << line.name;
    }
}

TEST(Page, EveryModelHas110SeriesPerGpu) {
  auto fleet = fleet_of(400);
  std::set<std::string> models;
  for (std::size_t h = 0; h < fleet.hosts(); ++h) {
    std::map<std::string, std::set<std::string>> series;
    std::size_t count = 0;
    for (const auto& line : lines_of(page_at(fleet, h, kBirth))) {
      series[label(line, "gpu")].insert(line.name + "{" + line.labels);
      ++count;
      if (const auto model = label(line, "modelName"); !model.empty()) models.insert(model);
    }
    ASSERT_EQ(series.size(), 8u);
    std::size_t distinct = 0;
    for (const auto& [gpu, of] : series) {
      EXPECT_GE(of.size(), 110u);
      distinct += of.size();
    }
    EXPECT_EQ(distinct, count) << "a series stands twice";
  }
  EXPECT_EQ(models.size(), 4u);
  for (const auto& m : models) EXPECT_NE(telemetry::ModelCatalogue::built_in().find(m), nullptr) << m;
}

TEST(Page, LooksLikeTheExporters) {
  auto fleet = fleet_of(8);
  const auto page = page_at(fleet, 0, kBirth);
  EXPECT_THAT(page, testing::HasSubstr("# HELP DCGM_FI_DEV_GPU_TEMP GPU temperature (in C).\n# TYPE DCGM_FI_DEV_GPU_TEMP "
                                       "gauge\nDCGM_FI_DEV_GPU_TEMP{gpu=\"0\",UUID=\"GPU-"));
  EXPECT_THAT(
      page,
      testing::ContainsRegex(
          "\nDCGM_FI_DEV_XID_ERRORS\\{gpu=\"3\",[^}]*,DCGM_FI_DRIVER_VERSION=\"[0-9.]+\",err_code=\"0\",err_msg=\"No Error\"\\} 0\n"));
  EXPECT_THAT(page, testing::ContainsRegex("\nDCGM_FI_DEV_POWER_USAGE\\{[^}]*\\} [0-9]+\\.[0-9]{6}\n"));
  EXPECT_THAT(
      page, testing::ContainsRegex(
                "\nDCGM_FI_DEV_NVLINK_GET_STATE\\{nvlink=\"4\",gpu=\"2\",gpu_uuid=\"[^}]*,model_name=\"[^}]*,hostname=\"[^\"]*\"\\} 1\n"));
  EXPECT_THAT(page, testing::ContainsRegex("\nDCGM_EXP_XID_ERRORS_COUNT\\{[^}]*,window_size_in_ms=\"300000\"\\} 0\n"));
  EXPECT_EQ(page.find("nan"), std::string::npos);
  EXPECT_EQ(page.find("e+"), std::string::npos);
  EXPECT_TRUE(page.ends_with('\n'));
}

void expect_sane(const test::Seen& s) {
  EXPECT_GT(s["DEV_POWER_USAGE"], 40);
  EXPECT_LT(s["DEV_POWER_USAGE"], 1.5 * s["DEV_POWER_MGMT_LIMIT_DEF"]);
  EXPECT_GE(s["DEV_GPU_TEMP"], 20);
  EXPECT_LE(s["DEV_GPU_TEMP"], 82);
  EXPECT_GE(s["DEV_MEMORY_TEMP"], s["DEV_GPU_TEMP"] - 15) << "it lags behind";
  EXPECT_LE(s["DEV_MEMORY_TEMP"], 94);
  EXPECT_LE(s["DEV_SM_CLOCK"], s["DEV_MAX_SM_CLOCK"]);
  EXPECT_EQ(static_cast<int>(s["DEV_CLOCK_THROTTLE_REASONS"]) & 0xE8, 0) << "no fault, no throttling";
  EXPECT_EQ(s["DEV_FB_USED"] + s["DEV_FB_FREE"] + s["DEV_FB_RESERVED"], s["DEV_FB_TOTAL"]);
}

TEST(Physics, TwoHoursOfAHealthyPilot) {
  constexpr auto kStep = 120s;
  auto fleet = fleet_of(96);
  std::map<std::pair<std::size_t, int>, double> energy;
  std::vector<double> busy_temps;
  for (auto t = 0s; t <= 7200s; t += kStep)
    for (std::size_t h = 0; h < fleet.hosts(); ++h)
      for (const auto& [gpu, s] : test::all_seen(fleet, h, kBirth + t)) {
        expect_sane(s);
        if (s["PROF_GR_ENGINE_ACTIVE"] > 0.95) busy_temps.push_back(s["DEV_GPU_TEMP"]);
        const double now = s["DEV_TOTAL_ENERGY_CONSUMPTION"], before = std::exchange(energy[{h, gpu}], now);
        if (before == 0) continue;
        const double watts = (now - before) / 1000 / Seconds(kStep).count();
        EXPECT_GT(watts, 40);
        EXPECT_LT(watts, 1.05 * s["DEV_POWER_MGMT_LIMIT_DEF"]);
      }
  ASSERT_GT(busy_temps.size(), 1000u);
  std::ranges::sort(busy_temps);
  EXPECT_GT(busy_temps[busy_temps.size() / 2], 50);
  EXPECT_LT(busy_temps[busy_temps.size() / 2], 72);
}

TEST(Physics, AWeekInOneJumpIsSane) {
  auto fleet = fleet_of(8);
  const auto before = seen(fleet, 0, 0, kBirth);
  const auto after = seen(fleet, 0, 0, kBirth + 7 * 24h);
  const double watts = (after["DEV_TOTAL_ENERGY_CONSUMPTION"] - before["DEV_TOTAL_ENERGY_CONSUMPTION"]) / 1000 / (7 * 86400);
  EXPECT_GT(watts, 80);
  EXPECT_LT(watts, 1000);
  EXPECT_LT(after["DEV_GPU_TEMP"], 90);
}

TEST(Fleet, TimeDoesNotRunBackwards) {
  auto fleet = fleet_of(8);
  const auto page = page_at(fleet, 0, kBirth + 60s);
  EXPECT_EQ(page_at(fleet, 0, kBirth + 10s), page);
}

TEST(Fleet, WithoutABirthdayItIsBornWhenItIsFirstLookedAt) {
  auto fleet = Fleet::create({8, 1, "wearout", {}});
  ASSERT_TRUE(fleet);
  const auto s = seen(*fleet, 0, 0, kBirth);
  EXPECT_EQ(s["DEV_XID_ERRORS"], 0);
  EXPECT_GT(s["DEV_GPU_TEMP"], 20);
}

// Signs that a board is not well, by its page alone.
int unwell(const test::Seen& s) {
  return (s["DEV_ROW_REMAP_PENDING"] != 0) + (s["DEV_ROW_REMAP_FAILURE"] != 0) + (s["DEV_XID_ERRORS"] != 0) +
         (s["DEV_ECC_DBE_VOL_TOTAL"] != 0) + (s["DEV_PCIE_LINK_WIDTH"] < 16) + (s["DEV_ECC_SBE_VOL_TOTAL"] > 3) + (s["DEV_GPU_TEMP"] > 78);
}

int unwell_in(const std::string& scenario, std::chrono::seconds after) {
  auto fleet = fleet_of(96, scenario, 1);
  int n = 0;
  for (std::size_t h = 0; h < fleet.hosts(); ++h)
    for (const auto& [gpu, s] : test::all_seen(fleet, h, kBirth + after)) n += unwell(s) > 0;
  return n;
}

TEST(Fleet, AHealthyPilotHasNoFaults) {
  EXPECT_EQ(unwell_in("healthy", 24h), 0);
}

TEST(Fleet, AnOrdinaryPilotHasAFewMildIssuesFromBirth) {
  const int n = unwell_in("literature", 4h);
  EXPECT_GE(n, 3);
  EXPECT_LE(n, 8);
}

}  // namespace
}  // namespace ghm::simulation
