#include "services/case_past.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "domain/store/subjects.h"
#include "domain/views/board_facts.h"
#include "pipeline/ledger_records.h"
#include "services/case_records.h"
#include "services/incident_records.h"
#include "services/rma_past.h"

namespace ghm::services {
namespace {

using namespace fleet;

constexpr std::size_t kMostLookedAt = 50'000;
constexpr auto kBack = std::chrono::days(90);
constexpr auto kAhead = std::chrono::days(2);  // a clock that is ahead
constexpr auto kOneSign = 1min;                // what comes closer together is one sign

// What the repaired thing is to the store.
std::vector<std::string> subjects_of(const RepairCase& c) {
  if (c.board == BoardId::none) return {store::host_subject(c.host)};
  std::vector<std::string> out{store::board_subject(c.board)};
  if (c.subject != BoardId::none && c.subject != c.board) out.push_back(store::board_subject(c.subject));
  return out;
}

bool is_of(const faults::SignLine& line, const RepairCase& c) {
  if (c.board == BoardId::none) return line.host == c.host;
  return line.board == c.board || (c.subject != BoardId::none && line.board == c.subject);
}

std::string_view family_of(faults::EvidenceId what) {
  return faults::to_string(faults::EvidenceTable::built_in()[what].family);
}

bool is_fault(const faults::SignLine& line, const RepairCase& c) {
  const auto family = family_of(line.what);
  return c.fault.empty() ? family != "application" && family != "job" && family != "monitoring" : family == c.fault;
}

std::size_t count(const std::set<Timestamp>& signs, TimeRange range) {
  std::size_t n = 0;
  std::optional<Timestamp> last;
  for (auto at = signs.lower_bound(range.from); at != signs.end() && *at < range.to; ++at) {
    if (last && *at - *last < kOneSign) continue;
    last = *at;
    ++n;
  }
  return n;
}

Timestamp known_since(const RepairCase& c, const views::FleetSnapshot& fleet) {
  for (const auto& v : fleet.boards)
    if (v.board.id == c.board) return v.board.first_seen;
  for (const auto& h : fleet.hosts)
    if (c.board == BoardId::none && h.host.name == c.host) return h.host.first_seen;
  return c.opened;
}

/// Where boards stood, from their intervals; and what people call that place.
class Places {
 public:
  Places(const store::RecordStore& records, const views::FleetSnapshot& fleet) : records_(records) {
    for (const auto& v : fleet.boards) {
      models_[v.board.id] = v.board.model;
      if (v.board.slot < 0 || v.board.pci_bus_id.empty()) continue;
      auto& name = names_[v.board.host + " " + v.board.pci_bus_id];
      if (name.empty() || v.board.in_service) name = fmt::format("{}/{}", v.board.host, v.board.slot);
    }
  }

  Result<void> stand(Trouble& t) {
    if (t.board == BoardId::none) return {};
    t.model = models_[t.board];
    const auto stays = slots(t.board);
    if (!stays) return stays.error();
    for (const auto& stay : **stays) {
      if (stay.from > t.at || (stay.to && *stay.to < t.at)) continue;
      if (const auto host = stay.facts.find("host"); host != stay.facts.end()) t.host = host->second;
      if (const auto pci = stay.facts.find("pci_bus_id"); pci != stay.facts.end()) t.pci = pci->second;
    }
    const auto name = names_.find(t.host + " " + t.pci);
    t.slot = name != names_.end() ? name->second : t.pci.empty() ? "" : t.host + "/" + t.pci;
    return {};
  }

 private:
  Result<const std::vector<Interval>*> slots(BoardId board) {
    const auto [found, fresh] = slots_.try_emplace(board);
    if (!fresh) return &found->second;
    auto read = pipeline::board_intervals(records_, board, "slot");
    if (!read) return read.error();
    found->second = std::move(*read);
    return &found->second;
  }

