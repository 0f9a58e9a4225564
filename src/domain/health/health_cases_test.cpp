// The profile's own cases (tests/data/health_cases.json), each with readings and the answer worked out by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "domain/health/health.h"

namespace ghm::health {
namespace {

using Json = nlohmann::json;

void repeat(Series& out, double& at, double step, const Json& value, std::size_t times) {
  for (; times > 0; --times, at += step)
    if (!value.is_null()) out.push_back({at, value.get<double>()});
}

// A series is written as pairs, as values with a step, or as runs of equal values with a step.
Series read_series(const Json& j) {
  Series out;
  if (j.is_array()) {
    for (const auto& pair : j) out.push_back({pair[0], pair[1]});
    return out;
  }
  double at = j["start"];
  const double step = j["step_s"];
  if (j.contains("values"))
    for (const auto& v : j["values"]) repeat(out, at, step, v, 1);
  else
    for (const auto& run : j["runs"]) repeat(out, at, step, run[0], run[1]);
  return out;
}

Input read_input(const Json& j) {
  Input in;
  in.t = j["t"];
  in.interval_s = j["interval_s"];
  in.deployed_at = j["deployed_at"];
  in.model = j["model"];
  for (const auto& [name, series] : j["metrics"].items()) {
    auto& metric = in.metrics[name];
    if (!series.is_null()) metric = read_series(series);
  }
  if (const auto& test = j["bandwidth_test"]; !test.is_null()) in.bandwidth_test = Input::BandwidthTest{test["time"], test["ratio"]};
  return in;
}

void expect_close(double got, double want, const std::string& what) {
  EXPECT_NEAR(got, want, 1e-9 * std::max(1.0, std::abs(want))) << what;
}

void expect_score(const std::optional<double>& got, const Json& want, const std::string& what) {
  ASSERT_EQ(got.has_value(), !want.is_null()) << what;
  if (got) expect_close(*got, want, what);
}

void expect_findings(const std::vector<Finding>& got, const Json& want, const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto label = what + " " + got[i].rule;
    EXPECT_EQ(got[i].rule, want[i]["rule"]) << what;
    expect_close(got[i].lost, want[i]["lost"], label + " lost");
    expect_close(got[i].value, want[i]["value"], label + " value");
    expect_close(got[i].reference, want[i]["reference"], label + " reference");
  }
}

const Dimension& find(const Report& r, const std::string& name) {
  return *std::ranges::find(r.dimensions, name, &Dimension::name);
}

// What the whole score must be when only these two dimensions exist, from the case's own dimensions.
std::optional<double> expected_overall(const Json& dimensions) {
  double coverage = 0, points = 0, weight = 0;
  for (const auto& [name, percent] : {std::pair{"memory", 30.0}, {"thermal", 25.0}}) {
    const auto& d = dimensions[name];
    if (d["score"].is_null()) continue;
    coverage += percent * d["coverage"].get<double>();
    points += percent * d["score"].get<double>();
    weight += percent;
  }
  return coverage < 50 ? std::nullopt : std::optional(points / weight);
}

TEST(HealthCases, ThermalAndMemoryAgreeToTheDigit) {
  const auto text = read_file(GHM_SOURCE_DIR "/tests/data/health_cases.json");
  ASSERT_TRUE(text);
  const auto cases = Json::parse(*text)["cases"];
  ASSERT_EQ(cases.size(), 24u);
  for (const auto& c : cases) {
    const auto id = c["id"].get<std::string>();
    const auto report = score(read_input(c["input"]));
    const auto& expected = c["expected"]["dimensions"];
    for (const auto* name : {"thermal", "memory"}) {
      const auto& d = find(report, name);
      const auto label = id + " " + name;
      expect_score(d.score, expected[name]["score"], label + " score");
      expect_close(d.coverage, expected[name]["coverage"], label + " coverage");
      expect_findings(d.findings, expected[name]["findings"], label);
    }
    const auto overall = expected_overall(expected);
    expect_score(report.overall, overall ? Json(*overall) : Json(), id + " overall");
    EXPECT_EQ(report.class_name, overall ? class_of(*overall) : "") << id;
  }
}

TEST(HealthCases, CriticalRulesAreThoseOfTheCase) {
  const auto text = read_file(GHM_SOURCE_DIR "/tests/data/health_cases.json");
  ASSERT_TRUE(text);
  const auto cases = Json::parse(*text)["cases"];
  for (const auto& c : cases) {
    const auto report = score(read_input(c["input"]));
    EXPECT_EQ(Json(report.critical), c["expected"]["critical"]) << c["id"];
    EXPECT_TRUE(report.critical.empty() || report.risk == "critical") << c["id"];
  }
}

TEST(HealthCases, PointsLostSumToWhatIsMissing) {
  const auto text = read_file(GHM_SOURCE_DIR "/tests/data/health_cases.json");
  ASSERT_TRUE(text);
  const auto cases = Json::parse(*text)["cases"];
  for (const auto& c : cases)
    for (const auto& d : score(read_input(c["input"])).dimensions) {
      double lost = 0;
      for (const auto& f : d.findings) lost += f.lost;
      if (d.score) expect_close(lost, 100 - *d.score, c["id"].get<std::string>() + " " + d.name);
    }
}

}  // namespace
}  // namespace ghm::health
