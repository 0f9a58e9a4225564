#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "domain/store/telemetry_store.h"
#include "domain/views/fleet_snapshot.h"

/// What a client of /api/v1 sees, as pure functions to JSON. Shapes: openapi.yaml. Times RFC 3339, numbers in the
/// catalogue's units, absent facts null, never 0.
namespace ghm::views {

using Json = nlohmann::ordered_json;

/// GET fleet/summary. O(boards).
Json fleet_summary(const FleetSnapshot& fleet);

/// GET fleet/health: the index, and the same by region, datacenter, rack, host, model, batch and driver, the lowest first; each
/// with its lowest board and the one that fell most in 7 days. O(boards · log groups).
Json fleet_health(const FleetSnapshot& fleet);
/// GET fleet/degraded: boards in service with a score below `below`, the lowest first.
Json fleet_degraded(const FleetSnapshot& fleet, double below, std::size_t limit);

/// GET gpus: filters, sort and a cursor; `sort` is a field name, "-" in front turns it round.
struct GpuQuery {
  std::string sort = "score";  // score urgency (need action, then the lowest score) serial host model temperature power last_seen
  std::size_t limit = 200;     // 1..1000
  std::string cursor;          // from the answer before
  std::string search;          // part of serial, UUID, host, rack, model; case-insensitive
  std::string host, rack, datacenter, region, model, driver, batch, band;  // exact
  std::optional<bool> silent;
};
/// invalid_input for an unknown sort or band, a limit outside 1..1000, or a cursor that is not ours or of another sort.
Result<void> check_query(const GpuQuery& query);
/// invalid_input as check_query. O(boards) to find, O(limit log limit) to sort.
Result<Json> gpu_list(const FleetSnapshot& fleet, const GpuQuery& query);
/// The same rows as CSV, all of them, header with units, cells safe for spreadsheets; limit and cursor do not matter.
/// A query that check_query refuses is a bug.
std::string gpu_list_csv(const FleetSnapshot& fleet, const GpuQuery& query);

/// The board that a client names by `id`: serial, UUID, "board-17" for one that has neither, or "gpu-host-7:3" for the one that stands
/// in that slot now. Index into `boards`. O(log boards), a place O(hosts).
std::optional<std::size_t> find_board(const FleetSnapshot& fleet, std::string_view id);

/// GET gpus/{id}; `latest` from TelemetryStore::latest(board).
Json gpu_detail(const FleetSnapshot& fleet, std::size_t board, const std::vector<store::Latest>& latest);
/// GET gpus/{id}/health.
Json gpu_health(const FleetSnapshot& fleet, std::size_t board);

/// GET gpus/{id}/metrics: one entry per series asked for.
/// What boards of the same model did at the same time, where at least three of them say so.
struct PeerBand {
  std::size_t host = 0, rack = 0, fleet = 0;  // how many were read: of its host, of its rack beside that, and of the rest
  bool under_load = false;                    // only while they were busy
  bool increases = false;                     // of a counter: its increases are compared
  struct At {
    Timestamp from{};
    double p10 = 0, p50 = 0, p90 = 0;
  };
  std::vector<At> points;
};
struct MetricColumn {
  std::string name;  // canonical, "DCGM_FI_DEV_NVLINK_GET_STATE@nvlink4" for other entities
  std::string unit;
  std::vector<store::Bucket> buckets;
  bool counter = false;  // its buckets' increases are shown too
  std::optional<PeerBand> peers = std::nullopt;
};
/// Bucket starts in `t` from the one that holds range.from up to range.to; interval > 0.
Json gpu_metrics(const fleet::Board& board, TimeRange range, std::chrono::milliseconds interval, const std::vector<MetricColumn>& columns,
                 Timestamp as_of);
/// The board's default columns when `metrics` is not given: the eight signals of the GPU page.
const std::vector<std::string>& default_metrics();

/// GET meta: version, bands, classes, dimensions with weights, metric dictionary, reasons, kinds of events, Xids. The same for the
/// program's whole run but for `as_of`.
Json meta(Timestamp as_of, const health::Profile& profile = health::default_profile(),
          const faults::FaultCatalogue& codes = faults::FaultCatalogue::built_in());
/// GET fleet/layout: region > datacenter > rack > host > slots in drawing order; its order is FleetSnapshot::boards.
Json fleet_layout(const FleetSnapshot& fleet);
/// GET fleet/cells: 24-byte head ("GHMC", u32 version of the layout, i64 as_of in Unix ms, f32 min, f32 max) + one byte per GPU in layout
/// order; score colours: 0..100 score in whole points rounded down, 254 out of service, 255 no data; the others: 0..250 scaled between min
/// and max (coverage 0 to 1, utilisation 0 to 100, temperature and power between the least and the greatest). Little-endian. invalid_input
/// for an unknown colour. colour: "health", "temperature", "power", "utilisation", "coverage".
Result<std::string> fleet_cells(const FleetSnapshot& fleet, const std::string& colour);
/// Changes when boards come, go or move, or a host falls silent or returns: the ETag of layout, checked by cells. O(boards).
std::uint32_t layout_version(const FleetSnapshot& fleet);

/// Band of a score for display: healthy 80+, watch 70+, degraded 50+, critical below; "no_data" without a score; "out_of_service".
std::string band_of(const BoardView& b);

/// Tables for the terminal: `ghm status`, `ghm gpus`, `ghm gpu ID` from the API's own JSON, at most `width` columns.
std::string status_text(const Json& summary);
std::string gpus_text(const Json& gpus, std::size_t width);
std::string gpu_text(const Json& gpu, const Json& health);

}  // namespace ghm::views
