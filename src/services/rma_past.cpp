#include "services/rma_past.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/csv.h"
#include "core/utf8.h"
#include "domain/views/case_view.h"
#include "domain/views/incident_view.h"
#include "domain/views/text_table.h"
#include "pipeline/ledger_records.h"
#include "services/case_past.h"

namespace ghm::services {
namespace {

constexpr std::size_t kPage = 1000, kMostIncidents = 50'000, kMostEvents = 200'000, kMostKept = 20'000, kMostShown = 50,
                      kMostFailures = 20'000, kMostHistory = 1000;
constexpr auto kLifetime = std::chrono::days(3650), kXidsBack = std::chrono::days(90);

const Json& at(const Json& j, const char* name) {
  static const Json none;
  if (!j.is_object()) return none;
  const auto it = j.find(name);
  return it == j.end() ? none : *it;
}

std::string text(const Json& j, const char* name) {
  const auto& v = at(j, name);
  return v.is_string() ? v.get<std::string>() : std::string();
}

std::uint32_t board_of(const Json& body) {
  const auto& v = at(body, "board");
  return v.is_number_unsigned() ? v.get<std::uint32_t>() : 0;
}

TimeRange life(Timestamp now) {
  return {now - kLifetime, now + std::chrono::days(2)};
}

enum class Touches { no, host, board };

Touches touches(const Json& incident, const fleet::Board& board) {
  auto found = Touches::no;
  for (const auto& p : at(incident, "parts")) {
    if (board_of(p) == static_cast<std::uint32_t>(board.id)) return Touches::board;
    if (board_of(p) == 0 && !board.host.empty() && text(p, "host") == board.host) found = Touches::host;
  }
  return found;
}

int rank_of(const std::string& severity) {
  constexpr std::string_view kOrder[] = {"info", "warning", "error", "critical"};
  return static_cast<int>(std::ranges::find(kOrder, severity) - kOrder);
}

bool is_kernel_line(const Json& body) {
  const auto& fields = at(body, "fields");
  return fields.is_object() && fields.contains("boot_id") && fields.contains("seq") && text(body, "kind") != "kernel_gap";
}

std::string code_of(const Json& body) {
  const auto& code = at(body, "code");
  if (code.is_string()) return code.get<std::string>();
  return code.is_number() && code != 0 ? code.dump() : std::string();
}

std::string csv_line(Timestamp when, const Json& body) {
  const auto& fields = at(body, "fields");
  const auto more = fields.is_object() && !fields.empty() ? fields.dump(-1, ' ', false, Json::error_handler_t::replace) : std::string();
  return fmt::format("{},{},{},{},{},{}\n", format_rfc3339(when), board_of(body) == 0 ? "host" : "gpu", csv_cell(text(body, "kind")),
                     csv_cell(code_of(body)), csv_cell(to_utf8(text(body, "detail"))), csv_cell(more));
}

Json interval_json(const fleet::Interval& i) {
  Json facts = Json::object();
  for (const auto& [name, value] : i.facts) facts[name] = value;
  return {{"from", format_rfc3339(i.from)},
          {"to", i.to ? format_rfc3339(*i.to) : "still so"},
          {"kind", i.kind},
          {"value", i.value},
          {"facts", std::move(facts)}};
}

bool covers(const fleet::Maintenance& m, const fleet::Board& b) {
  switch (m.scope) {
    case fleet::Maintenance::Scope::gpu: return m.target == b.serial || m.target == b.uuid;
    case fleet::Maintenance::Scope::host: return m.target == b.host;
    case fleet::Maintenance::Scope::rack: return m.target == b.place.rack;
  }
  return false;
}

Json failure_json(const store::Record& r, const Json& body) {
  std::string detail = text(body, "severity");
  for (const auto& [name, word] : {std::pair{"resolution", "resolution: "}, {"resolved_at", "resolved "}})
    if (const auto value = text(body, name); !value.empty()) detail += fmt::format("{}{}{}", detail.empty() ? "" : ", ", word, value);
  return {{"at", format_rfc3339(r.at)}, {"what", "failure: " + text(body, "failure_type")}, {"detail", detail}};
}

Json maintenance_json(const fleet::Maintenance& m) {
  return {
      {"at", format_rfc3339(m.from)},
      {"what", fmt::format("maintenance of {} {}", fleet::to_string(m.scope), m.target)},
      {"detail", fmt::format("until {}{}{}", m.until ? format_rfc3339(*m.until) : "it is ended", m.reason.empty() ? "" : ": ", m.reason)}};
}

}  // namespace

Result<bool> each_recent(const store::RecordStore& records, std::string_view kind, TimeRange range, std::size_t most,
                         const std::function<bool(const store::Record&)>& visit) {
  std::set<std::string> seen;
  for (std::size_t looked = 0; looked < most;) {
    const auto page = records.recent(kind, range, kPage);
    if (!page) return page.error();
    for (const auto& r : *page)
      if (seen.insert(r.key).second && !visit(r)) return true;
    looked += page->size();
    if (page->size() < kPage) return true;
    const auto next = page->back().at + 1ms;  // the same instant once more: more may lie there than a page holds
    range.to = next < range.to ? next : page->back().at;
  }
  return false;
}

Result<RmaIncidents> rma_incidents(const store::RecordStore& records, const fleet::Board& board, Timestamp now) {
  RmaIncidents out;
  int worst = -1;
  const auto take = [&](const store::Record& r) {
    const auto body = Json::parse(r.body, nullptr, false);
    if (!body.is_object() || text(body, "state") == "merged") return true;
    const auto how = touches(body, board);
    if (how == Touches::no) return true;
    auto detail = views::incident_detail(r);
    if (!detail) return true;
    const auto rank = rank_of(text(*detail, "severity"));
    const auto opened = parse_time(text(*detail, "opened_at"));
    if (how == Touches::board && rank > worst && opened) {
      worst = rank;
      out.newest = {*opened, fmt::format("Incident {} began then ({}).", text(*detail, "id"), text(*detail, "severity")), true};
    }
    out.items.push_back(std::move(*detail));
    return out.items.size() < kMostShown;
  };
  const auto all = each_recent(records, "incident", life(now), kMostIncidents, take);
  if (!all) return all.error();
  out.all = *all && out.items.size() < kMostShown;
  return out;
}

Result<RmaFault> rma_fault(const store::RecordStore& records, const fleet::Board& board, const RmaIncidents& incidents,
                           std::optional<Timestamp> told, Timestamp now) {
  if (told) return RmaFault{*told, "The time was given by who asked for this bundle.", true};
  if (incidents.newest.known) return incidents.newest;
  RmaFault fault{now, "No fault of this board is known: the evidence ends with the time of asking.", false};
  const auto all = each_recent(records, "event", {now - kXidsBack, now + 1ms}, kMostEvents, [&](const store::Record& r) {
    const auto body = Json::parse(r.body, nullptr, false);
    if (board_of(body) != static_cast<std::uint32_t>(board.id) || text(body, "kind") != "xid") return true;
    fault = {r.at, fmt::format("Xid {} was reported then, the newest of this board.", code_of(body)), true};
    return false;
  });
  if (!all) return all.error();
  return fault;
}

Result<RmaEvents> rma_events(const store::RecordStore& records, fleet::BoardId board, const std::string& host, TimeRange range) {
  RmaEvents out;
  std::vector<std::string> lines;
  const auto all = each_recent(records, "event", range, kMostEvents, [&](const store::Record& r) {
    const auto body = Json::parse(r.body, nullptr, false);
    if (!body.is_object()) return true;
    const auto of = board_of(body);
    if (of != static_cast<std::uint32_t>(board) && !(of == 0 && !host.empty() && text(body, "host") == host)) return true;
    lines.push_back(csv_line(r.at, body));
    if (is_kernel_line(body))
      out.kernel.push_back(fmt::format("{}  {}", format_rfc3339(r.at), views::printable(to_utf8(text(body, "detail")))));
    out.kernel_gaps += text(body, "kind") == "kernel_gap";
    return lines.size() < kMostKept;
  });
  if (!all) return all.error();
  out.all = *all && lines.size() < kMostKept;
  out.count = lines.size();
  out.csv = "time,about,kind,code,detail,fields\n";
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) out.csv += *line;
  std::ranges::reverse(out.kernel);
  return out;
}

