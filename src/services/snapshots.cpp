#include "services/snapshots.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "domain/telemetry/identity.h"
#include "domain/views/snapshot_view.h"
#include "pipeline/snapshot_records.h"

namespace ghm::services {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kPage = 32, kMostRecords = 512, kMostInBundle = 8, kMostPlaces = 16, kMostListed = 64, kAgentsPage = 1000;
constexpr auto kAround = 2min;  // a snapshot and the incident's first sign are of the same moment, by two clocks
constexpr auto kLater = 1min;   // the later parts carry the moment's time; a clock may have been set in between

const Json& at(const Json& j, const char* name) {
  static const Json none;
  const auto it = j.is_object() ? j.find(name) : j.end();
  return j.is_object() && it != j.end() ? *it : none;
}

std::string text(const Json& j, const char* name) {
  const auto& v = at(j, name);
  return v.is_string() ? v.get<std::string>() : std::string();
}

std::uint32_t number(const Json& j, const char* name) {
  const auto& v = at(j, name);
  return v.is_number_unsigned() ? v.get<std::uint32_t>() : 0;
}

/// Bodies of a prefix in a time, the oldest first; one that cannot be read is passed over.
Result<std::vector<Json>> bodies(const store::RecordStore& records, const std::string& prefix, TimeRange range) {
  std::vector<Json> out;
  auto after = pipeline::evidence_key_from(prefix, range.from);
  const auto end = pipeline::evidence_key_from(prefix, range.to);
  for (std::size_t looked = 0; looked < kMostRecords;) {
    const auto page = records.scan("evidence", prefix, after, kPage);
    if (!page) return page.error();
    for (const auto& r : *page) {
      if (r.key >= end) return out;
      if (auto body = Json::parse(r.body, nullptr, false); body.is_object()) out.push_back(std::move(body));
    }
    if (page->size() < kPage) break;
    looked += page->size();
    after = page->back().key;
  }
  return out;
}

Json part_of(const std::vector<Json>& all, const std::string& id, const char* part, bool of_gpu) {
  const auto found = std::ranges::find_if(
      all, [&](const Json& b) { return text(b, "id") == id && text(b, "part") == part && at(b, "gpu").is_null() != of_gpu; });
  return found == all.end() ? Json() : *found;
}

/// A sign among its host's records: it names nobody, or this board, which the ledger did not know then.
bool is_about(const Json& sign, const fleet::Board& board) {
  const auto& gpu = at(sign, "gpu");
  if (gpu.is_null()) return true;
  const auto uuid = text(gpu, "uuid"), serial = text(gpu, "serial");
  if (!serial.empty() && !board.serial.empty()) return serial == board.serial;
  if (!uuid.empty() && !board.uuid.empty()) return uuid == board.uuid;
  const auto pci = text(gpu, "pci_bus_id");
  return !pci.empty() && (pci == board.pci_bus_id || board.pci_bus_id.empty());
}

Timestamp time_of(const Json& body) {
  return parse_time(text(body, "at")).value_or(Timestamp());
}

/// The whole of one sign: what its host shares lies among the host's records.
Result<Json> document_of(const store::RecordStore& records, const Json& sign, const std::vector<Json>& beside) {
  const auto when = time_of(sign);
  const auto host = bodies(records, pipeline::evidence_prefix(text(sign, "host")), {when - kLater, when + kLater});
  if (!host) return host.error();
  const auto id = text(sign, "id");
  const bool of_gpu = !at(sign, "gpu").is_null();
  return views::snapshot_document(sign, part_of(*host, id, "context", false), of_gpu ? part_of(beside, id, "later", true) : Json(),
                                  part_of(*host, id, "later", false));
}

/// Whom an incident's evidence is kept under.
std::set<std::string> places_of(const Json& incident) {
  std::set<std::string> out;
  for (const auto& p : at(incident, "parts")) {
    if (out.size() >= kMostPlaces) break;
    if (const auto board = number(p, "board"); board != 0) out.insert(pipeline::evidence_prefix(static_cast<fleet::BoardId>(board)));
    if (const auto host = text(p, "host"); !host.empty()) out.insert(pipeline::evidence_prefix(host));
  }
  return out;
}

Json listed(const Json& sign) {
  const auto& gpu = at(sign, "gpu");
  Json name;
  for (const auto* key : {"pci_bus_id", "uuid", "serial"})
    if (at(gpu, key).is_string()) name = at(gpu, key);
  return {{"at", at(sign, "at")}, {"gpu", std::move(name)}, {"host", at(sign, "host")}, {"id", at(sign, "id")}};
}

}  // namespace

