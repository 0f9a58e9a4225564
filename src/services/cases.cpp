#include "services/cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "domain/views/board_facts.h"
#include "services/case_records.h"
#include "services/case_sight.h"
#include "services/incident_records.h"

namespace ghm::services {
namespace {

using namespace fleet;

constexpr std::size_t kPage = 1000;
constexpr auto kLookEvery = 15s;
constexpr auto kTellEvery = 5min;  // when cases were last looked at: so much of a watch a kill may cost

struct Trace {
  std::string_view kind;
  ActTrace what;
};
constexpr Trace kTraces[] = {
    {"gpu_reset", ActTrace::reset},       {"host_reboot", ActTrace::boot},     {"host_booted", ActTrace::boot},
    {"gpu_replaced", ActTrace::replaced}, {"gpu_back", ActTrace::returned},    {"gpu_returned", ActTrace::returned},
    {"pcie_answers", ActTrace::returned}, {"driver_change", ActTrace::driver},
};

std::uint64_t number_in(const std::string& key) {
  std::uint64_t n = 0;
  std::from_chars(key.data(), key.data() + key.size(), n);
  return n;
}

std::string family_of(const faults::Incident& i) {
  return std::string(faults::to_string(faults::EvidenceTable::built_in()[faults::facts_of(i).leading].family));
}

bool wants_signs(const CaseBook& book) {
  return std::ranges::any_of(book.active(), [](const auto& entry) {
    return entry.second.state == CaseState::testing || entry.second.state == CaseState::watching;
  });
}

}  // namespace

Cases::Cases(const Ledger& ledger, const Incidents& incidents, Log log) : ledger_(ledger), incidents_(incidents), log_(std::move(log)) {}

Result<void> Cases::restore(const store::RecordStore& records) {
  std::vector<RepairCase> active;
  std::map<std::uint64_t, CaseBook::Gap> gaps;
  std::uint64_t next_id = 1;
  for (std::string after;;) {
    const auto page = records.scan("case", "", after, kPage);
    if (!page) return page.error();
    for (const auto& r : *page) {
      after = r.key;
      next_id = std::max(next_id, number_in(r.key) + 1);  // the number of one that cannot be read is not given again
      auto kept = parse_case(r);
      if (!kept) {
        ++unreadable_;
        continue;
      }
      if (kept->gap) gaps[kept->it.id] = *kept->gap;
      if (kept->it.is_active()) active.push_back(std::move(kept->it));
      else closed_.add(kept->it);
    }
    if (page->size() < kPage) break;
  }
  const auto looked = records.get("case_watch", "looked");
  if (!looked) return looked.error();
  book_.restore(std::move(active), std::move(gaps), *looked ? parse_looked(**looked) : std::nullopt, next_id);
  if (unreadable_ > 0) log_.warn("cases.unreadable", {{"records", std::to_string(unreadable_)}});
  publish();
  return {};
}

// Who stands there now, where another board was: the newest that is in service at its address.
void Cases::hear_replaced(ActSeen act) {
  const auto* old = ledger_.find(act.board);
  if (old == nullptr) return;
  for (const auto& [id, b] : ledger_.boards())
    if (id != old->id && b.in_service && b.host == old->host && !b.pci_bus_id.empty() && b.pci_bus_id == old->pci_bus_id) {
      act.installed = views::id_of(b);
      act.installed_board = id;
    }
  book_.hear(act);
}

void Cases::hear_event(const store::Record& record) {
  const auto h = heard(record);
  if (!h) return;
  if (h->kind == "test_passed" || h->kind == "test_failed")
    return book_.hear(TestSeen{h->at, h->kind == "test_passed", h->board, h->host, "test", h->detail});
  const auto trace = std::ranges::find(kTraces, h->kind, &Trace::kind);
  if (trace == std::end(kTraces)) return;
  const ActSeen act{h->at, trace->what, h->board, h->host, h->detail, {}, {}};
  if (act.what == ActTrace::replaced) hear_replaced(act);
  else book_.hear(act);
}

// The newest sign of each family on each part: whether that is new for a case, the case knows.
void Cases::hear_incident(const faults::Incident& i) {
  const auto& table = faults::EvidenceTable::built_in();
  for (const auto& p : i.parts) {
    const auto* board = ledger_.find(p.board);
    for (const auto& [what, count] : p.signs)
      book_.hear(FaultSeen{count.last, p.board, p.gpu, p.host, board != nullptr ? board->pci_bus_id : "",
                           std::string(faults::to_string(table[what].family)), i.id,
                           fmt::format("it was seen again: {} (incident {})", table[what].says, i.id)});
  }
  if (i.state == faults::State::cleared && !i.history.empty()) book_.hear_cleared(i.id, i.history.back().why, i.changed);
}

void Cases::take(std::vector<store::Record>& records) {
  if (book_.active().empty()) return;
  const auto came = records.size();
  for (std::size_t n = 0; n < came; ++n) {
    if (records[n].kind == "event") hear_event(records[n]);
    if (records[n].kind != "incident") continue;
    const auto* incident = incidents_.book().find(number_in(records[n].key));
    if (incident != nullptr && (wants_signs(book_) || !incident->is_open())) hear_incident(*incident);
  }
  std::ranges::move(take_changed(), std::back_inserter(records));
}

std::vector<store::Record> Cases::tick(const views::FleetSnapshot& fleet, Timestamp now) {
  if (now < next_look_ && next_look_ - now <= kLookEvery) return {};
  next_look_ = now + kLookEvery;
  book_.look([&](const RepairCase& c) { return why_unseen(c, fleet, now); }, now);
  auto out = take_changed();
  const bool watched = std::ranges::any_of(book_.active(), [](const auto& e) { return e.second.state == CaseState::watching; });
  if (watched && (now >= next_told_ || next_told_ - now > kTellEvery)) {
    next_told_ = now + kTellEvery;
    out.push_back(looked_record(now));
  }
  return out;
}

void Cases::fill_place(CaseOpening& o) const {
  if (const auto* b = ledger_.find(o.board)) {
    o.gpu = views::id_of(*b);
    o.host = b->host;
    o.pci = b->pci_bus_id;
    o.slot = b->slot < 0 ? "" : fmt::format("{}/{}", b->host, b->slot);
    o.model = b->model;
    o.simulated = b->simulated;
    return;
  }
  if (const auto host = ledger_.hosts().find(o.host); host != ledger_.hosts().end()) o.simulated = host->second.simulated;
  for (const auto& [id, b] : ledger_.boards())
    if (b.host == o.host && b.in_service && !b.model.empty()) {
      o.model = b.model;
      break;
    }
}

Result<void> Cases::fill_from_incident(const CaseToOpen& wanted, CaseOpening& o) const {
  const auto& book = incidents_.book();
  const auto* i = book.find(wanted.incident);
  if (i == nullptr || i->parts.empty())
    return Error{Errc::not_found,
                 fmt::format("incident {} is not known, is a part of another one, or was cleared more than 30 days ago", wanted.incident)};
  if (o.fault.empty()) o.fault = family_of(*i);
  if (o.symptom.empty())
    o.symptom = fmt::format("{} ({})", faults::EvidenceTable::built_in()[faults::facts_of(*i).leading].says, i->place());
  if (o.action.empty()) o.action = std::string(faults::to_string(book.ranking(*i).action));
  if (o.board != BoardId::none || !o.host.empty()) return {};
  if (i->parts.size() == 1) {
    o.board = i->parts[0].board;
    o.host = i->parts[0].host;
    return {};
  }
  const auto hosts = i->hosts();
  if (hosts.size() > 1)
    return Error{Errc::invalid_input,
                 fmt::format("incident {} touches {} hosts: say with gpu or host which of them is repaired", i->id, hosts.size())};
  o.host = *hosts.begin();
  return {};
}

Result<CaseOpening> Cases::opening_of(const CaseToOpen& wanted) const {
  CaseOpening o;
  o.board = wanted.board;
  o.host = wanted.host;
  o.action = wanted.action;
  o.fault = wanted.fault;
  o.symptom = wanted.symptom;
  o.incident = wanted.incident;
  o.due = wanted.due;
  o.watch = wanted.watch;
  if (wanted.incident != 0)
    if (auto done = fill_from_incident(wanted, o); !done) return done.error();
  if (o.action == "none" && wanted.action.empty())
    return Error{Errc::invalid_input, fmt::format("incident {} advises to wait: say with action what is done", wanted.incident)};
  if (o.board == BoardId::none && !o.host.empty() && !ledger_.hosts().contains(o.host))
    return Error{Errc::not_found, fmt::format("host '{}' is not in the ledger", o.host.substr(0, 80))};
  fill_place(o);
  return o;
}

Result<Cases::Opened> Cases::open(const CaseToOpen& wanted, const std::string& by, Timestamp now) {
  auto opening = opening_of(wanted);
  if (!opening) return opening.error();
  opening->opened = now;
  opening->opened_by = by;
  const auto id = book_.open(std::move(*opening));
  if (!id) return id.error();
  if (!wanted.note.empty())
    if (auto done = book_.note(*id, wanted.note, {}, by, now); !done) return done.error();
  return Opened{*id, take_changed()};
}

Cases::Changed Cases::advance(std::uint64_t id, CaseAdvance a, const std::string& by, Timestamp now) {
  if (const auto* board = ledger_.find(a.replaced_by)) {
    a.replaced_by = views::id_of(*board);
    a.replaced_board = board->id;
  }
  if (auto done = book_.advance(id, std::move(a), by, now); !done) return done.error();
  return take_changed();
}

Cases::Changed Cases::close(std::uint64_t id, CaseClosing closing, const std::string& by, Timestamp now) {
  if (auto done = book_.close(id, std::move(closing), by, now); !done) return done.error();
  return take_changed();
}

Cases::Changed Cases::note(std::uint64_t id, std::string note, std::optional<double> cost, const std::string& by, Timestamp now) {
  if (auto done = book_.note(id, std::move(note), cost, by, now); !done) return done.error();
  return take_changed();
}

std::vector<store::Record> Cases::take_changed() {
  std::vector<store::Record> out;
  for (const auto& c : book_.take_changed()) {
    out.push_back(to_record(c, book_.gap(c.id)));
    const auto& last = c.steps.back();
    log_.info("case." + std::string(to_string(last.what)),
              {{"id", std::to_string(c.id)}, {"place", place_of(c)}, {"state", std::string(to_string(c.state))}});
    if (!c.is_active()) closed_.add(c);
  }
  if (!out.empty()) publish();
  return out;
}

void Cases::publish() {
  auto next = std::make_shared<CasesNow>();
  next->tallies = closed_;
  for (const auto& [id, c] : book_.active()) {
    next->tallies.add(c);
    if (c.board == BoardId::none) next->of_hosts[c.host] = {id, c.state};
    for (const auto board : {c.board, c.subject})
      if (board != BoardId::none) next->of_boards[board] = {id, c.state};
  }
  const std::lock_guard lock(mutex_);
  now_ = std::move(next);
}

std::shared_ptr<const CasesNow> Cases::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

CaseStats Cases::stats() const {
  return {book_.counts(), unreadable_};
}

}  // namespace ghm::services