Result<RmaHistory> rma_history(const store::RecordStore& records, const views::FleetSnapshot& fleet, const fleet::Board& board,
                               Timestamp when, Timestamp now) {
  RmaHistory out;
  auto intervals = pipeline::board_intervals(records, board.id);
  if (!intervals) return intervals.error();
  for (auto i = intervals->rbegin(); i != intervals->rend() && out.intervals.size() < kMostHistory; ++i) {
    if (i->kind == "pod" || i->kind == "job") continue;  // whose work it was is nobody's business outside
    out.intervals.push_back(interval_json(*i));
    if (i->kind == "slot" && out.host.empty() && i->from <= when && (!i->to || when < *i->to))
      if (const auto host = i->facts.find("host"); host != i->facts.end()) out.host = host->second;
  }
  std::vector<std::pair<Timestamp, Json>> repairs;
  const auto all = each_recent(records, "failure", life(now), kMostFailures, [&](const store::Record& r) {
    const auto body = Json::parse(r.body, nullptr, false);
    if (body.is_object() && board_of(body) == static_cast<std::uint32_t>(board.id)) repairs.emplace_back(r.at, failure_json(r, body));
    return repairs.size() < kMostHistory;
  });
  if (!all) return all.error();
  for (const auto& m : fleet.maintenance.all())
    if (covers(m, board)) repairs.emplace_back(m.from, maintenance_json(m));
  const auto cases = cases_of(records, board, life(now).from, now);
  if (!cases) return cases.error();
  for (const auto& c : *cases)
    repairs.emplace_back(c.opened, Json{{"at", format_rfc3339(c.opened)},
                                        {"what", fmt::format("repair case {}: {}", c.id, c.action)},
                                        {"detail", views::case_in_a_line(c)}});
  std::ranges::stable_sort(repairs, std::greater{}, [](const auto& r) { return r.first; });
  for (auto& [_, r] : repairs) out.repairs.push_back(std::move(r));
  return out;
}

}  // namespace ghm::services
