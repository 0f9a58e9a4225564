#include "pipeline/remote_ingest.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/telemetry/metric_catalogue.h"
#include "pipeline/sighting_of.h"

namespace ghm::pipeline {
namespace {

constexpr auto kLiveAge = 48h;
constexpr auto kForgetSourceAfter = 24h;
constexpr std::size_t kMostSources = 100'000;
// A row has a value for every column of its source: a request whose samples all have times of their own must not become
// thousands of nearly empty rows. A sender's usual request is a hundredth of this (256 MB).
constexpr std::size_t kMostCells = 32'000'000;

bool is_loopback(const std::string& host) {
  return host.empty() || host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

RemoteIngest::RemoteIngest(Settings settings, Ingest& ingest, Log log) : settings_(settings), ingest_(ingest), log_(std::move(log)) {}

void RemoteIngest::take(const remote_write::WriteRequest& request, Timestamp now, bool backfill, Told told) {
  ++stats_.requests;
  note_help(request.help);
  auto parts = by_source(request, now);
  const auto age = std::chrono::milliseconds(backfill ? settings_.retention : std::min<std::chrono::hours>(settings_.retention, kLiveAge));
  std::size_t cells = 0;
  for (auto& part : parts) {
    part.source->settle(help_, now);
    for (const auto& [key, series] : part.series) part.source->note(key, *series, now - age, now, part.instants);
    cells += part.instants.size() * part.source->columns();
  }
  if (cells > kMostCells)
    return told(Error{Errc::invalid_input,
                      "remote_write: the samples of this request have too many different times: lower "
                      "queue_config.max_samples_per_send"});
  ToKeep out;
  for (auto& part : parts) part.source->take(part.instants, now, out);
  auto changes = ingest_.ledger_changes(now);
  // A board's record comes before the events about it.
  std::ranges::move(out.records, std::back_inserter(changes.records));
  out.records = std::move(changes.records);
  if (!out.rows.empty()) out.told.push_back(std::move(told));
  const bool nothing_to_wait_for = out.told.empty();
  ingest_.emit(std::move(out));
  if (nothing_to_wait_for) told({});
}

std::vector<RemoteIngest::Part> RemoteIngest::by_source(const remote_write::WriteRequest& request, Timestamp now) {
  std::vector<Part> parts;
  std::unordered_map<RemoteSource*, std::size_t> number;
  for (const auto& series : request.series) {
    stats_.samples += series.samples.size();
    const auto name = name_of(series.labels);
    RemoteSource* from = nullptr;
    if (telemetry::MetricCatalogue::built_in().spelling(name.metric)) from = source_of(name, now);
    if (from == nullptr || !from->has_room()) {
      stats_.unknown += series.samples.size();
      ingest_.count_accepted(0, series.samples.size());
      continue;
    }
    const auto key = key_of(series.labels);
    from->hear(key, series, now);
    const auto [known, fresh] = number.try_emplace(from, parts.size());
    if (fresh) parts.push_back({from, {}, {}});
    parts[known->second].series.emplace_back(key, &series);
  }
  return parts;
}

// An agent on every node scrapes localhost: then the instance tells nothing, and the host is the source. One instance for
// many hosts (a service's address) is taken apart by host name too.
RemoteSource* RemoteIngest::source_of(const RemoteName& name, Timestamp now) {
  std::string address(is_loopback(host_of_address(name.instance)) && !name.host.empty() ? name.host : name.instance);
  if (address.empty()) address = "unknown";
  const auto key = "remote_write/" + address;
  auto* from = source(key, address, now);
  if (from == nullptr || name.host.empty()) return from;
  if (from->host.empty()) from->host = name.host;
  if (from->host == name.host) return from;
  auto* own = source(fmt::format("{}/{}", key, name.host), std::string(name.host), now);
  if (own != nullptr) own->host = name.host;
  return own;
}

RemoteSource* RemoteIngest::source(const std::string& name, const std::string& address, Timestamp now) {
  if (const auto known = sources_.find(name); known != sources_.end()) return known->second.get();
  if (sources_.size() >= 2 * swept_size_ + 64) sweep(now);
  if (sources_.size() >= kMostSources) return nullptr;
  log_.info("remote_write.source", {{"source", name}});
  auto made = std::make_unique<RemoteSource>(name, address, settings_.interval, settings_.simulated, ingest_, now);
  return sources_.emplace(name, std::move(made)).first->second.get();
}

void RemoteIngest::sweep(Timestamp now) {
  std::erase_if(sources_, [&](const auto& entry) {
    if (now - entry.second->heard() <= kForgetSourceAfter) return false;
    ingest_.trust().forget(entry.first);
    return true;
  });
  swept_size_ = sources_.size();
}

// HELP texts come without the labels of who says them. When two exporters give one name different units, nobody can tell
// whose is whose, and by the value's size nobody should guess.
void RemoteIngest::note_help(const std::vector<remote_write::Help>& help) {
  using dcgm_exporter::HelpUnit;
  const auto& catalogue = telemetry::MetricCatalogue::built_in();
  bool changed = false;
  for (const auto& [family, text] : help) {
    const auto* spelling = catalogue.spelling(family);
    if (spelling == nullptr || !spelling->unit_from_help) continue;
    const auto unit = dcgm_exporter::unit_of_help(text);
    const auto [known, fresh] = help_.try_emplace(spelling, unit);
    const bool contradicts = !fresh && known->second != unit && known->second != HelpUnit::unsaid;
    if (contradicts) known->second = HelpUnit::unsaid;
    changed |= fresh || contradicts;
  }
  if (changed)
    for (auto& [name, source] : sources_) source->units_changed();
}

}  // namespace ghm::pipeline
