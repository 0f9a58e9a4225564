#include "pipeline/ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <functional>

#include "domain/fleet/page_watch.h"
#include "domain/telemetry/metric_catalogue.h"
#include "domain/telemetry/model_catalogue.h"
#include "pipeline/agent_events.h"
#include "pipeline/anomaly_watch.h"
#include "pipeline/ledger_records.h"
#include "pipeline/sighting_of.h"
#include "pipeline/source_columns.h"

namespace ghm::pipeline {

namespace field = telemetry::field;

struct Ingest::Source : SourceState {
  explicit Source(const std::shared_ptr<dcgm_exporter::LayoutPool>& pool) : reader(telemetry::MetricCatalogue::built_in(), pool) {}

  dcgm_exporter::PageReader reader;
};

namespace {

const LiveValues kNothing{telemetry::absent(), telemetry::absent(), telemetry::absent(), telemetry::absent(), telemetry::absent()};

fleet::Sighting sighting(const scrape::Scrape& s, const std::vector<telemetry::GpuIdentity>* gpus, std::chrono::milliseconds interval) {
  return sighting_of(s.target, gpus, !s.simulated.empty(), interval, s.at);
}

// A fault changes its own line's labels, and with them the layout: what was seen before must outlive the columns, else the
// change would look like a first sight. Exporters from 4.5.3 on print the XID gauge only once there was one: on a board
// that is known, its appearing is the change.
void carry_over(const SourceColumns& before, SourceColumns& after) {
  const auto is_known = [&](fleet::BoardId board) {
    return std::ranges::find(before.live, board, &SourceColumns::Live::board) != before.live.end();
  };
  for (auto& w : after.watched) {
    if (w.metric == field::xid && is_known(w.board)) w.last = 0;
    for (const auto& old : before.watched)
      if (old.board == w.board && old.metric == w.metric) w.last = old.last;
  }
}

}  // namespace

Ingest::Ingest(Settings settings, Outlets outlets, Log log)
    : settings_(std::move(settings)),
      outlets_(std::move(outlets)),
      log_(std::move(log)),
      pool_(dcgm_exporter::make_layout_pool()),
      quarantine_(settings_.quarantine),
      trust_(quarantine_, settings_.overrides, settings_.interval) {}

Ingest::~Ingest() = default;

void Ingest::restore(fleet::Ledger::Kept kept) {
  ledger_.restore(std::move(kept));
}

void Ingest::tell(const std::function<void(fleet::Ledger&)>& change, Timestamp now, Told kept) {
  change(ledger_);
  auto out = ledger_changes(now);
  if (out.records.empty() && kept) return kept({});
  if (kept) out.told.push_back(std::move(kept));
  emit(std::move(out));
}

void Ingest::restore_trust(const std::vector<store::Latest>& xids) {
  for (const auto& latest : xids) trust_.restore_xid(latest.series.board, latest.point.value);
  quarantine_->for_each_count([this](const std::string& source, telemetry::MetricId metric, telemetry::Reason reason, std::uint64_t count) {
    refusals_.add(source, metric, reason, count);
  });
}

void Ingest::restore_xids(const std::vector<store::Record>& events) {
  for (const auto& r : events) {
    const auto xid = parse_xid(r);
    if (!xid) continue;
    if (xid->by_line) xid_witnesses_.line_told(xid->board, xid->code, r.at, r.key);
    else xid_witnesses_.gauge_told(xid->board, xid->code, r.at, r.key);
  }
}

Ingest::Source& Ingest::source(const telemetry::Target& target) {
  auto& slot = sources_[target.address];
  if (!slot) {
    slot = std::make_unique<Source>(pool_);
    slot->trust = &trust_.source(target.address);
  }
  return *slot;
}

void Ingest::keep_only(const std::vector<telemetry::Target>& targets) {
  std::unordered_map<std::string, std::unique_ptr<Source>> kept;
  for (const auto& t : targets)
    if (auto node = sources_.extract(t.address)) {
      node.mapped()->saw = {};  // the target's labels may be others now
      kept.insert(std::move(node));
    }
  for (const auto& [address, gone] : sources_)
    if (gone) {
      trust_.forget(address);
      anomalies_.erase(address);
    }
  sources_ = std::move(kept);
}

void Ingest::on_scrape(const scrape::Scrape& scrape) {
  if (scrape.ok()) return on_page(scrape);
  no_answer(scrape, scrape.error);
}

void Ingest::no_answer(const scrape::Scrape& scrape, const std::string& error) {
  ++stats_.scrapes_failed;
  ledger_.no_answer(sighting(scrape, nullptr, settings_.interval), error);
}

void Ingest::on_page(const scrape::Scrape& scrape) {
  Source& from = source(scrape.target);
  const auto before = from.reader.stats();
  auto& reading = from.reader.read(scrape.page);
  stats_.template_pages += from.reader.stats().template_pages - before.template_pages;
  stats_.careful_pages += from.reader.stats().careful_pages - before.careful_pages;
  // An empty page is a reload, and says that the host is there; a page about something else says nothing.
  if (!scrape.page.empty() && reading.layout->table->series.empty() && reading.layout->gpus.empty())
    return no_answer(scrape, fmt::format("{} answers, but its page has no DCGM metric: is it a dcgm-exporter?", scrape.target.address));
  ++stats_.scrapes_ok;
  if (reading.layout != from.layout || from.saw.source.empty()) from.saw = sighting(scrape, &reading.layout->gpus, settings_.interval);
  from.saw.at = scrape.at;
  from.saw.simulated = !scrape.simulated.empty();
  auto boards = ledger_.sight(from.saw, reading.layout->gpus);
  settle(from, reading, std::move(boards), scrape.at);
  auto verdict = trust_.judge(*from.trust, reading, {scrape.at, scrape.page, from.columns.refused, ledger_});
  count(scrape.target.address, from, reading, verdict);
  ToKeep out = ledger_changes(scrape.at);
  std::ranges::move(event_records(verdict.events), std::back_inserter(out.records));
  std::ranges::move(verdict.records, std::back_inserter(out.records));
  watch(from, reading);
  show(from, reading, scrape.at);
  from.watch.on_answer(scrape.took);
  notice_signs(from, scrape.at, out);
  out.rows.push_back(row(from, reading, scrape.at));
  out.rows.back().source = scrape.target.address;
  emit(std::move(out));
}

namespace {

// Where the boards stand, by their target's labels or by the inventory; empty: nobody knows.
std::string rack_of(const fleet::Ledger& ledger, const SourceState& from) {
  for (const auto id : from.boards)
    if (const auto* board = ledger.find(id); board != nullptr && !board->place.rack.empty())
      return board->place.region + "\n" + board->place.datacenter + "\n" + board->place.rack;
  return {};
}

}  // namespace

void Ingest::settle(SourceState& from, const telemetry::PageReading& first, std::vector<fleet::BoardId> boards, Timestamp at) {
  if (first.layout == from.layout && boards == from.boards) return;
  const auto host = ledger_.host_id(from.saw.host);
  trust_.new_layout(*from.trust, first, boards, host);
  auto columns = make_columns(*first.layout, boards, host);
  carry_over(from.columns, columns);
  from.columns = std::move(columns);
  from.layout = first.layout;
  from.boards = std::move(boards);
  from.watch.on_series(from.columns.stored, from.boards, at);
  from.anomalies.stand(peers_, rack_of(ledger_, from));
  from.anomalies.seat(seats_of(*from.layout, from.boards));
  reopen_anomalies(from);
  ledger_.note_work(from.boards, first.layout->work, at);
  show_work(from.boards, first.layout->work);
}

void Ingest::count_refused(const std::string& source, const telemetry::Refusal& refusal) {
  refusals_.add(source, refusal);
  ++stats_.refused;
}

void Ingest::count_accepted(std::uint64_t values, std::uint64_t unknown) {
  stats_.accepted += values;
  stats_.unknown_lines += unknown;
}

void Ingest::count(const std::string& address, const Source& from, const telemetry::PageReading& reading, const Trust::Verdict& verdict) {
  for (const auto* all : {&reading.refused, &from.columns.refused, &verdict.duplicates})
    for (const auto& r : *all) refusals_.add(address, r);
  const auto refused = reading.refused.size() + from.columns.refused.size() + verdict.duplicates.size();
  stats_.refused += refused;
  stats_.accepted += reading.values.size() - std::min(reading.values.size(), refused);
  stats_.unknown_lines += reading.unknown_lines;
}

namespace {

// Power and application clocks flip the reasons every few seconds; only the two thermal bits cost points.
double watched_value(const SourceColumns::Watched& w, double value) {
  constexpr std::uint64_t kThermalBits = 0x60;
  if (w.metric != field::clock_reasons || value < 0) return value;
  return static_cast<double>(static_cast<std::uint64_t>(value) & kThermalBits);
}

}  // namespace

void Ingest::watch(SourceState& from, const telemetry::PageReading& reading) {
  for (auto& w : from.columns.watched) {
    if (telemetry::is_absent(reading.values[w.column])) continue;
    const double now = watched_value(w, reading.values[w.column]);
    if (now == w.last) continue;
    const bool first = telemetry::is_absent(w.last);
    w.last = now;
    if (!first) score_soon(w.board);
  }
}

void Ingest::notice_signs(SourceState& from, Timestamp at, ToKeep& out) {
  const auto signs = from.watch.notice(from.saw.interval, at);
  if (signs.empty() || ledger_.maintenance().covering_host(from.saw.host, from.saw.place.rack, at) != nullptr) return;
  std::vector<fleet::FleetEvent> events;
  for (const auto& sign : signs) {
    const auto* board = ledger_.find(sign.board);
    events.push_back({at, sign.kind, sign.board, from.saw.host,
                      fmt::format("{}: {}", board != nullptr ? fleet::spoken_name(*board) : from.saw.host, sign.detail)});
  }
  std::ranges::move(event_records(events), std::back_inserter(out.records));
}

namespace {

// All that moves by itself while a board is powered: its energy counter above all.
std::uint64_t digest_of(const LiveValues& v, double energy) {
  std::uint64_t h = 0;
  for (const double value : {v.temperature, v.memory_temperature, v.power, v.utilisation, v.sm_clock, energy})
    h = (h ^ std::bit_cast<std::uint64_t>(value)) * 0x9E3779B97F4A7C15ull;
  return h;
}

}  // namespace

void Ingest::show(SourceState& from, const telemetry::PageReading& reading, Timestamp at) {
  for (std::size_t place = 0; place < from.columns.live.size(); ++place) {
    const auto& live = from.columns.live[place];
    const auto id = static_cast<std::size_t>(live.board);
    if (id == 0 || Trust::is_contested(*from.trust, place)) continue;
    if (live_.size() <= id) live_.resize(id + 64, kNothing);
    const auto value = [&](std::size_t n) {
      return live.column[n] == kNoColumn ? telemetry::absent() : reading.values[static_cast<std::size_t>(live.column[n])];
    };
    live_[id] = {value(0), value(1), value(2), value(3), value(4)};
    const double energy = live.energy == kNoColumn ? telemetry::absent() : reading.values[static_cast<std::size_t>(live.energy)];
    from.watch.on_values(live.board, digest_of(live_[id], energy), !telemetry::is_absent(energy) || live_[id].utilisation > 0, at);
  }
  note_anomalies(from, reading, at);
}

void Ingest::note_anomalies(SourceState& from, const telemetry::PageReading& reading, Timestamp at) {
  const auto events = watch_anomalies(from, reading, at, ledger_);
  if (events.empty()) return;
  // Kept with what this page brings: emit() takes what waits first.
  std::ranges::move(event_records(events), std::back_inserter(waiting_records_));
  anomalies_[from.saw.source] = open_anomalies(from);
}

void Ingest::reopen_anomalies(SourceState& from) {
  const auto is_others = [&](const WasOpen& w) {
    const auto board = w.anomaly.board;
    return board == fleet::BoardId::none ? w.host != from.saw.host : std::ranges::find(from.boards, board) == from.boards.end();
  };
  const auto mine = std::ranges::stable_partition(were_open_, is_others);
  if (mine.empty()) return;
  std::vector<anomaly::Anomaly> again;
  for (auto& w : mine) again.push_back(std::move(w.anomaly));
  were_open_.erase(mine.begin(), mine.end());
  from.anomalies.reopen(again);
  anomalies_[from.saw.source] = open_anomalies(from);
}

void Ingest::show_work(const std::vector<fleet::BoardId>& boards, const std::vector<telemetry::Workload>& work) {
  for (std::size_t i = 0; i < boards.size() && i < work.size(); ++i) {
    const bool idle = work[i].pods.empty() && work[i].jobs.empty();
    pending_.work.emplace_back(boards[i], idle ? nullptr : std::make_shared<const telemetry::Workload>(work[i]));
  }
}

store::RowBatch Ingest::row(const SourceState& from, const telemetry::PageReading& reading, Timestamp at) const {
  store::RowBatch out;
  out.columns = from.columns.stored;
  out.at = at;
  if (from.columns.all_stored) {
    out.values = reading.values;
    return out;
  }
  out.values.reserve(from.columns.from.size());
  for (const auto i : from.columns.from) out.values.push_back(reading.values[i]);
  return out;
}

namespace {

// A fleet's first minute is ten thousand appearances: they are events, but no news for the log.
void log(const Log& log, const fleet::FleetEvent& e) {
  const auto name = "fleet." + e.kind;
  if (e.kind == "gpu_appeared") return log.debug(name, {{"host", e.host}, {"detail", e.detail}});
  log.info(name, {{"host", e.host}, {"detail", e.detail}});
}

}  // namespace

std::vector<store::Record> Ingest::event_records(const std::vector<fleet::FleetEvent>& events) {
  std::vector<store::Record> out;
  for (const auto& e : events) {
    const bool xid = e.kind == "xid" && e.board != fleet::BoardId::none;
    if (xid) score_soon(e.board);  // however it was told
    if (xid && xid_witnesses_.has_line(e.board, e.code, e.at)) continue;
    log(log_, e);
    out.push_back(to_record(e, ledger_.find(e.board), ++event_sequence_));
    if (xid) xid_witnesses_.gauge_told(e.board, e.code, e.at, out.back().key);
  }
  return out;
}

ToKeep Ingest::ledger_changes(Timestamp now) {
  auto changes = ledger_.take_changes();
  for (const auto& e : changes.events) log(log_, e);
  ToKeep out;
  out.records = to_records(changes, ledger_, now, event_sequence_);
  std::ranges::move(changes.boards, std::back_inserter(pending_.boards));
  std::ranges::move(changes.hosts, std::back_inserter(pending_.hosts));
  return out;
}

// While the keeper is stuck (a full disk), rows are given up and counted, but the ledger's records wait: a board's life
// is small, and must not have holes.
bool Ingest::emit(ToKeep out) {
  if (!waiting_records_.empty()) {
    std::ranges::move(out.records, std::back_inserter(waiting_records_));
    out.records = std::exchange(waiting_records_, {});
  }
  if (out.rows.empty() && out.records.empty() && out.told.empty()) return true;
  out.urgent.assign(urgent_.begin(), urgent_.end());
  if (outlets_.keep(out)) {
    urgent_.clear();
    return true;
  }
  stats_.rows_not_kept += out.rows.size();
  waiting_records_ = std::move(out.records);
  for (const auto& told : out.told) told(Error{Errc::unavailable, "the queue of the store is full: try again shortly"});
  return false;
}

void Ingest::finish(Timestamp now) {
  ToKeep last;
  last.records = trust_.flush(now, true);
  emit(std::move(last));
}

namespace {

// Of what changed several times, or is told again because nobody took it, the newest alone.
template <class T, class Id>
void keep_newest(std::vector<T>& changes, Id id) {
  std::set<fleet::BoardId> seen;
  std::vector<T> newest;
  for (auto it = changes.rbegin(); it != changes.rend(); ++it)
    if (seen.insert(std::invoke(id, *it)).second) newest.push_back(std::move(*it));
  std::ranges::reverse(newest);
  changes = std::move(newest);
}

}  // namespace

void Ingest::tick(Timestamp now) {
  ledger_.notice_silence(now);
  auto changes = ledger_changes(now);
  std::ranges::move(trust_.flush(now), std::back_inserter(changes.records));
  emit(std::move(changes));
  note_live(now);
  note_counts();
  if (outlets_.show(pending_)) {
    pending_ = {};
    return;
  }
  keep_newest(pending_.boards, &fleet::Board::id);
  keep_newest(pending_.hosts, &fleet::Host::id);
  keep_newest(pending_.work, [](const auto& w) { return w.first; });
}

void Ingest::note_live(Timestamp now) {
  const auto value_of = [&](fleet::BoardId id) {
    const auto n = static_cast<std::size_t>(id);
    return n < live_.size() ? live_[n] : kNothing;
  };
  pending_.as_of = now;
  pending_.live.clear();
  pending_.live.reserve(ledger_.boards().size());
  for (const auto& [id, last_seen, silent] : ledger_.presence(now))
    pending_.live.push_back({id, last_seen, silent, silent ? kNothing : value_of(id)});
  pending_.live_hosts.clear();
  for (const auto& [name, host] : ledger_.hosts()) pending_.live_hosts.push_back({host.id, host.last_answer, ledger_.is_silent(host, now)});
  pending_.conflicts = ledger_.conflicts();
  std::ranges::move(trust_.conflicts(ledger_), std::back_inserter(pending_.conflicts));
  pending_.maintenance = ledger_.maintenance().all();
  list_anomalies(now);
}

void Ingest::list_anomalies(Timestamp now) {
  std::erase_if(were_open_, [&](const WasOpen& w) { return now - w.anomaly.since >= anomaly::BoardWatch::kAdopt; });
  pending_.anomalies.clear();
  for (const auto& [host, a] : were_open_) pending_.anomalies.push_back(shown(a, host));
  for (const auto& [source, open] : anomalies_) pending_.anomalies.insert(pending_.anomalies.end(), open.begin(), open.end());
}

void Ingest::note_counts() {
  pending_.refused_by = refusals_.largest(1000);
  pending_.accepted = stats_.accepted;
  pending_.refused = refusals_.total();  // what an earlier run refused is in it, as it is in the counts
  pending_.scrapes_ok = stats_.scrapes_ok;
  pending_.scrapes_failed = stats_.scrapes_failed;
}

}  // namespace ghm::pipeline
