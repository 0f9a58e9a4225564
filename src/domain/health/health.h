#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "domain/faults/catalogue.h"
#include "domain/telemetry/identity.h"

/// Health scoring: arithmetic over accepted readings, by a profile (rules.h). No clock, no log, no store.
/// Every point lost is a finding that names its rule, the value seen, the reference and the time.
namespace ghm::health {

/// One metric's readings, times strictly rising.
struct Reading {
  double at;  // Unix seconds
  double value;
};
using Series = std::vector<Reading>;
/// Canonical name -> readings; one link's series is NAME@nvlink4. nullopt: the part does not have the metric (not listed for
/// coverage); an absent or empty one is listed and not present.
using Metrics = std::map<std::string, std::optional<Series>, std::less<>>;

/// (from, to], Unix seconds.
struct Interval {
  double from, to;
  bool covers(double at) const { return from < at && at <= to; }
};

/// What happened to the board. Kinds that count: xid gpu_reset gpu_missing drain undrain.
struct Event {
  double time;
  std::string kind;
  int code = 0;  // of an Xid
};
/// The end of a job that ran on the board.
struct Job {
  double time;
  bool ok;
};
/// Another board of the same model.
struct Peer {
  Metrics metrics;
  bool same_host = true, same_job = true;
  std::optional<double> busy_clock = {};  // mean SM clock at an activity of 0.9 or more, 24 h, where that is known without its readings
};

/// All that a score may look at; what is not known is nullopt, never a guess. Any order in events, jobs, peers and intervals.
struct Input {
  double t = 0;            // scoring time, Unix seconds
  double interval_s = 10;  // the source's interval
  double deployed_at = 0;
  std::string model;
  Metrics metrics;
  std::optional<std::vector<Event>> events;
  std::vector<Peer> peers;
  int links_expected = 0;  // NVLinks of the part; 0: none
  struct BandwidthTest {
    double time, ratio;
  };
  std::optional<BandwidthTest> bandwidth_test;  // the latest on record
  std::optional<std::vector<Job>> jobs;
  std::vector<Interval> maintenance;
  std::optional<std::vector<Interval>> source_silent;                         // nullopt: nobody noted when the source answered
  Series previous_scores;                                                     // overall scores of earlier rounds
  const faults::FaultCatalogue* codes = &faults::FaultCatalogue::built_in();  // what Xids mean; never null
  int driver = 0;  // its major release, by whose numbering they are read; 0: not known
};

struct Finding {
  std::string rule;  // "thermal.throttle"
  double lost = 0;   // points of the dimension
  double value = 0, reference = 0;
  double at = 0;          // when it was seen, Unix seconds
  bool critical = false;  // needs a person now, whatever the score
};

struct Dimension {
  std::string name;
  int weight_percent = 0;       // with which its points count in this report
  std::optional<double> score;  // nullopt: not available (coverage below 0.60)
  double coverage = 0;
  std::vector<Finding> findings;
  std::vector<std::string> missing;  // inputs that the part has and that were not there for 60 % of their window
};

struct Report {
  double at = 0;
  std::string profile;            // its name
  std::string codes;              // version of the fault catalogue that told what Xids mean
  std::optional<double> overall;  // nullopt: not available (overall coverage below 0.50)
  double coverage = 0;
  std::optional<double> trend_7d, trend_30d;  // points, -10 to +10; nullopt: too few rounds
  std::string class_name;                     // excellent good fair degraded poor critical failed; empty without a score
  std::string risk;                           // low medium high critical; empty when it cannot be told
  std::vector<Dimension> dimensions;
  std::vector<std::string> critical;  // rules that fired and are critical
  std::optional<double> busy_clock;   // mean SM clock at an activity of 0.9 or more, 24 h: what peers at the same job are told
};

/// A way to score: dimensions, weights, rules.
struct Profile;
/// nullptr: there is none of that name.
const Profile* find_profile(std::string_view name);
std::vector<std::string> profile_names();
std::string_view name_of(const Profile& profile);
/// The plan's own definition, fixed to the digit by tests/data/health_cases.json.
const Profile& baseline();
/// What tells failing boards apart better: signs of wear by mode, recent incidents, and the worst dimension counting half.
const Profile& v1();
/// The one that is used where nobody names one: the one that tells failing boards from healthy ones best (docs/health.md).
const Profile& default_profile();

/// Overall coverage is Σ weight · coverage over the dimensions that are available, the overall score is
/// Σ weight · score / Σ weight over the same. O(readings): each series is walked once per dimension that looks at it.
Report score(const Profile& profile, const Input& input);
inline Report score(const Input& input) {
  return score(default_profile(), input);
}

/// The five dimensions, in the order in which their scores are kept; the same in every profile but for their weights.
struct DimensionSpec {
  std::string_view name;
  int weight_percent = 0;
};
std::vector<DimensionSpec> dimensions(const Profile& profile = default_profile());

/// Scores are series too. Their numbers lie beyond DCGM's, and no page can name them: they stand in no catalogue.
inline constexpr telemetry::MetricId kOverallScore{60'000};
constexpr telemetry::MetricId dimension_score(std::size_t dimension) {
  return static_cast<telemetry::MetricId>(static_cast<std::uint16_t>(kOverallScore) + 1 + dimension);
}
constexpr bool is_score(telemetry::MetricId metric) {
  return metric >= kOverallScore;
}

/// The rules of all dimensions by name, in the profile's order, which is the order of findings.
std::vector<std::string_view> rule_names(const Profile& profile = default_profile());

/// The metrics `score` reads, canonical names, with how far back each is needed. What a service must fetch.
struct Need {
  std::string_view metric;
  std::chrono::hours window;
  std::string_view instead_of = {};  // read only where this metric has no reading at all
  bool per_link = false;             // one series per NVLink, NAME@nvlink0 and so on
};
std::span<const Need> needs(const Profile& profile = default_profile());

/// Unweighted: "fair" for 74. Borders: 90 80 70 60 50 40.
std::string_view class_of(double overall);

/// One sentence for people: "26 corrected memory errors a day over 7 days". Every rule has one.
std::string sentence(const Finding& f);

}  // namespace ghm::health
