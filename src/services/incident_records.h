#pragma once
#include <nlohmann/json.hpp>

#include "core/result.h"
#include "domain/faults/heard.h"
#include "domain/faults/incident_book.h"
#include "domain/store/record_store.h"

/// Incidents as records. Kind "incident", key: its number; the body holds the whole state and the ranking of causes as it was when
/// the record was written. Kind "incident_feedback": one operator's word on a cause.
namespace ghm::services {

store::Record to_record(const faults::Incident& incident, const faults::Ranking& ranking, const faults::CauseTable& causes);
Result<faults::Incident> parse_incident(const store::Record& record);

store::Record to_record(const faults::Feedback& feedback, std::uint64_t sequence);
Result<faults::Feedback> parse_feedback(const store::Record& record);

/// A record of kind "event" as something heard; nullopt when it is none.
std::optional<faults::Heard> heard(const store::Record& event);

}  // namespace ghm::services
