// Why into the sign's own round: a round is written once, synced, sent in order and taken once, whatever dies in between; the sources
// learn that a sign was told only after that write. A file of its own would have to earn each of these promises again. What such a
// snapshot must not do is hold the sign up, so nothing is waited for here: the kernel's log and files are read, the driver is not.
#include "apps/agent/snapshot_taker.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "adapters/host_facts/fault_scene.h"
#include "core/files.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::agent {
namespace {

using transport::AgentEvent, transport::GpuName, transport::HostRound, transport::Snapshot;
using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;  // of the documents; docs/agent.md
constexpr std::size_t kMostJobs = 32, kMostProcesses = 32, kLimitsFile = 16u << 10;
constexpr const char* kExpected[] = {"kernel_log", "nvml", "host_facts"};

std::string text_of(const Json& j) {
  return j.dump(-1, ' ', true, Json::error_handler_t::replace);
}

bool is_same(const GpuName& a, const GpuName& b) {
  if (!a.uuid.empty() && !b.uuid.empty()) return a.uuid == b.uuid;
  if (!a.serial.empty() && !b.serial.empty()) return a.serial == b.serial;
  const auto pci = telemetry::normalise_pci_bus_id(a.pci_bus_id);
  return !pci.empty() && pci == telemetry::normalise_pci_bus_id(b.pci_bus_id);
}

GpuName name_of(const telemetry::GpuIdentity& id) {
  return {id.uuid, id.serial, id.pci_bus_id};
}

std::string word_for(const GpuName& gpu) {
  for (const auto* name : {&gpu.uuid, &gpu.serial, &gpu.pci_bus_id})
    if (!name->empty()) return *name;
  return "host";
}

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json facts_json(const telemetry::LabelMap& facts) {
  Json out = Json::object();
  for (const auto& [name, value] : facts) out[name] = value;
  return out;
}

Json sign_json(const AgentEvent& e, const FatalSign& sign) {
  return {{"kind", e.kind},
          {"code", e.code == 0 ? Json() : Json(e.code)},
          {"family", sign.family},
          {"why", sign.why},
          {"at", format_rfc3339(e.at)},
          {"text", e.text},
          {"fields", facts_json(e.fields)}};
}

/// What makes a document too long are its lists: they are left out, and that is said.
std::string fitting(Json doc) {
  auto text = text_of(doc);
  if (text.size() <= transport::kLargestSnapshot) return text;
  for (const auto* part : {"readings", "jobs", "sources"}) {
    doc[part] = fmt::format("left out: with it the snapshot would be {} bytes long", text.size());
    if (auto shorter = text_of(doc); shorter.size() <= transport::kLargestSnapshot) return shorter;
  }
  return text_of({{"version", kVersion}, {"missing", "all of it: it was too long"}});
}

// The kernel's number of the line tells the same moment when it is seen again, after a kill between two writes.
std::string id_of(const HostRound& round, const AgentEvent& first) {
  const auto seq = first.fields.find("seq");
  const auto boot = round.boot_id.substr(0, round.boot_id.find('-'));
  return seq == first.fields.end() ? fmt::format("{}-t{}", boot, to_unix_ms(round.at)) : fmt::format("{}-k{}", boot, seq->second);
}

}  // namespace

SnapshotTaker::SnapshotTaker(Settings settings, const Sources& sources, std::function<telemetry::LabelMap()> own)
    : settings_(std::move(settings)), sources_(sources), own_(std::move(own)) {
  if (settings_.state.empty()) return;
  if (const auto text = read_file(settings_.state, kLimitsFile)) limits_ = SnapshotLimits::from_text(*text, settings_.boot_id);
}

// ---- whether

std::vector<SnapshotTaker::Chosen> SnapshotTaker::choose(const HostRound& round) {
  std::vector<Chosen> out;
  for (const auto& e : round.events) {
    const auto sign = fatal_sign(e);
    if (!sign) continue;
    if (round.at - e.at > kFresh) {
      ++stats_.skipped["old"];
      continue;
    }
    auto gpu = full_name(e.gpu);
    const auto verdict = limits_.ask(word_for(gpu), sign->family, round.since_boot);
    if (verdict == SnapshotLimits::Verdict::take) {
      out.push_back({&e, *sign, std::move(gpu)});
      continue;
    }
    const bool many = verdict == SnapshotLimits::Verdict::too_many;
    ++stats_.skipped[many ? "too_many" : "known"];
    if (many)
      notice("too_many",
             fmt::format("{} snapshots were taken of this host within an hour: none of {} and of further GPUs", SnapshotLimits::kMostPer,
                         word_for(gpu)),
             round.at);
  }
  return out;
}

