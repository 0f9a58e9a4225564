#include "pipeline/ingest.h"

#include <fmt/format.h>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/telemetry/model_catalogue.h"
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

fleet::Sighting sighting(const scrape::Scrape& s, const std::vector<telemetry::GpuIdentity>* gpus, std::chrono::milliseconds interval) {
  return sighting_of(s.target, gpus, !s.simulated.empty(), interval, s.at);
}

// The XID gauge holds the last fault code; its change is the event.
fleet::FleetEvent xid_event(fleet::BoardId board, double code, const fleet::Ledger& ledger, Timestamp at) {
  const auto* b = ledger.find(board);
  return {at, "xid", board, b ? b->host : "", fmt::format("the driver reported Xid {:.0f}", code)};
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
    : settings_(settings), outlets_(std::move(outlets)), log_(std::move(log)), pool_(dcgm_exporter::make_layout_pool()) {}

Ingest::~Ingest() = default;

void Ingest::restore(std::vector<fleet::Board> boards, std::vector<fleet::Host> hosts) {
  ledger_.restore(std::move(boards), std::move(hosts));
}

Ingest::Source& Ingest::source(const telemetry::Target& target) {
  auto& slot = sources_[target.address];
  if (!slot) slot = std::make_unique<Source>(pool_);
  return *slot;
}

void Ingest::keep_only(const std::vector<telemetry::Target>& targets) {
  std::unordered_map<std::string, std::unique_ptr<Source>> kept;
  for (const auto& t : targets)
    if (auto node = sources_.extract(t.address)) {
      node.mapped()->saw = {};  // the target's labels may be others now
      kept.insert(std::move(node));
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
  settle(from, reading.layout, std::move(boards), reading.values);
  validation::believe(reading, from.rules, scrape.at);
  count(scrape.target.address, from, reading);
  ToKeep out = ledger_changes();
  watch(from, reading, scrape.at, out);
  show(from, reading);
  out.rows.push_back(row(from, reading, scrape.at));
  out.rows.back().source = scrape.target.address;
  emit(std::move(out));
}

void Ingest::settle(SourceState& from, const std::shared_ptr<const telemetry::PageLayout>& layout, std::vector<fleet::BoardId> boards,
                    const std::vector<double>& values) {
  if (layout == from.layout && boards == from.boards) return;
  from.rules =
      validation::ColumnRules::build(*layout, values, telemetry::MetricCatalogue::built_in(), telemetry::ModelCatalogue::built_in());
  auto columns = make_columns(*layout, boards, ledger_.host_id(from.saw.host));
  carry_over(from.columns, columns);
  from.columns = std::move(columns);
  from.layout = layout;
  from.boards = std::move(boards);
}

void Ingest::refuse(const std::string& source, const telemetry::Refusal& refusal) {
  refusals_.add(source, refusal);
  ++stats_.refused;
}

void Ingest::count_accepted(std::uint64_t values, std::uint64_t unknown) {
  stats_.accepted += values;
  stats_.unknown_lines += unknown;
}

void Ingest::count(const std::string& address, const Source& from, const telemetry::PageReading& reading) {
  for (const auto& r : reading.refused) refusals_.add(address, r);
  for (const auto& r : from.columns.refused) refusals_.add(address, r);
  const auto refused = reading.refused.size() + from.columns.refused.size();
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

void Ingest::watch(SourceState& from, const telemetry::PageReading& reading, Timestamp at, ToKeep& out) {
  for (auto& w : from.columns.watched) {
    if (telemetry::is_absent(reading.values[w.column])) continue;
    const double now = watched_value(w, reading.values[w.column]);
    if (now == w.last) continue;
    const bool first = telemetry::is_absent(w.last);
    w.last = now;
    if (first) continue;
    pending_.urgent.push_back(w.board);
    if (w.metric == field::xid && now != 0) {
      auto records = event_records({xid_event(w.board, now, ledger_, at)});
      std::ranges::move(records, std::back_inserter(out.records));
    }
  }
}

void Ingest::show(SourceState& from, const telemetry::PageReading& reading) {
  for (const auto& live : from.columns.live) {
    const auto id = static_cast<std::size_t>(live.board);
    if (id == 0) continue;
    if (live_.size() <= id)
      live_.resize(id + 64, {telemetry::absent(), telemetry::absent(), telemetry::absent(), telemetry::absent(), telemetry::absent()});
    const auto value = [&](std::size_t n) {
      return live.column[n] == kNoColumn ? telemetry::absent() : reading.values[static_cast<std::size_t>(live.column[n])];
    };
    live_[id] = {value(0), value(1), value(2), value(3), value(4)};
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
void tell(const Log& log, const fleet::FleetEvent& e) {
  const auto name = "fleet." + e.kind;
  if (e.kind == "gpu_appeared") return log.debug(name, {{"host", e.host}, {"detail", e.detail}});
  log.info(name, {{"host", e.host}, {"detail", e.detail}});
}

}  // namespace

std::vector<store::Record> Ingest::event_records(const std::vector<fleet::FleetEvent>& events) {
  std::vector<store::Record> out;
  for (const auto& e : events) {
    tell(log_, e);
    out.push_back(to_record(e, ledger_.find(e.board), ++event_sequence_));
  }
  return out;
}

ToKeep Ingest::ledger_changes() {
  auto changes = ledger_.take_changes();
  ToKeep out;
  for (const auto& b : changes.boards) out.records.push_back(to_record(b));
  for (const auto& h : changes.hosts) out.records.push_back(to_record(h));
  auto events = event_records(changes.events);
  std::ranges::move(events, std::back_inserter(out.records));
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
  if (outlets_.keep(out)) return true;
  stats_.rows_not_kept += out.rows.size();
  waiting_records_ = std::move(out.records);
  for (const auto& told : out.told) told(Error{Errc::unavailable, "the queue of the store is full: try again shortly"});
  return false;
}

void Ingest::tick(Timestamp now) {
  ledger_.notice_silence(now);
  emit(ledger_changes());
  pending_.as_of = now;
  const auto value_of = [&](fleet::BoardId id) {
    const auto n = static_cast<std::size_t>(id);
    return n < live_.size()
               ? live_[n]
               : LiveValues{telemetry::absent(), telemetry::absent(), telemetry::absent(), telemetry::absent(), telemetry::absent()};
  };
  const LiveValues nothing = value_of(fleet::BoardId::none);
  pending_.live.reserve(ledger_.boards().size());
  for (const auto& [id, last_seen, silent] : ledger_.presence(now))
    pending_.live.push_back({id, last_seen, silent, silent ? nothing : value_of(id)});
  for (const auto& [name, host] : ledger_.hosts()) pending_.live_hosts.push_back({host.id, host.last_answer, ledger_.is_silent(host, now)});
  pending_.refused_by = refusals_.largest(1000);
  pending_.accepted = stats_.accepted;
  pending_.refused = stats_.refused;
  pending_.scrapes_ok = stats_.scrapes_ok;
  pending_.scrapes_failed = stats_.scrapes_failed;
  outlets_.show(std::exchange(pending_, {}));
}

}  // namespace ghm::pipeline
