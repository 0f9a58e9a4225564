// The profiles by name, and the tables of `baseline` put together. Another opinion is another profile, in a file of its own.
#include <algorithm>
#include <array>
#include <cassert>

#include "domain/health/rules.h"

namespace ghm::health {
namespace {

std::span<const Scorer> scorers_of_baseline() {
  static const Scorer kScorers[] = {
      {"memory", 30, {Of::sbe, Of::dbe, Of::remap_pending, Of::remap_failure, Of::banks, Of::bandwidth_record}, memory_rules()},
      {"thermal", 25, {Of::reasons, Of::temperature, Of::activity, Of::fan}, thermal_rules()},
      {"performance",
       20,
       {Of::activity, Of::sm_clock, Of::max_sm_clock, Of::reasons, Of::pcie_width, Of::pcie_max_width, Of::pcie_gen, Of::pcie_max_gen,
        Of::nvlinks},
       performance_rules()},
      {"power", 15, {Of::power, Of::activity, Of::sm_clock, Of::reasons, Of::limit_default, Of::limit_enforced, Of::energy}, power_rules()},
      {"reliability", 10, {Of::reporting, Of::events, Of::jobs}, reliability_rules()},
  };
  return kScorers;
}

}  // namespace

const Profile& baseline() {
  static const Profile kBaseline{"baseline", scorers_of_baseline(), 0, needs_of_baseline()};
  return kBaseline;
}

std::span<const Profile* const> profiles() {
  static const std::array kProfiles{&baseline(), &v1()};
  return kProfiles;
}

const Rule& rule_named(std::span<const Rule> rules, std::string_view name) {
  const auto found = std::ranges::find(rules, name, &Rule::name);
  assert(found != rules.end());
  return *found;
}

const Profile* find_profile(std::string_view name) {
  const auto all = profiles();
  const auto found = std::ranges::find(all, name, [](const Profile* p) { return p->name; });
  return found == all.end() ? nullptr : *found;
}

std::vector<std::string> profile_names() {
  std::vector<std::string> out;
  for (const auto* p : profiles()) out.emplace_back(p->name);
  return out;
}

std::string_view name_of(const Profile& profile) {
  return profile.name;
}

const Profile& default_profile() {
  return baseline();
}

std::span<const Need> needs(const Profile& profile) {
  return profile.needs;
}

}  // namespace ghm::health
