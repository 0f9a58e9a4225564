#include "pipeline/agent_ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ghm::pipeline {
namespace {

using Json = nlohmann::json;
using transport::BatchHeader;

constexpr auto kLiveAge = 48h;
constexpr auto kForgetHostAfter = 24h;
constexpr std::size_t kMostHosts = 100'000;
constexpr std::size_t kMostAgentsOfAHost = 8;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const unsigned char b : bytes) out += fmt::format("{:02x}", b);
  return out;
}

// A copied disk takes its agent id along, but not its host name.
std::string key_of(const std::string& id_hex, const std::string& host) {
  return id_hex + "/" + host;
}

std::string skew_text(const std::string& host, std::chrono::milliseconds shift) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(std::chrono::abs(shift)).count();
  if (seconds == 0) return fmt::format("the clock of {} is right again", host);
  return fmt::format("the clock of {} is {} s {}: times of its readings are shifted, check its time synchronisation", host, seconds,
                     shift > 0ms ? "behind" : "ahead");
}

}  // namespace

AgentIngest::AgentIngest(Settings settings, Ingest& ingest, Remembered remembered, Log log)
    : settings_(settings), ingest_(ingest), remembered_(std::move(remembered)), log_(std::move(log)) {}

void AgentIngest::take(const transport::PackedBatch& packed, Timestamp now, bool backfill, Told told) {
  ++stats_.batches;
  const auto& header = packed.header();
  auto* host = host_of(header, now);
  if (host == nullptr) return told(Error{Errc::unavailable, "batch: too many hosts send here: give some of them another server"});
  auto found = agent_of(*host, header, now);
  if (!found) return told(found.error());
  auto& agent = **found;
  auto batch = agent.decoder.decode(packed);
  if (!batch) {
    stats_.conflicts += batch.error().code == Errc::conflict;
    return told(batch.error());
  }
  if (batch->stands_alone) {
    host->source->place(batch->header.labels);
    agent.version = batch->header.agent_version;
  }
  agent.heard = now;
  host->source->hear(now);
  ToKeep out;
  const auto age = std::chrono::milliseconds(backfill ? settings_.retention : std::min<std::chrono::hours>(settings_.retention, kLiveAge));
  const auto last = agent.last;
  for (auto& round : batch->rounds) {
    if (round.sequence <= agent.last) {
      ++stats_.duplicates;
      continue;
    }
    if (agent.last == last) take_clock(*host, agent, batch->header, now, out);
    const auto at = believed_at(round, batch->header, agent.clock.shift());
    take_boot(*host, agent, round, at, out);
    host->source->take(round, at, now - age, now, fmt::format("a{}-{}", agent.hex.substr(0, 16), round.sequence), out);
    agent.last = round.sequence;
    agent.newest = std::max(agent.newest, at);
    ++agent.rounds;
    agent.events += round.events.size();
    ++stats_.rounds;
    stats_.events += round.events.size();
  }
  if (agent.last != last) host->source->note_skew(agent.clock.shift(), now);
  // A board's record comes before the events about it.
  auto changes = ingest_.ledger_changes(now);
  std::ranges::move(out.records, std::back_inserter(changes.records));
  out.records = std::move(changes.records);
  if (agent.last != last)
    out.with_rows.push_back({"agent", key_of(agent.hex, host->source->host()), now,
                             Json{{"host", host->source->host()},
                                  {"last", agent.last},
                                  {"boot_id", agent.boot_id},
                                  {"version", agent.version},
                                  {"since", agent.since ? Json(format_rfc3339(*agent.since)) : Json()},
                                  {"clock_behind_ms", agent.clock.shift().count()}}
                                 .dump(-1, ' ', false, Json::error_handler_t::replace)});
  // Also when all of it is known: what was taken before may still be on its way to the disk, and this waits behind it.
  out.told.push_back(std::move(told));
  if (!ingest_.emit(std::move(out))) agent.last = last;
}

AgentIngest::Host* AgentIngest::host_of(const BatchHeader& header, Timestamp now) {
  if (const auto known = hosts_.find(header.host); known != hosts_.end()) return &known->second;
  if (hosts_.size() >= 2 * swept_size_ + 64) sweep(now);
  if (hosts_.size() >= kMostHosts) return nullptr;
  auto& host = hosts_[header.host];
  host.source = std::make_unique<AgentSource>(header.host, AgentSource::Settings{settings_.simulated, settings_.interval}, ingest_, now);
  log_.info("agent.host", {{"host", header.host}});
  return &host;
}

Result<AgentIngest::Agent*> AgentIngest::agent_of(Host& host, const BatchHeader& header, Timestamp now) {
  if (const auto known = host.agents.find(header.agent); known != host.agents.end()) return &known->second;
  Agent agent;
  agent.hex = hex(header.agent);
  auto record = remembered_(key_of(agent.hex, header.host));
  if (!record) return record.error();
  if (!*record) agent.since = now;
  if (*record) {
    const auto body = Json::parse((*record)->body, nullptr, false);
    if (!body.is_object() || !body.value("last", Json()).is_number_unsigned())
      return Error{Errc::corrupt, fmt::format("record agent/{} cannot be read: restore ghm.db from a backup", (*record)->key)};
    agent.last = body["last"];
    agent.boot_id = body.value("boot_id", "");
    if (const auto since = body.value("since", Json()); since.is_string())
      if (const auto at = parse_time(since.get_ref<const std::string&>())) agent.since = *at;
  }
  if (host.agents.size() >= kMostAgentsOfAHost)
    host.agents.erase(std::ranges::min_element(host.agents, {}, [](const auto& entry) { return entry.second.heard; }));
  return &host.agents.emplace(header.agent, std::move(agent)).first->second;
}

void AgentIngest::take_clock(Host& host, Agent& agent, const BatchHeader& header, Timestamp now, ToKeep& out) {
  if (!agent.clock.note(header.sent_at, now)) return;
  const auto shift = agent.clock.shift();
  host.source->tell("clock_skew", now, skew_text(host.source->host(), shift),
                    {{"host_clock", format_rfc3339(header.sent_at)}, {"server_clock", format_rfc3339(now)}}, out);
}

void AgentIngest::take_boot(Host& host, Agent& agent, const transport::HostRound& round, Timestamp at, ToKeep& out) {
  if (round.boot_id == agent.boot_id || round.boot_id.empty()) return;
  if (!agent.boot_id.empty())
    host.source->tell("host_booted", at - round.since_boot, fmt::format("{} was booted", host.source->host()), {{"boot_id", round.boot_id}},
                      out);
  agent.boot_id = round.boot_id;
}

void AgentIngest::sweep(Timestamp now) {
  std::erase_if(hosts_, [&](const auto& entry) {
    if (now - entry.second.source->heard() <= kForgetHostAfter) return false;
    ingest_.trust().forget(entry.second.source->name());
    return true;
  });
  swept_size_ = hosts_.size();
}

std::vector<views::AgentView> AgentIngest::agents() const {
  std::vector<views::AgentView> out;
  for (const auto& [name, host] : hosts_)
    for (const auto& [id, a] : host.agents) out.push_back({name, a.hex, a.version, a.heard, a.newest, a.clock.shift(), a.rounds, a.events});
  std::ranges::sort(out, {}, [](const views::AgentView& v) { return std::pair(v.host, v.id); });
  return out;
}

}  // namespace ghm::pipeline