// Once an hour for a reason: who asks for evidence later learns why there is none.
void SnapshotTaker::notice(const std::string& reason, std::string text, Timestamp at) {
  auto& last = noticed_[reason];
  if (last != Timestamp() && at >= last && at - last < SnapshotLimits::kOncePer) return;
  last = at;
  AgentEvent e;
  e.at = at;
  e.kind = "snapshot_skipped";
  e.text = std::move(text);
  e.fields["reason"] = reason;
  notices_.push_back(std::move(e));
}

void SnapshotTaker::add_notices(HostRound& round) {
  for (auto& n : notices_) round.events.push_back(std::move(n));
  notices_.clear();
}

// ---- what

void SnapshotTaker::take(HostRound& round) {
  kept_at_ = round.at;
  if (round.readings.layout) {
    last_.layout = round.readings.layout;
    last_.values = round.readings.values;
    last_at_ = round.at;
  }
  round.host["snapshots"] = std::to_string(kVersion);  // so that the server knows what it can expect
  if (const auto chosen = choose(round); !chosen.empty()) write_down(round, chosen);
  add_notices(round);  // last: what was chosen points into the events
}

void SnapshotTaker::write_down(HostRound& round, const std::vector<Chosen>& chosen) {
  if (open_) add_later_parts(round);
  const auto id = id_of(round, *chosen.front().event);
  open_ = Open{id, round.at, round.since_boot, {}};
  round.snapshots.push_back({id, round.at, "context", {}, fitting(context(round, chosen.front()))});
  for (const auto& c : chosen) {
    round.snapshots.push_back({id, round.at, "sign", c.gpu, fitting(sign_part(round, c))});
    if (!c.gpu.is_host()) open_->gpus.push_back(c.gpu);
  }
  in_round_ = chosen.size();
  stats_.taken += chosen.size();
  for (const auto& s : sources_) s->look_again(round.at);
}

void SnapshotTaker::kept(std::uint64_t left_out) {
  const auto n = std::exchange(in_round_, 0);
  if (left_out != std::exchange(left_out_, left_out)) {
    stats_.taken -= n;
    stats_.skipped["no_room"] += std::max<std::size_t>(n, 1);
    notice("no_room", "the spool or its disk had no room for a snapshot of a fault: readings come first", kept_at_);
    if (n > 0) open_.reset();
  }
  // Without it an agent that is started anew would write the same fault down again, no more.
  if (n > 0 && !settings_.state.empty()) (void)write_file_atomically(settings_.state, limits_.to_text(settings_.boot_id), 0600);
}

Json SnapshotTaker::context(const HostRound& round, const Chosen& first) const {
  auto host = round.host;
  host.erase("machine_id");  // names the host beyond its life, and evidence leaves the site
  Json doc = {{"version", kVersion},
              {"taken_at", format_rfc3339(round.at)},
              {"since_boot_ms", round.since_boot.count()},
              {"boot_id", or_null(round.boot_id)},
              {"sign", sign_json(*first.event, first.sign)},
              {"agent", facts_json(own_())},
              {"host", facts_json(host)},
              {"sources", testimonies({}, round.at)}};
  for (const auto* name : kExpected)
    if (std::ranges::none_of(sources_, [&](const auto& s) { return s->name() == name; }))
      doc["sources"][name] = {{"missing", fmt::format("not watched: sources.{} is off", name)}};
  return doc;
}

Json SnapshotTaker::sign_part(const HostRound& round, const Chosen& c) const {
  Json doc = {{"version", kVersion}, {"sign", sign_json(*c.event, c.sign)}};
  const auto* id = identity_of(c.gpu);
  doc["gpu"] = {{"uuid", or_null(c.gpu.uuid)},
                {"serial", or_null(c.gpu.serial)},
                {"pci_bus_id", or_null(c.gpu.pci_bus_id)},
                {"index", id && id->index >= 0 ? Json(id->index) : Json()},
                {"model", id ? or_null(id->model) : Json()},
                {"driver_version", id ? or_null(id->driver_version) : Json()},
                {"vbios_version", id ? or_null(id->vbios_version) : Json()}};
  doc["readings"] = readings_of(c.gpu);
  Json jobs = Json::array();
  for (const auto& j : round.jobs)
    if (is_same(j.gpu, c.gpu) && jobs.size() < kMostJobs)
      jobs.push_back({{"kind", j.kind}, {"name", j.name}, {"facts", facts_json(j.facts)}});
  doc["jobs"] = std::move(jobs);
  doc["sources"] = c.gpu.is_host() ? Json::object() : testimonies(c.gpu, round.at);
  return doc;
}

