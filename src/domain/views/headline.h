#pragma once
#include <cstddef>
#include <string>

#include "domain/views/fleet_snapshot.h"

/// The sentences that the fleet's screen opens with: from templates, never free text.
namespace ghm::views {

/// What the sentences count, of the boards in service.
struct FleetFigures {
  std::size_t gpus = 0, scored = 0;
  std::size_t need_action = 0;  // risk critical
  std::size_t below_70 = 0;     // of the others
  std::size_t hosts = 0, silent_hosts = 0, silent_gpus = 0;
};

/// "12 GPUs need action. The rest of the fleet is steady."
std::string headline(const FleetFigures& f);
/// The strongest finding and what is silent; empty when there is neither.
std::string headline_detail(const FleetFigures& f, const FleetSnapshot& fleet);

/// "1 GPU", "12 GPUs", "0 GPUs".
std::string counted(std::size_t n, std::string_view singular);

}  // namespace ghm::views
