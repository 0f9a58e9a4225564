// The profile's own cases (tests/data/health_cases.json), each with readings and the answer worked out by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "domain/health/case_json.h"

namespace ghm::health {
namespace {

using Json = nlohmann::json;

struct Published {
  std::string id;
  Report report;
  Json expected;
};

const std::vector<Published>& published() {
  static const auto cases = [] {
    std::vector<Published> out;
    const auto text = read_file(GHM_SOURCE_DIR "/tests/data/health_cases.json");
    if (!text) return out;
    const auto document = Json::parse(*text);
    for (const auto& c : document["cases"]) {
      const auto id = c["id"].get<std::string>();
      const auto read = parse_case(c["input"].dump(), id);
      EXPECT_TRUE(read) << read.error().what;
      if (!read) continue;
      EXPECT_TRUE(read->ignored.empty()) << id << ": " << read->ignored[0];
      out.push_back({id, score(baseline(), read->input), c["expected"]});
    }
    return out;
  }();
  return cases;
}

// Every number of the answer to 1e-9 (relative above 1), everything else to the letter.
void expect_agrees(const Json& got, const Json& want, const std::string& where) {
  if (want.is_number()) {
    ASSERT_TRUE(got.is_number()) << where << ": " << got;
    const double w = want;
    EXPECT_NEAR(got.get<double>(), w, 1e-9 * std::max(1.0, std::abs(w))) << where;
  } else if (want.is_structured()) {
    ASSERT_EQ(got.size(), want.size()) << where << ": " << got << " for " << want;
    for (auto it = want.begin(); it != want.end(); ++it) {
      const auto key = want.is_object() ? it.key() : std::to_string(it - want.begin());
      ASSERT_TRUE(want.is_array() || got.contains(key)) << where << "." << key;
      expect_agrees(want.is_array() ? got[static_cast<std::size_t>(it - want.begin())] : got[key], *it, where + "." + key);
    }
  } else {
    EXPECT_EQ(got, want) << where;
  }
}

TEST(HealthCases, All24AgreeToTheDigit) {
  ASSERT_EQ(published().size(), 24u);
  for (const auto& c : published()) expect_agrees(Json::parse(case_answer(c.report).dump()), c.expected, c.id);
}

TEST(HealthCases, PointsLostSumToWhatIsMissing) {
  for (const auto& c : published())
    for (const auto& d : c.report.dimensions) {
      double lost = 0;
      for (const auto& f : d.findings) lost += f.lost;
      if (d.score) {
        EXPECT_NEAR(lost, 100 - *d.score, 1e-12) << c.id << " " << d.name;
      }
    }
}

TEST(HealthCases, EveryFindingHasItsSentenceAndItsTime) {
  for (const auto& c : published())
    for (const auto& d : c.report.dimensions)
      for (const auto& f : d.findings) {
        EXPECT_FALSE(sentence(f).starts_with(f.rule)) << f.rule << " has no sentence";
        EXPECT_GT(f.at, c.report.at - 31 * 86400.0) << c.id << " " << f.rule;
        EXPECT_LE(f.at, c.report.at) << c.id << " " << f.rule;
      }
}

}  // namespace
}  // namespace ghm::health
