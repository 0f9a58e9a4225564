#pragma once
#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "domain/health/inputs.h"

/// What a scoring profile is made of: dimensions with their weights and listed inputs, and a table of rules each, one row per
/// rule, in the profile's order, each with a pure function. Profiles may share rows.
namespace ghm::health {

/// What an Xid of the board means; nullptr for one that nobody knows.
inline const faults::Code* meaning_of_xid(const Input& input, int code) {
  return input.codes->find(faults::CodeKind::xid, code, {input.driver, {}}).code;
}

/// What a rule says when it fires.
struct Verdict {
  double points = 0;  // that a deduction takes, or at which a cap holds the score
  double value = 0, reference = 0;
  double at = 0;  // when it was seen, Unix seconds
  bool critical = false;
};

/// So many points for each of what happened, up to the most; nothing where nothing happened.
inline std::optional<Verdict> each_costs(double points, double most, const Counted& happened) {
  if (happened.count == 0) return std::nullopt;
  return Verdict{std::min(most, points * happened.count), happened.count, 0, happened.last_at};
}

enum class Effect { deduct, cap };

struct Rule {
  std::string_view name;
  Effect effect;
  std::vector<Of> needs;                             // all must be present; a rule with an "or" looks at its parts itself
  std::optional<Verdict> (*judge)(const Evidence&);  // nullopt: the rule does not fire
};

/// One dimension of a profile: what is listed for its coverage, and its rules.
struct Scorer {
  std::string_view name;
  int weight_percent;
  std::vector<Of> inputs;
  std::span<const Rule> rules;
};

/// A way to score, as a value. All profiles have the same dimensions in the same order, so that series of scores keep their meaning.
struct Profile {
  std::string_view name;
  std::span<const Scorer> scorers;  // memory, thermal, performance, power, reliability
  /// Percent of the whole that the worst dimension takes before the rest is shared out by weight; 0: a plain weighted mean.
  int worst_percent = 0;
  std::span<const Need> needs;
  /// Whether its rules look at measures() and records alone, so that kept sums suffice.
  bool sums_suffice = false;
};
std::span<const Profile* const> profiles();
Report score(const Profile& profile, const Evidence& evidence);

// The tables of `baseline`, each in the file of its name.
std::span<const Need> needs_of_baseline();
std::span<const Rule> thermal_rules();      // heat: throttling, mean temperature, its trend and swing under load, fan
std::span<const Rule> memory_rules();       // corrected and uncorrected errors, row remapping, bandwidth of a test
std::span<const Rule> power_rules();        // spikes at steady load, power limits, joules per work
std::span<const Rule> performance_rules();  // clocks against own past and peers, PCIe and NVLink width
std::span<const Rule> reliability_rules();  // uptime, jobs, resets, Xids

/// A row of a table, to stand in another profile's, too. It must be there.
const Rule& rule_named(std::span<const Rule> rules, std::string_view name);

}  // namespace ghm::health