Json SnapshotTaker::testimonies(const GpuName& gpu, Timestamp now) const {
  Json out = Json::object();
  for (const auto& s : sources_)
    if (const auto said = s->testify(gpu, now); !said.is_empty()) out[std::string(s->name())] = testimony(said);
  return out;
}

Json SnapshotTaker::testimony(const transport::Testimony& said) const {
  Json out = Json::object();
  if (!said.missing.empty()) out["missing"] = said.missing;
  if (!said.facts.empty()) out["facts"] = facts_json(said.facts);
  if (!said.lines.empty()) out["lines"] = said.lines;
  if (said.processes.empty()) return out;
  Json processes = Json::array();
  for (const auto pid : said.processes) {
    if (processes.size() >= kMostProcesses) break;
    const auto text = host_facts::process_scene(settings_.root, pid);
    processes.push_back(text.empty() ? fmt::format("{}: has ended", pid) : text);
  }
  out["processes"] = std::move(processes);
  return out;
}

Json SnapshotTaker::readings_of(const GpuName& gpu) const {
  if (!last_.layout) return nullptr;
  Json values = Json::object();
  const auto& layout = *last_.layout;
  for (std::size_t i = 0; i < layout.table->series.size(); ++i) {
    const auto& s = layout.table->series[i];
    if (s.gpu < 0 || telemetry::is_absent(last_.values[i]) || !is_same(name_of(layout.gpus[static_cast<std::size_t>(s.gpu)]), gpu))
      continue;
    const auto* spec = telemetry::MetricCatalogue::built_in().find(s.metric);
    auto name = spec ? spec->name : fmt::format("field {}", static_cast<unsigned>(s.metric));
    if (s.entity != telemetry::Entity{}) name += "@" + telemetry::to_string(s.entity);
    values[name] = last_.values[i];
  }
  return {{"at", format_rfc3339(last_at_)}, {"values", std::move(values)}};
}

const telemetry::GpuIdentity* SnapshotTaker::identity_of(const GpuName& gpu) const {
  if (!last_.layout || gpu.is_host()) return nullptr;
  const auto found = std::ranges::find_if(last_.layout->gpus, [&](const auto& g) { return is_same(name_of(g), gpu); });
  return found == last_.layout->gpus.end() ? nullptr : &*found;
}

GpuName SnapshotTaker::full_name(const GpuName& gpu) const {
  auto out = gpu;
  out.pci_bus_id = telemetry::normalise_pci_bus_id(gpu.pci_bus_id);
  const auto* known = identity_of(gpu);
  if (!known) return out;
  if (out.uuid.empty()) out.uuid = known->uuid;
  if (out.serial.empty()) out.serial = known->serial;
  if (out.pci_bus_id.empty()) out.pci_bus_id = known->pci_bus_id;
  return out;
}

// ---- what comes later

void SnapshotTaker::look(HostRound& round) {
  if (!open_) return;
  const auto waited = round.since_boot - open_->asked;
  const bool all = std::ranges::all_of(sources_, [](const auto& s) { return s->has_looked(); });
  if (waited < kLeastLook || (!all && waited < kPatience)) return;
  add_later_parts(round);
}

void SnapshotTaker::add_later_parts(HostRound& round) {
  const auto open = *std::exchange(open_, std::nullopt);
  const auto add = [&](const GpuName& gpu) {
    Json sources = Json::object();
    for (const auto& s : sources_)
      if (const auto said = s->seen_again(gpu, round.at); !said.is_empty()) sources[std::string(s->name())] = testimony(said);
    if (sources.empty()) return;
    const Json doc = {{"version", kVersion}, {"read_at", format_rfc3339(round.at)}, {"sources", std::move(sources)}};
    round.snapshots.push_back({open.id, open.at, "later", gpu, fitting(doc)});
  };
  add({});
  for (const auto& gpu : open.gpus) add(gpu);
  for (const auto& s : sources_) s->look_away();
}

}  // namespace ghm::agent
