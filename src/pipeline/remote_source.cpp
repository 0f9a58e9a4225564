// A target's series in parts. The book says what each series is; here its samples become readings: one page with holes for
// every instant. From there on the way is a page's own: validation, ledger, live view, store.
#include "pipeline/remote_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "domain/store/row_codec.h"
#include "domain/telemetry/metric_catalogue.h"
#include "pipeline/sighting_of.h"

namespace ghm::pipeline {
namespace {

using fleet::BoardId;
using telemetry::Reason;

constexpr auto kForgetEndedAfter = 5min + 1s;  // a little later than the book does
constexpr auto kFuture = 5min;
constexpr auto kQuickestPace = std::chrono::milliseconds(5s), kSlowestPace = std::chrono::milliseconds(1h);

std::string names_of(const telemetry::GpuIdentity& g) {
  return fmt::format("{}\n{}\n{}\n{}", g.uuid, g.serial, g.pci_bus_id, g.index);
}

bool has_value(const remote_write::Series& series) {
  return std::ranges::any_of(series.samples, [](const auto& s) { return !remote_write::is_stale_marker(s.value); });
}

}  // namespace

void Pace::note(Timestamp at) {
  if (at <= last_) return;
  if (last_ != Timestamp::min()) steps_[count_++ % kSteps] = at - last_;
  last_ = at;
  const auto n = static_cast<std::ptrdiff_t>(std::min(count_, kSteps));
  if (n < static_cast<std::ptrdiff_t>(kEnough)) return;
  auto sorted = steps_;
  std::sort(sorted.begin(), sorted.begin() + n);
  const auto median = std::clamp(sorted[static_cast<std::size_t>(n / 2)], kQuickestPace, kSlowestPace);
  // The ledger writes a host's interval down: jitter is no change.
  if (std::chrono::abs(median - interval_) * 10 > interval_) interval_ = median;
}

RemoteSource::RemoteSource(std::string name, std::string address, std::chrono::milliseconds interval, bool simulated, Ingest& ingest,
                           Timestamp now)
    : name_(std::move(name)),
      ingest_(ingest),
      always_simulated_(simulated),
      target_{std::move(address), {}, nullptr},
      pace_(interval),
      book_(telemetry::MetricCatalogue::built_in(), ingest.layouts()),
      heard_(now) {
  state_.trust = &ingest.trust().source(name_);
}

// ---- what a series is

bool RemoteSource::has_room() const {
  return book_.rows().size() < store::kMostRowColumns;
}

std::uint32_t RemoteSource::row_of(std::uint64_t key, const remote_write::Series& series, Timestamp now) {
  if (const auto known = book_.find(key)) return *known;
  const auto before = book_.rows().size();
  auto told = series_of(series.labels);
  const auto number = book_.add(key, told.exporter, series.samples.front().value, now);
  unsettled_ |= book_.rows().size() != before || told.target != target_.labels || told.simulated > simulated_;
  target_.labels = std::move(told.target);
  simulated_ |= told.simulated;
  return number;
}

void RemoteSource::hear(std::uint64_t key, const remote_write::Series& series, Timestamp now) {
  heard_ = now;
  auto& row = book_.row(row_of(key, series, now));
  if (!has_value(series)) return;
  row.heard = now;
  row.ended = false;
}

void RemoteSource::settle(const dcgm_exporter::HelpUnits& help, Timestamp now) {
  if (book_.layout() && !unsettled_ && now < settle_again_) return;
  const auto column_of = [](const Row& r) { return static_cast<std::size_t>(r.column); };
  for (std::uint32_t i = 0; i < book_.rows().size(); ++i)
    if (auto& r = book_.row(i); r.column >= 0) {
      r.value = latest_.values[column_of(r)];
      r.at = latest_at_[column_of(r)];
    }
  book_.settle(help, now);
  unsettled_ = false;
  settle_again_ = Timestamp::max();
  latest_.layout = book_.layout();
  latest_.values.assign(book_.layout()->table->series.size(), telemetry::absent());
  latest_at_.assign(latest_.values.size(), Timestamp::min());
  for (const auto& r : book_.rows())
    if (r.column >= 0 && r.at > latest_at_[column_of(r)]) {
      latest_.values[column_of(r)] = r.value;
      latest_at_[column_of(r)] = r.at;
    }
  ended_.assign(latest_.values.size(), true);
  for (const auto& r : book_.rows())
    if (r.column >= 0 && !r.ended) ended_[column_of(r)] = false;
  state_.saw = sighting_of(target_, &book_.layout()->gpus, always_simulated_ || simulated_, pace_.interval(), now);
  state_.saw.source = name_;
}

// ---- what a sample is

void RemoteSource::note(std::uint64_t key, const remote_write::Series& series, Timestamp oldest, Timestamp now, Instants& out) {
  const auto number = row_of(key, series, now);
  for (const auto& sample : series.samples) note(number, sample, oldest, now, out);
}

void RemoteSource::note(std::uint32_t number, const remote_write::Sample& sample, Timestamp oldest, Timestamp now, Instants& out) {
  using dcgm_exporter::RowKind;
  auto& row = book_.row(number);
  if (remote_write::is_stale_marker(sample.value)) return note_end(row, sample.at, now);
  if (row.kind == RowKind::label) return;
  if (sample.at > now + kFuture) return refuse(row, sample, Reason::future);
  if (sample.at < oldest) return refuse(row, sample, Reason::too_old);
  if (row.kind != RowKind::reading || row.column < 0) return refuse(row, sample, Reason::unknown_identity);
  if (!row.conversion) return refuse(row, sample, Reason::conversion_error);
  const double value = (*row.conversion)(sample.value);
  if (telemetry::is_absent(value)) return refuse(row, sample, Reason::not_finite);
  out[sample.at].emplace_back(number, value);
}

// The series is no more, or its target did not answer: what it said last is no longer so.
void RemoteSource::note_end(Row& row, Timestamp at, Timestamp now) {
  if (row.column < 0) return;
  const auto column = static_cast<std::size_t>(row.column);
  if (at < latest_at_[column]) return;
  row.ended = ended_[column] = true;
  ending_.push_back(static_cast<std::uint32_t>(column));
  settle_again_ = std::min(settle_again_, now + kForgetEndedAfter);
}

void RemoteSource::refuse(const Row& row, const remote_write::Sample& sample, Reason reason) {
  telemetry::Refusal r{std::nullopt, row.entity, row.metric, fmt::format("{}", sample.value), reason};
  if (row.gpu >= 0) r.gpu = static_cast<std::uint16_t>(row.gpu);
  if (row.column >= 0) r.column = static_cast<std::uint32_t>(row.column);
  if (row.conversion) r.number = (*row.conversion)(sample.value);
  r.at = sample.at;
  refused_.push_back(std::move(r));
}

// ---- whose they are

std::vector<Timestamp> RemoteSource::newest_by_gpu(const Instants& instants) const {
  std::vector<Timestamp> newest(book_.layout()->gpus.size(), Timestamp::min());
  for (const auto& [at, values] : instants)
    for (const auto& [number, value] : values)
      if (const auto gpu = book_.rows()[number].gpu; gpu >= 0) newest[static_cast<std::size_t>(gpu)] = at;
  return newest;
}

std::vector<BoardId> RemoteSource::boards_so_far() const {
  const auto& layout = book_.layout();
  if (layout == state_.layout) return state_.boards;
  std::unordered_map<std::string, BoardId> before;
  for (std::size_t g = 0; g < state_.boards.size(); ++g) before.emplace(names_of(state_.layout->gpus[g]), state_.boards[g]);
  std::vector<BoardId> boards;
  for (const auto& gpu : layout->gpus) {
    const auto found = before.find(names_of(gpu));
    boards.push_back(found == before.end() ? BoardId::none : found->second);
  }
  return boards;
}

BoardId RemoteSource::known(const telemetry::GpuIdentity& gpu) const {
  for (const auto& name : {gpu.serial, gpu.uuid})
    if (!name.empty())
      if (const auto* b = std::as_const(ingest_).ledger().find(std::string_view(name)); b && (b->serial == name || b->uuid == name))
        return b->id;
  return BoardId::none;
}

// Each GPU is a source of its own to the ledger: a request has some GPUs of a host, and the others are not gone.
void RemoteSource::see(std::size_t gpu, BoardId& board, Timestamp at) {
  auto saw = state_.saw;
  saw.source = fmt::format("{}#{}", name_, gpu);
  saw.at = at;
  board = ingest_.ledger().sight(saw, {book_.layout()->gpus[gpu]}).front();
}

// What comes late (a sender catches up, a back-fill) says nothing about where a board is now, so it moves no board and ends
// no silence; it only makes known what nobody knew.
void RemoteSource::look_who(const Instants& instants, Timestamp now) {
  const auto newest = newest_by_gpu(instants);
  auto boards = boards_so_far();
  auto& ledger = ingest_.ledger();
  for (const auto& [at, values] : instants) pace_.note(at);
  state_.saw.interval = pace_.interval();
  state_.saw.at = instants.rbegin()->first;
  std::vector<std::size_t> fresh;
  std::vector<telemetry::GpuIdentity> names;
  for (std::size_t g = 0; g < boards.size(); ++g) {
    if (newest[g] == Timestamp::min()) continue;
    if (boards[g] == BoardId::none && is_late(newest[g], now)) boards[g] = known(book_.layout()->gpus[g]);
    if (boards[g] == BoardId::none) {
      fresh.push_back(g);
      names.push_back(book_.layout()->gpus[g]);
    } else if (!is_late(newest[g], now)) {
      see(g, boards[g], newest[g]);
    }
  }
  if (!fresh.empty() || ledger.host_id(state_.saw.host) == BoardId::none || !is_late(state_.saw.at, now)) {
    const auto ids = ledger.sight(state_.saw, names);
    for (std::size_t i = 0; i < fresh.size(); ++i) boards[fresh[i]] = ids[i];
  }
  settle_columns(std::move(boards), instants, now);
}

void RemoteSource::settle_columns(std::vector<BoardId> boards, const Instants& instants, Timestamp now) {
  if (book_.layout() == state_.layout && boards == state_.boards) return;
  // The device's own limits may be among the values that come with their series.
  telemetry::PageReading first;
  first.layout = book_.layout();
  first.values = latest_.values;
  for (const auto& [at, said] : instants)
    for (const auto& [number, value] : said) first.values[static_cast<std::size_t>(book_.rows()[number].column)] = value;
  ingest_.settle(state_, first, std::move(boards), now);
}

// Older than silence: it came by a detour.
bool RemoteSource::is_late(Timestamp at, Timestamp now) const {
  return now - at > fleet::kIntervalsUntilSilent * pace_.interval();
}

// ---- what they say

void RemoteSource::take(const Instants& instants, Timestamp now, ToKeep& out) {
  if (!instants.empty()) look_who(instants, now);
  else if (ingest_.ledger().host_id(state_.saw.host) != BoardId::none) settle_columns(boards_so_far(), instants, now);
  has_news_ = false;
  for (const auto& [at, values] : instants) take(at, values, now, out);
  // Where some series ended and others go on, they are no more; where all ended, the target did not answer.
  if (!instants.empty())
    for (const auto column : ending_) latest_.values[column] = ended_[column] ? telemetry::absent() : latest_.values[column];
  if (has_news_) tell_news(out);
  if (state_.layout == latest_.layout) show(now);
  for (const auto& r : refused_) ingest_.count_refused(name_, r);
  if (state_.layout == latest_.layout) ingest_.trust().keep_refused(*state_.trust, refused_, now, out.records);
  refused_.clear();
  ending_.clear();
}

void RemoteSource::take(Timestamp at, const std::vector<std::pair<std::uint32_t, double>>& values, Timestamp now, ToKeep& out) {
  auto reading = reading_of(at, values);
  const auto verdict = ingest_.trust().judge_part(*state_.trust, reading, {at, {}, {}, ingest_.ledger()}, is_late(at, now));
  std::ranges::move(ingest_.event_records(verdict.events), std::back_inserter(out.records));
  for (auto& r : reading.refused) {
    r.at = at;
    refused_.push_back(std::move(r));
  }
  ingest_.watch(state_, news_of(reading, at));
  if (!count(reading, at)) return;
  out.rows.push_back(ingest_.row(state_, reading, at));
  out.rows.back().source = name_;
}

// The witnesses of a fault may come in different requests, so they are heard together; and not before all have been seen.
void RemoteSource::tell_news(ToKeep& out) {
  if (!pace_.is_known()) return;
  Trust::Verdict verdict{{}, {}, refused_};
  ingest_.trust().watch_parts(*state_.trust, latest_, {state_.saw.at, {}, {}, ingest_.ledger()}, verdict);
  std::ranges::move(ingest_.event_records(verdict.events), std::back_inserter(out.records));
}

void RemoteSource::show(Timestamp now) {
  auto shown = latest_;
  for (std::size_t i = 0; i < ended_.size(); ++i)
    if (ended_[i]) shown.values[i] = telemetry::absent();
  ingest_.show(state_, shown, now);
}

telemetry::PageReading RemoteSource::reading_of(Timestamp at, const std::vector<std::pair<std::uint32_t, double>>& values) {
  telemetry::PageReading out;
  out.layout = state_.layout;
  out.values.assign(columns(), telemetry::absent());
  for (const auto& [number, value] : values) {
    const auto& row = book_.rows()[number];
    auto& slot = out.values[static_cast<std::size_t>(row.column)];
    if (telemetry::is_absent(slot)) slot = value;
    else if (!dcgm_exporter::same_value(slot, value)) refuse(row, {value, at}, Reason::duplicate);
  }
  return out;
}

void RemoteSource::refuse(const telemetry::PageReading& reading, std::size_t column, Timestamp at) {
  const auto& s = reading.layout->table->series[column];
  const auto gpu = s.gpu < 0 ? std::nullopt : std::optional(static_cast<std::uint16_t>(s.gpu));
  const bool nobodys = gpu && state_.boards[*gpu] == BoardId::none;
  const double value = reading.values[column];
  refused_.push_back({gpu, s.entity, s.metric, fmt::format("{}", value), nobodys ? Reason::unknown_identity : Reason::duplicate,
                      static_cast<std::uint32_t>(column), value, at});
}

// Columns that cannot be stored are nobody's, or their key is there already. False: nothing of it can be stored.
bool RemoteSource::count(const telemetry::PageReading& reading, Timestamp at) {
  const auto& series = reading.layout->table->series;
  const auto& stored = state_.columns.from;
  std::uint64_t accepted = 0;
  bool any = false;
  for (std::size_t i = 0, next = 0; i < reading.values.size(); ++i) {
    const bool kept = next < stored.size() && stored[next] == i;
    next += kept;
    if (telemetry::is_absent(reading.values[i])) continue;
    any |= kept;
    if (kept || series[i].event_like) ++accepted;
    else refuse(reading, i, at);
  }
  ingest_.count_accepted(accepted, 0);
  return any;
}

// Requests of one source may overtake each other, and may come twice: only what is newer than all before is news.
telemetry::PageReading RemoteSource::news_of(const telemetry::PageReading& reading, Timestamp at) {
  telemetry::PageReading news;
  news.layout = reading.layout;
  news.values.assign(reading.values.size(), telemetry::absent());
  for (std::size_t i = 0; i < reading.values.size(); ++i) {
    if (telemetry::is_absent(reading.values[i]) || at <= latest_at_[i]) continue;
    news.values[i] = latest_.values[i] = reading.values[i];
    latest_at_[i] = at;
    ended_[i] = false;
    has_news_ = true;
  }
  return news;
}

}  // namespace ghm::pipeline
