#include "pipeline/agent_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipeline/event_code.h"
#include "pipeline/ledger_records.h"

namespace ghm::pipeline {
namespace {

using fleet::BoardId;
using Json = nlohmann::json;

constexpr std::size_t kLongestKind = 40;

bool is_word(const std::string& kind) {
  return !kind.empty() && kind.size() <= kLongestKind &&
         std::ranges::all_of(kind, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool means(const transport::GpuName& name, const std::string& pci, const telemetry::GpuIdentity& gpu) {
  if (!name.serial.empty() && !gpu.serial.empty()) return name.serial == gpu.serial;
  if (!name.uuid.empty() && !gpu.uuid.empty()) return name.uuid == gpu.uuid;
  return !pci.empty() && pci == gpu.pci_bus_id;
}

void add(std::vector<fleet::Held>& held, fleet::Held one) {
  const auto known = std::ranges::find(held, one.value, &fleet::Held::value);
  if (known == held.end()) held.push_back(std::move(one));
  else if (known->facts.empty()) known->facts = std::move(one.facts);
}

}  // namespace

BoardId find_board(const transport::GpuName& gpu, const std::string& host, const SourceState& page, const fleet::Ledger& ledger) {
  if (gpu.is_host()) return BoardId::none;
  const auto pci = telemetry::normalise_pci_bus_id(gpu.pci_bus_id);
  if (page.layout)
    for (std::size_t g = 0; g < page.boards.size(); ++g)
      if (means(gpu, pci, page.layout->gpus[g])) return page.boards[g];
  for (const auto& name : {gpu.serial, gpu.uuid})
    if (!name.empty())
      if (const auto* b = ledger.find(std::string_view(name)); b && (b->serial == name || b->uuid == name)) return b->id;
  if (!gpu.serial.empty() || !gpu.uuid.empty() || pci.empty()) return BoardId::none;
  for (const auto& [id, b] : ledger.boards())  // seldom: a fault on a board whose page never came
    if (b.in_service && b.host == host && b.pci_bus_id == pci) return id;
  return BoardId::none;
}

fleet::FleetEvent ledger_event(const transport::AgentEvent& said, std::chrono::milliseconds shift, Timestamp now) {
  fleet::FleetEvent e;
  e.at = std::min(said.at + shift, now);
  e.kind = is_word(said.kind) ? said.kind : "agent_event";
  e.detail = said.text;
  e.code = said.code;
  e.fields = said.fields;
  if (e.kind != said.kind) e.fields.emplace("kind", said.kind);
  const auto pci = telemetry::normalise_pci_bus_id(said.gpu.pci_bus_id);
  if (!pci.empty()) e.fields.emplace("pci_bus_id", pci);
  return e;
}

store::Record agent_record(const fleet::FleetEvent& event, const fleet::Board* board, const std::string& key) {
  auto record = to_record(event, board, 0);
  record.key = fmt::format("{:015}-{}", to_unix_ms(event.at), key);
  return record;
}

bool is_by_kernel(const std::map<std::string, std::string>& fields) {
  return fields.contains("boot_id") && fields.contains("seq") && !fields.contains("written_by");
}

std::optional<XidTold> parse_xid(const store::Record& event) {
  if (event.kind != "event" || event.body.find("\"xid\"") == event.body.npos) return std::nullopt;
  const auto body = Json::parse(event.body, nullptr, false);
  if (!body.is_object() || body.value("kind", Json()) != "xid" || !body.value("board", Json()).is_number_unsigned()) return std::nullopt;
  const auto fields = body.find("fields");
  std::map<std::string, std::string> said;
  if (fields != body.end() && fields->is_object())
    for (const auto& [name, value] : fields->items()) said[name] = value.is_string() ? value.get<std::string>() : value.dump();
  return XidTold{static_cast<BoardId>(body["board"].get<std::uint32_t>()), event_code(body), is_by_kernel(said)};
}

store::Record host_facts_record(const std::string& host, const telemetry::LabelMap& facts, Timestamp at) {
  const Json body = {{"host", host}, {"facts", facts}};
  return {"host_facts", host, at, body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

telemetry::Workload workload_of(const HeldByBoard::mapped_type& held) {
  telemetry::Workload out;
  for (const auto& [kind, values] : held)
    for (const auto& v : values) (kind == "pod" ? out.pods : out.jobs).push_back(v.value);
  std::ranges::sort(out.pods);
  std::ranges::sort(out.jobs);
  return out;
}

HeldByBoard held_by_board(const transport::HostRound& round, const telemetry::PageLayout& said, const std::vector<BoardId>& boards,
                          const std::function<BoardId(const transport::GpuName&)>& board_of) {
  HeldByBoard out;
  for (std::size_t g = 0; g < boards.size(); ++g) {
    if (boards[g] == BoardId::none) continue;
    auto& held = out[boards[g]];
    held["pod"];
    held["job"];  // both kinds are told, so that what has ended ends
    if (g >= said.work.size()) continue;
    for (const auto& pod : said.work[g].pods) add(held["pod"], {pod, {}});
    for (const auto& job : said.work[g].jobs) add(held["job"], {job, {}});
  }
  for (const auto& job : round.jobs)
    if (const auto found = out.find(board_of(job.gpu)); found != out.end() && (job.kind == "pod" || job.kind == "job"))
      add(found->second[job.kind], {job.name, job.facts});
  return out;
}

}  // namespace ghm::pipeline
