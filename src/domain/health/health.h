#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "domain/telemetry/identity.h"

/// Health scoring, profile `baseline`: arithmetic over accepted readings. No clock, no log, no store.
/// Every point lost is a finding that names its rule, the value seen, the reference and the time.
namespace ghm::health {

/// One metric's readings, times strictly rising. Absent pointer: the part has no such metric (not listed for coverage);
/// an empty series is listed and not present.
struct Reading {
  double at;  // Unix seconds
  double value;
};
using Series = std::vector<Reading>;

/// All that a score may look at. Metric names are canonical, a link's series is NAME@nvlink4.
struct Input {
  double t = 0;            // scoring time, Unix seconds
  double interval_s = 10;  // the source's interval
  double deployed_at = 0;
  std::string model;
  std::map<std::string, std::optional<Series>, std::less<>> metrics;  // nullopt: the part does not have it
  struct BandwidthTest {
    double time, ratio;
  };
  std::optional<BandwidthTest> bandwidth_test;
  std::vector<std::pair<double, double>> maintenance, source_silent;  // (from, to]
};

struct Finding {
  std::string rule;  // "thermal.throttle"
  double lost = 0;   // points of the dimension
  double value = 0, reference = 0;
  double at = 0;  // when it was seen, Unix seconds
};

struct Dimension {
  std::string name;
  int weight_percent = 0;
  std::optional<double> score;  // nullopt: not available (coverage below 0.60)
  double coverage = 0;
  std::vector<Finding> findings;
  std::vector<std::string> missing;  // inputs that the part has and that were not there for 60 % of their window
};

struct Report {
  double at = 0;
  std::string profile = "baseline";
  std::optional<double> overall;  // nullopt: not available (overall coverage below 0.50)
  double coverage = 0;
  std::string class_name;  // excellent good fair degraded poor critical failed; empty without a score
  std::string risk;        // low medium high critical; empty when it cannot be told
  std::vector<Dimension> dimensions;
  std::vector<std::string> critical;  // rules that fired and are critical
};

/// The dimensions without a scorer in this version have no score and coverage 0, and count so: overall coverage is
/// Σ weight · coverage of what is available (at most 0.55 with memory and thermal), the overall score is
/// Σ weight · score / Σ weight over the same. Without a history of scores there is no trend, and risk ignores it.
/// O(readings).
Report score(const Input& input);

/// The five dimensions of the profile, heaviest first.
struct DimensionSpec {
  std::string_view name;
  int weight_percent = 0;
  bool has_scorer = false;  // false: this version cannot judge it; its score is not available
};
std::span<const DimensionSpec> dimensions();

/// The metrics `score` reads, canonical names, with how far back each is needed. What a service must fetch.
struct Need {
  std::string_view metric;
  std::chrono::hours window;
  std::string_view instead_of = {};  // read only where this metric has no reading at all
};
std::span<const Need> needs();

/// Unweighted: "fair" for 74. Borders: 90 80 70 60 50 40.
std::string_view class_of(double overall);

/// One sentence for people: "26 corrected memory errors a day over 7 days". Every rule has one.
std::string sentence(const Finding& f);

}  // namespace ghm::health
