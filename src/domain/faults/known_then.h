#pragma once
#include <optional>

#include "domain/faults/incident.h"

namespace ghm::faults {

/// The incident as it was known at `then`: signs, parts and steps of later are taken out, and what follows from them. nullopt: it had
/// not begun. Signs between the first 40 and the last 24 are no longer known one by one and count as not heard. O(lines · parts).
std::optional<Incident> known_at(const Incident& incident, Timestamp then);

}  // namespace ghm::faults
