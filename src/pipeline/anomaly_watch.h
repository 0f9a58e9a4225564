#pragma once
#include <vector>

#include "domain/anomaly/anomaly_watch.h"
#include "pipeline/source_state.h"

/// The pages of a source under its anomaly detectors (domain/anomaly): what opens and closes becomes an event.
namespace ghm::pipeline {

/// Who sits where: the slots' columns of each GPU of the layout. `boards`: one per GPU.
std::vector<anomaly::Seat> seats_of(const telemetry::PageLayout& layout, const std::vector<fleet::BoardId>& boards);

/// A page of the source goes to its watch. Once a minute: the anomalies that opened (kind "anomaly") and closed
/// ("anomaly_cleared"), each a sentence with the board's name. Boards under maintenance, and those whose identity is in
/// dispute, are not judged.
std::vector<fleet::FleetEvent> watch_anomalies(SourceState& from, const telemetry::PageReading& reading, Timestamp at,
                                               const fleet::Ledger& ledger);

/// For the fleet's screen.
views::OpenAnomaly shown(const anomaly::Anomaly& anomaly, const std::string& host);
/// What is open at the source, for the fleet's screen.
std::vector<views::OpenAnomaly> open_anomalies(const SourceState& from);

}  // namespace ghm::pipeline
