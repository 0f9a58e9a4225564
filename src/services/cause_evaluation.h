#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "domain/faults/causes.h"
#include "services/simulated_incidents.h"

namespace ghm::services {

/// How well causes are named on simulated incidents. An oracle has seen 20,000 others of the same simulator and knows how often each
/// cause leaves exactly these signs. Where one cause has at least half of them, an incident of that cause can be told; one of
/// another cause misleads even the oracle; where none has, or the simulator's silent failures have, nobody can tell.
struct CauseEvaluation {
  std::size_t incidents = 0, silent = 0;                       // silent: no sign of it arrived
  std::size_t tellable = 0, top1 = 0, top3 = 0, withheld = 0;  // of the tellable: named right, among three, "cannot tell"
  std::size_t untellable = 0, admitted = 0;                    // nobody can tell: "cannot tell" is right
  std::size_t misleading = 0, misled = 0;                      // named as the oracle would
  std::size_t whole = 0;                                       // all of its own signs in one incident
  std::size_t shared = 0;                                      // in an incident that also took in another's
  std::map<std::string, std::map<std::string, std::size_t>>
      confusion;  // truth -> named -> how many; truth "(nobody can tell)" and "(misleading)" for the others
  std::map<std::string, std::pair<std::size_t, std::size_t>> kinds;  // kind -> tellable, right

  double top1_share() const { return tellable == 0 ? 0 : static_cast<double>(top1) / static_cast<double>(tellable); }
  double top3_share() const { return tellable == 0 ? 0 : static_cast<double>(top3) / static_cast<double>(tellable); }
};

CauseEvaluation evaluate_causes(const IncidentPlan& plan, const faults::CauseTable& causes = faults::CauseTable::built_in());

nlohmann::ordered_json to_json(const CauseEvaluation& e, const IncidentPlan& plan);
/// A table for people.
std::string text_of(const CauseEvaluation& e, const IncidentPlan& plan);

}  // namespace ghm::services