  const store::RecordStore& records_;
  std::map<BoardId, std::vector<Interval>> slots_;
  std::map<BoardId, std::string> models_;
  std::map<std::string, std::string> names_;
};

bool shows(const faults::Part& p, std::string_view family) {
  return std::ranges::any_of(p.signs, [&](const auto& s) { return family_of(s.first) == family; });
}

Timestamp newest(const faults::Part& p) {
  Timestamp last{};
  for (const auto& [what, n] : p.signs) last = std::max(last, n.last);
  return last;
}

// What only followed elsewhere (peers without an answer) is not these boards' trouble: parts that show the leading family count.
void add_incident(const faults::Incident& i, TimeRange range, std::vector<Trouble>& out) {
  const auto family = family_of(faults::facts_of(i).leading);
  for (const auto& p : i.parts) {
    if (!shows(p, family)) continue;
    Trouble t{.board = p.board, .gpu = p.gpu, .host = p.host, .pci = {}, .slot = {}, .model = {}, .family = std::string(family)};
    const auto add = [&](Timestamp at, Trouble::What what) {
      if (!range.contains(at)) return;
      t.at = at;
      t.what = what;
      out.push_back(t);
    };
    add(i.opened, Trouble::What::incident);
    for (const auto& h : i.history)
      if (h.what == "reopened" && newest(p) >= h.at) add(h.at, Trouble::What::reopened);
  }
}

void add_case(const RepairCase& c, TimeRange range, std::vector<Trouble>& out) {
  Trouble t{.what = Trouble::What::repair,
            .board = c.board,
            .gpu = c.board == BoardId::none ? "" : c.gpu,
            .host = c.host,
            .pci = c.pci,
            .slot = c.slot,
            .model = c.model,
            .family = c.fault};
  t.at = c.opened;
  if (range.contains(t.at)) out.push_back(t);
  for (const auto& s : c.steps) {
    t.at = s.at;
    t.what = Trouble::What::relapse;
    if (s.what == CaseStep::What::relapsed && range.contains(s.at)) out.push_back(t);
  }
}

}  // namespace

Result<views::CasePast> case_past(const store::RecordStore& records, const RepairCase& c, const views::FleetSnapshot& fleet,
                                  Timestamp now) {
  const auto end = c.is_active() ? now : c.since;
  const auto acted = c.first_acted.value_or(end);
  views::CasePast past;
  past.before.range = {std::min(acted, std::max(known_since(c, fleet), c.opened - kBack)), acted};
  if (c.first_acted) past.after = views::CaseSigns{{acted, std::max(end, acted)}, 0};
  std::set<Timestamp> signs;
  for (const auto& subject : subjects_of(c)) {
    const auto incidents = records.about("incident", subject, {past.before.range.from, now + kAhead}, kMostLookedAt);
    if (!incidents) return incidents.error();
    for (const auto& record : *incidents)
      if (const auto i = parse_incident(record))
        for (const auto& line : i->lines)
          if (is_of(line, c) && is_fault(line, c)) signs.insert(line.at);
  }
  past.before.signs = count(signs, past.before.range);
  if (past.after) past.after->signs = count(signs, past.after->range);
  return past;
}

Result<std::vector<RepairCase>> cases_of(const store::RecordStore& records, const Board& board, Timestamp from, Timestamp now) {
  std::vector<RepairCase> out;
  const auto is_this = [&](const RepairCase& c) {
    if (c.board == BoardId::none) return !board.host.empty() && c.host == board.host;
    return c.board == board.id || c.subject == board.id ||
           std::ranges::any_of(c.steps, [&](const CaseStep& s) { return !s.installed.empty() && s.board == board.id; });
  };
  const auto all = each_recent(records, "case", {from, now + kAhead}, kMostLookedAt, [&](const store::Record& r) {
    if (auto kept = parse_case(r); kept && is_this(kept->it)) out.push_back(std::move(kept->it));
    return true;
  });
  if (!all) return all.error();
  return out;
}

Result<std::vector<Trouble>> troubles(const store::RecordStore& records, const views::FleetSnapshot& fleet, TimeRange range) {
  std::vector<Trouble> out;
  const TimeRange changed{range.from, range.to + kAhead};
  auto all = each_recent(records, "incident", changed, kMostLookedAt, [&](const store::Record& r) {
    const auto i = parse_incident(r);
    if (i && i->state != faults::State::merged && !i->parts.empty()) add_incident(*i, range, out);
    return true;
  });
  if (!all) return all.error();
  all = each_recent(records, "case", changed, kMostLookedAt, [&](const store::Record& r) {
    if (const auto kept = parse_case(r)) add_case(kept->it, range, out);
    return true;
  });
  if (!all) return all.error();
  Places places(records, fleet);
  for (auto& t : out)
    if (auto done = places.stand(t); !done) return done.error();
  return out;
}

}  // namespace ghm::services
