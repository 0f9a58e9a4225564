#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "domain/transport/host_round.h"

namespace ghm::agent {

/// What ends in a reset, a reboot or an open case: after it the evidence is gone, so it is written down at once.
struct FatalSign {
  std::string_view family;  // of the fault: one snapshot serves signs of one family
  std::string_view why;     // this sign is one of them
  friend bool operator==(const FatalSign&, const FatalSign&) = default;
};

/// nullopt: nothing is written down for it. Where the driver's line says how severe it is, the line is believed before any table. A
/// line that a process wrote into the kernel log is no sign. Pure.
std::optional<FatalSign> fatal_sign(const transport::AgentEvent& event);

struct FatalXid {
  int code;
  std::string_view family;  // the catalogue's word for what failed
};
/// Of data/faults/xids.csv and sxids.csv those whose first step is a reset or more and whose severity is error (SXids: critical) or
/// worse. A list of its own, for the catalogue with its texts would cost the agent more memory than all else it knows; a test keeps
/// both in step.
std::span<const FatalXid> fatal_xids();
std::span<const int> fatal_sxids();

}  // namespace ghm::agent