Result<SnapshotsFound> board_snapshots(const store::RecordStore& records, const fleet::Board& board, const std::string& host,
                                       TimeRange range, Timestamp fault) {
  const TimeRange wide{range.from, range.to + kLater};
  const auto own = bodies(records, pipeline::evidence_prefix(board.id), wide);
  if (!own) return own.error();
  auto of_host = host.empty() ? Result<std::vector<Json>>(std::vector<Json>()) : bodies(records, pipeline::evidence_prefix(host), wide);
  if (!of_host) return of_host.error();
  std::vector<std::pair<const Json*, const std::vector<Json>*>> signs;
  for (const auto& b : *own)
    if (text(b, "part") == "sign") signs.emplace_back(&b, &*own);
  for (const auto& b : *of_host)
    if (text(b, "part") == "sign" && text(b, "host") == host && is_about(b, board)) signs.emplace_back(&b, &*of_host);
  std::ranges::stable_sort(signs, {}, [&](const auto& s) { return std::chrono::abs(time_of(*s.first) - fault); });
  SnapshotsFound out;
  for (const auto& [sign, beside] : signs) {
    if (out.documents.size() >= kMostInBundle) {
      out.all = false;
      break;
    }
    auto document = document_of(records, *sign, *beside);
    if (!document) return document.error();
    out.documents.push_back(std::move(*document));
  }
  return out;
}

Result<Json> incident_snapshots(const store::RecordStore& records, const store::Record& incident) {
  const auto body = Json::parse(incident.body, nullptr, false);
  if (!at(body, "opened").is_number() || !at(body, "last").is_number()) return Json::array();
  std::vector<Json> found;
  const TimeRange range{from_unix_ms(at(body, "opened").get<std::int64_t>()) - kAround,
                        from_unix_ms(at(body, "last").get<std::int64_t>()) + kAround};
  for (const auto& place : places_of(body)) {
    const auto all = bodies(records, place, range);
    if (!all) return all.error();
    for (const auto& b : *all)
      if (text(b, "part") == "sign" && found.size() < kMostListed) found.push_back(listed(b));
  }
  std::ranges::stable_sort(found, {}, [](const Json& e) { return text(e, "at"); });
  return Json(std::move(found));
}

Result<HostAgents> host_agents(const store::RecordStore& records, const std::string& host) {
  HostAgents out;
  const auto facts = records.get("host_facts", host);
  if (!facts) return facts.error();
  if (*facts) {
    out.heard = true;
    out.takes_snapshots = at(at(Json::parse((*facts)->body, nullptr, false), "facts"), "snapshots").is_string();
  }
  bool since_known = true;
  std::string after;
  for (;;) {
    const auto page = records.scan("agent", "", after, kAgentsPage);
    if (!page) return page.error();
    for (const auto& r : *page) {
      const auto body = Json::parse(r.body, nullptr, false);
      if (text(body, "host") != host) continue;
      out.heard = true;
      out.version = text(body, "version");
      const auto since = parse_time(text(body, "since"));
      if (!since) since_known = false;
      else if (!out.since || *since < *out.since) out.since = *since;
    }
    if (page->size() < kAgentsPage) break;
    after = page->back().key;
  }
  if (!since_known) out.since.reset();
  return out;
}

std::string why_no_snapshot(const HostAgents& agents, Timestamp fault, const std::vector<std::string>& skipped) {
  const std::string what = "Snapshot at the fault: ";
  if (!agents.heard) return what + "no agent has been heard from this host, so that nobody could take one.";
  if (agents.since && *agents.since > fault)
    return fmt::format("{}the fault came before the agent, which was first heard {}.", what, format_rfc3339(*agents.since));
  if (!agents.takes_snapshots)
    return fmt::format("{}the agent on this host{} is too old to take one.", what,
                       agents.version.empty() ? "" : fmt::format(" (version {})", agents.version));
  if (!skipped.empty()) return fmt::format("{}none was taken. The agent said at {}.", what, skipped.back());
  return what + "the agent saw no sign of a fatal fault of this GPU then, or what it wrote down has not reached the server.";
}

}  // namespace ghm::services
