// A bundle is made of what is there; what is not there is said. Nothing in it is judged anew: causes and counters are those that the
// server shows, with the readings they came from beside them.
#include "services/rma_evidence.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/views/board_facts.h"
#include "domain/views/rma_page.h"
#include "domain/views/snapshot_view.h"
#include "services/rma_past.h"
#include "services/rma_readings.h"
#include "services/snapshots.h"

namespace ghm::services {
namespace {

using views::or_null;

constexpr std::size_t kLongestFileName = 60;
constexpr double kNearlyAll = 0.995;

/// All that was found, before it is written down.
struct Found {
  const fleet::Board& board;
  RmaFault fault{};
  TimeRange window{};
  RmaIncidents incidents{};
  RmaHistory history{};
  RmaEvents events{};
  RmaSeriesList series{};
  RmaTelemetry telemetry{};
  RmaCounters counters{};
  SnapshotsFound snapshots{};
  HostAgents agents{};
};

Json or_null_time(const std::optional<Timestamp>& t) {
  return t ? Json(format_rfc3339(*t)) : Json();
}

Json board_json(const fleet::Board& b) {
  return {{"id", views::id_of(b)},
          {"serial", or_null(b.serial)},
          {"gpu_uuid", or_null(b.uuid)},
          {"model", or_null(b.model)},
          {"driver_version", or_null(b.driver_version)},
          {"vbios_version", or_null(b.vbios_version)},
          {"host", or_null(b.host)},
          {"slot", b.slot < 0 ? Json() : Json(b.slot)},
          {"pci_bus_id", or_null(b.pci_bus_id)},
          {"rack", or_null(b.place.rack)},
          {"datacenter", or_null(b.place.datacenter)},
          {"region", or_null(b.place.region)},
          {"in_service", b.in_service},
          {"first_seen", or_null(b.first_seen)},
          {"last_seen", or_null(b.last_seen)},
          {"silent_since", or_null_time(b.silent_since)}};
}

/// Without the price: that is between the site and its books.
Json inventory_json(const fleet::Board& b) {
  if (!b.asset) return nullptr;
  return {{"batch", or_null(b.asset->batch)},
          {"manufactured_at", or_null_time(b.asset->manufactured_at)},
          {"deployed_at", or_null_time(b.asset->deployed_at)},
          {"retired_at", or_null_time(b.asset->retired_at)}};
}

Json warranty_json(const fleet::Board& b, Timestamp fault) {
  const auto until = b.asset ? b.asset->warranty_until : std::nullopt;
  return {{"until", or_null_time(until)}, {"at_fault", !until ? Json() : Json(fault < *until ? "in warranty" : "out of warranty")}};
}

Json window_json(const Found& f) {
  Json gaps = Json::array();
  for (const auto& g : f.telemetry.gaps) gaps.push_back({{"from", format_rfc3339(g.from)}, {"to", format_rfc3339(g.to)}});
  return {{"from", format_rfc3339(f.window.from)},
          {"to", format_rfc3339(f.window.to)},
          {"interval", format_duration(f.telemetry.interval)},
          {"coverage", f.telemetry.coverage},
          {"gaps", std::move(gaps)}};
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

void identity_gaps(const Found& f, Json& out) {
  const auto& b = f.board;
  if (b.serial.empty()) out.push_back("The serial number: none of the board's sources prints it.");
  if (b.uuid.empty()) out.push_back("The UUID: none of the board's sources prints it.");
  if (b.driver_version.empty()) out.push_back("The driver's version: none of the board's sources prints it.");
  if (b.vbios_version.empty()) out.push_back("The VBIOS version: none of the board's sources prints it.");
  if (!b.asset) out.push_back("The inventory does not have this board: delivery and warranty are not known (`ghm assets import`).");
  else if (!b.asset->warranty_until) out.push_back("The inventory does not say until when the warranty lasts.");
}

void snapshot_gaps(const Found& f, Json& out) {
  if (f.snapshots.documents.empty() && f.fault.known) out.push_back(why_no_snapshot(f.agents, f.fault.at, f.events.skipped));
  if (!f.snapshots.all) out.push_back("Further snapshots: a bundle holds the 8 nearest to the fault.");
  for (const auto& d : f.snapshots.documents)
    for (const auto& m : views::snapshot_missing(d)) out.push_back(fmt::format("Snapshot of {}: {}.", d["at"].get<std::string>(), m));
}

void log_gaps(const Found& f, Json& out) {
  if (!f.fault.known) out.push_back("A fault: neither an incident nor an Xid of this board is known.");
  else if (f.incidents.items.empty()) out.push_back("Incidents: none touches this board.");
  if (!f.incidents.all) out.push_back("Older incidents: only the newest are in this bundle.");
  if (!f.events.all) out.push_back("Older events: there were too many in the window, and only the newest are in this bundle.");
  if (f.events.kernel.empty())
    out.push_back(f.agents.heard ? "Kernel log: an agent reads this host's log, and no line of the driver came in the window."
                                 : "Kernel log: no agent has been heard from this host, so that nobody read its kernel log.");
  if (f.events.kernel_gaps > 0)
    out.push_back(fmt::format("Kernel log: lines were overwritten {} times before they could be read.", f.events.kernel_gaps));
}

void reading_gaps(const Found& f, Timestamp now, Json& out) {
  const auto& t = f.telemetry;
  if (f.series.series.empty()) out.push_back("Telemetry: no reading of this board is kept.");
  else if (!f.series.never.empty()) out.push_back("Never reported by this board's sources: " + joined(f.series.never) + ".");
  if (!f.series.all) out.push_back("Further series: a bundle holds 256 at most.");
  if (!f.series.series.empty() && t.coverage < kNearlyAll)
    out.push_back(fmt::format("Readings cover {:.1f} % of the window; evidence.json lists the longest gaps.", 100 * t.coverage));
  if (!f.series.series.empty() && !t.any_readings)
    out.push_back("Single readings close to the fault: none came, or they are older than readings are kept; rollups are in telemetry.csv.");
  if (!t.all_readings) out.push_back("Some single readings close to the fault: there were more than 300,000.");
  if (now < f.window.to) out.push_back("The end of the window had not come when this bundle was made.");
}

Json missing_json(const Found& f, Timestamp now) {
  Json out = Json::array();
  identity_gaps(f, out);
  snapshot_gaps(f, out);
  log_gaps(f, out);
  reading_gaps(f, now, out);
  if (f.history.repairs.empty()) out.push_back("Repairs: none is on record for this board.");
  out.push_back("The manufacturer's own diagnostics (nvidia-bug-report, field diagnostics): this program does not run them.");
  return out;
}

/// Two may share a moment: the board's own and one of its host.
std::string snapshot_name(const Found& f, std::size_t n) {
  const auto id = f.snapshots.documents[n]["id"].get<std::string>();
  return fmt::format("snapshot-{}-{}", n + 1, id);
}

Json snapshots_json(const Found& f) {
  Json out = Json::array();
  for (std::size_t i = 0; i < f.snapshots.documents.size(); ++i) {
    const auto& d = f.snapshots.documents[i];
    out.push_back({{"id", d["id"]}, {"at", d["at"]}, {"host", d["host"]}, {"gpu", d["gpu"]}, {"file", snapshot_name(f, i) + ".json"}});
  }
  return out;
}

Json evidence_json(const Found& f, Timestamp now) {
  return {{"made_at", format_rfc3339(now)},
          {"made_by", "ghm " GHM_VERSION},
          {"simulated", f.board.simulated},
          {"board", board_json(f.board)},
          {"inventory", inventory_json(f.board)},
          {"warranty", warranty_json(f.board, f.fault.at)},
          {"fault", {{"at", format_rfc3339(f.fault.at)}, {"why", f.fault.why}, {"host", or_null(f.history.host)}}},
          {"window", window_json(f)},
          {"missing", missing_json(f, now)},
          {"counters", f.counters.items},
          {"incidents", f.incidents.items},
          {"history", f.history.intervals},
          {"repairs", f.history.repairs},
          {"snapshots", snapshots_json(f)},
          {"events", f.events.count},
          {"kernel_lines", f.events.kernel.size()}};
}

Json about_json(const Found& f, Timestamp now) {
  return {{"gpu", views::id_of(f.board)},    {"serial", or_null(f.board.serial)},     {"gpu_uuid", or_null(f.board.uuid)},
          {"model", or_null(f.board.model)}, {"simulated", f.board.simulated},        {"made_at", format_rfc3339(now)},
          {"made_by", "ghm " GHM_VERSION},   {"fault_at", format_rfc3339(f.fault.at)}};
}

Result<Found> find(const RmaWorld& w, const RmaRequest& q, Timestamp now) {
  Found f{.board = w.fleet.boards[q.board].board};
  auto incidents = rma_incidents(w.records, f.board, now);
  if (!incidents) return incidents.error();
  f.incidents = std::move(*incidents);
  auto fault = rma_fault(w.records, f.board, f.incidents, q.at, now);
  if (!fault) return fault.error();
  f.fault = std::move(*fault);
  f.window = {f.fault.at - q.before, f.fault.at + q.after};
  auto history = rma_history(w.records, w.fleet, f.board, f.fault.at, now);
  if (!history) return history.error();
  f.history = std::move(*history);
  if (f.history.host.empty()) f.history.host = f.board.host;
  auto events = rma_events(w.records, f.board.id, f.history.host, f.window);
  if (!events) return events.error();
  f.events = std::move(*events);
  auto agents = host_agents(w.records, f.history.host);
  if (!agents) return agents.error();
  f.agents = std::move(*agents);
  auto snapshots = board_snapshots(w.records, f.board, f.history.host, f.window, f.fault.at);
  if (!snapshots) return snapshots.error();
  f.snapshots = std::move(*snapshots);
  return f;
}

Result<void> read_telemetry(const RmaWorld& w, Timestamp now, Found& f) {
  f.series = rma_series(w.telemetry, f.board.id);
  auto readings = rma_telemetry(w.telemetry, f.series.series, f.window, f.fault.at, now);
  if (!readings) return readings.error();
  f.telemetry = std::move(*readings);
  auto counters = rma_counters(w.telemetry, f.series.series, std::min(now, f.window.to));
  if (!counters) return counters.error();
  f.counters = std::move(*counters);
  return {};
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& l : lines) out += l + "\n";
  return out;
}

}  // namespace

Result<RmaEvidence> gather_rma(const RmaWorld& world, const RmaRequest& request, Timestamp now) {
  auto f = find(world, request, now);
  if (!f) return f.error();
  if (auto done = read_telemetry(world, now, *f); !done) return done.error();
  views::RmaPage page{
      evidence_json(*f, now), std::move(f->events.kernel), f->snapshots.documents, std::move(f->telemetry.charts), f->window, f->fault.at};
  RmaEvidence out{about_json(*f, now), {}};
  out.files = {{"index.html", views::rma_page(page)},
               {"evidence.json", page.evidence.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"},
               {"kernel.log", text_of(page.kernel_lines)},
               {"events.csv", std::move(f->events.csv)},
               {"counters_daily.csv", std::move(f->counters.daily)},
               {"telemetry.csv", std::move(f->telemetry.csv)},
               {"readings.csv", std::move(f->telemetry.readings)}};
  for (std::size_t i = 0; i < f->snapshots.documents.size(); ++i) {
    const auto& d = f->snapshots.documents[i];
    out.files.push_back({snapshot_name(*f, i) + ".json", d.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"});
    out.files.push_back({snapshot_name(*f, i) + ".txt", views::snapshot_text(d)});
  }
  return out;
}

Result<std::string> rma_bundle(const RmaWorld& world, const RmaRequest& request, const evidence::SigningKey& key, Timestamp now) {
  auto gathered = gather_rma(world, request, now);
  if (!gathered) return gathered.error();
  return evidence::seal(std::move(gathered->files), std::move(gathered->about), key, now);
}

std::string rma_file_name(const fleet::Board& board) {
  std::string name;
  for (const unsigned char c : views::id_of(board).substr(0, kLongestFileName))
    name += std::isalnum(c) != 0 || c == '-' ? static_cast<char>(c) : '_';
  return fmt::format("rma-{}.tar.zst", name);
}

}  // namespace ghm::services
