#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "adapters/evidence/bundle.h"
#include "domain/store/record_store.h"
#include "domain/store/telemetry_store.h"
#include "domain/views/fleet_snapshot.h"

/// What is known of a board that is to go back to its manufacturer, around the fault: gathered once, signed, and checked anywhere.
namespace ghm::services {

struct RmaWorld {
  const store::TelemetryStore& telemetry;
  const store::RecordStore& records;
  const views::FleetSnapshot& fleet;
};

struct RmaRequest {
  std::size_t board = 0;                   // index into the snapshot's boards
  std::optional<Timestamp> at;             // of the fault; else that of the board's newest incident
  std::chrono::milliseconds before = 72h;  // of telemetry and events
  std::chrono::milliseconds after = 6h;
};

/// The files of a bundle, unsigned; `about` opens its manifest.
struct RmaEvidence {
  nlohmann::ordered_json about;
  std::vector<evidence::Member> files;
};
/// Fails only where the store does: what is not known is named in evidence.json. O(readings in the window): about 0.2 s.
Result<RmaEvidence> gather_rma(const RmaWorld& world, const RmaRequest& request, Timestamp now);

/// gather_rma(), sealed.
Result<std::string> rma_bundle(const RmaWorld& world, const RmaRequest& request, const evidence::SigningKey& key, Timestamp now);

/// "rma-1650224070113.tar.zst": a name that is safe on every system.
std::string rma_file_name(const fleet::Board& board);

}  // namespace ghm::services
