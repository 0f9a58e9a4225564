#include "pipeline/quarantine.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "domain/views/page_json.h"

namespace ghm::pipeline {
namespace {

using Json = nlohmann::json;
using telemetry::MetricId;
using telemetry::Reason;

constexpr const char* kRecordKind = "quarantine";
constexpr std::size_t kMostKinds = 200'000, kMostKindsPerSource = 1'000;
constexpr std::size_t kFlushBytes = 64 << 10;
constexpr std::size_t kLongestText = 200;

std::string gpu_name(const telemetry::PageLayout& layout, const std::optional<std::uint16_t>& gpu) {
  if (!gpu || *gpu >= layout.gpus.size()) return "";
  const auto& id = layout.gpus[*gpu];
  return id.serial.empty() ? views::name_of(id) : id.serial;
}

Json to_json(const Quarantine::Kept& k) {
  return {{"id", k.id},
          {"at", to_unix_ms(k.at)},
          {"source", k.source},
          {"gpu", k.gpu},
          {"board", static_cast<std::uint32_t>(k.board)},
          {"entity", to_string(k.entity)},
          {"metric", static_cast<int>(k.metric)},
          {"reason", static_cast<int>(k.reason)},
          {"text", k.text},
          {"number", fmt::format("{}", k.number)}};  // as text: every bit comes back
}

double number_in(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Reason reason_in(const Json& in) {
  const auto n = in.at("reason").get<std::size_t>();
  if (n >= telemetry::kReasons) throw std::out_of_range("reason");
  return static_cast<Reason>(n);
}

telemetry::Entity entity_in(const Json& in) {
  const auto entity = telemetry::parse_entity(in.at("entity").get<std::string>());
  if (!entity) throw std::out_of_range("entity");
  return *entity;
}

Timestamp time_in(const Json& in, const char* name) {
  return from_unix_ms(in.at(name).get<std::int64_t>());
}

// Ours grow by one; a number that others could not follow is not ours.
std::uint64_t id_in(const Json& in) {
  const auto id = in.at("id").get<std::uint64_t>();
  if (id == 0 || id > 1ull << 53) throw std::out_of_range("id");
  return id;
}

Quarantine::Kept kept_in(const Json& in) {
  Quarantine::Kept k;
  k.id = id_in(in);
  k.at = time_in(in, "at");
  k.source = in.at("source");
  k.gpu = in.at("gpu");
  k.board = static_cast<fleet::BoardId>(in.at("board").get<std::uint32_t>());
  k.entity = entity_in(in);
  k.metric = static_cast<MetricId>(in.at("metric").get<std::uint16_t>());
  k.reason = reason_in(in);
  k.text = in.at("text");
  k.number = number_in(in.at("number"));
  return k;
}

std::string dump(const Json& body) {
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool meant(const views::QuarantineQuery& q, const std::string& source, fleet::BoardId board, const std::string& gpu, MetricId metric,
           Reason reason) {
  if (q.reason && *q.reason != reason) return false;
  if (q.metric != MetricId::none && q.metric != metric) return false;
  if (!q.source.empty() && q.source != source) return false;
  if (q.gpu.empty()) return true;
  return gpu == q.gpu || (q.board != fleet::BoardId::none && q.board == board);
}

bool meant(const views::QuarantineQuery& q, const Quarantine::Kept& k) {
  return meant(q, k.source, k.board, k.gpu, k.metric, k.reason);
}

views::QuarantineItem item_of(const Quarantine::Kept& k) {
  return {k.id, k.source, k.board, k.gpu, k.entity, k.metric, k.text, k.reason, k.at, k.at, 1, true};
}

}  // namespace

bool is_replayable(Reason reason) {
  return reason == Reason::out_of_range || reason == Reason::impossible_rate || reason == Reason::future || reason == Reason::too_old;
}

Quarantine::Quarantine(QuarantineSettings settings) : settings_(settings) {}

// ---- taking in

Quarantine::Kind Quarantine::kind_of(const From& from, const telemetry::Refusal& r) const {
  auto board = from.host;
  if (r.gpu) board = *r.gpu < from.boards.size() ? from.boards[*r.gpu] : fleet::BoardId::none;
  // A second exporter repeats a whole fleet: its values are told apart by metric alone.
  if (r.reason == Reason::duplicate) return {fleet::BoardId::none, "", {}, r.metric, r.reason};
  // A board's own number says more than a name; the name is kept where there is no number.
  return {board, board == fleet::BoardId::none ? gpu_name(from.layout, r.gpu) : "", r.entity, r.metric, r.reason};
}

bool Quarantine::wants_text(const From& from, std::span<const telemetry::Refusal> refused) const {
  std::lock_guard lock(mutex_);
  const auto source = sources_.find(from.source);
  const bool full = source != sources_.end() && source->second.tallies.size() >= kMostKindsPerSource;
  return std::ranges::any_of(refused, [&](const telemetry::Refusal& r) {
    if (is_replayable(r.reason) || source == sources_.end()) return true;
    return !full && !source->second.tallies.contains(kind_of(from, r));
  });
}

// True when the kind is new.
bool Quarantine::count(Source& source, Kind kind, const telemetry::Refusal& r, Timestamp at) {
  source.dirty = true;
  auto it = source.tallies.find(kind);
  if (it != source.tallies.end()) {
    ++it->second.count;
    it->second.last = at;
    return false;
  }
  // A source that invents names must not eat the memory: what is too much is counted by its reason alone.
  if (kinds_ >= kMostKinds || source.tallies.size() >= kMostKindsPerSource) kind = {fleet::BoardId::none, "", {}, MetricId::none, r.reason};
  auto& tally = source.tallies[kind];
  const bool fresh = tally.count == 0;
  if (fresh) {
    ++kinds_;
    tally = {next_id_++, 0, r.value.substr(0, kLongestText), at, at};
  }
  ++tally.count;
  tally.last = at;
  return fresh;
}

void Quarantine::take(const From& from, std::span<const telemetry::Refusal> refused, std::vector<store::Record>& keep) {
  if (refused.empty()) return;
  std::lock_guard lock(mutex_);
  auto& source = sources_[from.source];
  bool fresh = false;
  Batch batch;
  batch.taken = from.at;
  for (const auto& r : refused) {
    const auto kind = kind_of(from, r);
    fresh |= count(source, kind, r, from.at);
    if (!is_replayable(r.reason) || !r.number) continue;
    batch.rows.push_back({next_id_++, r.at.value_or(from.at), from.source, gpu_name(from.layout, r.gpu), std::get<0>(kind), r.entity,
                          r.metric, r.reason, r.value.substr(0, kLongestText), *r.number});
  }
  if (!batch.rows.empty()) keep_batch(std::move(batch), keep);
  if (!fresh) return;
  keep.push_back(to_record(from.source, source, from.at));
  source.dirty = false;
}

void Quarantine::keep_batch(Batch batch, std::vector<store::Record>& keep) {
  rows_ += batch.rows.size();
  drop_beyond(batch.taken);
  batch.slot = take_slot();
  keep.push_back(to_record(batch));
  batches_.push_back(std::move(batch));
}

void Quarantine::drop_beyond(Timestamp now) {
  while (!batches_.empty() && (rows_ > settings_.max_rows || batches_.front().taken < now - settings_.max_age)) {
    rows_ -= batches_.front().rows.size();
    free_slots_.push_back(batches_.front().slot);
    batches_.pop_front();
  }
}

std::uint32_t Quarantine::take_slot() {
  if (free_slots_.empty()) return slots_++;
  const auto slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

void Quarantine::flush(Timestamp now, std::vector<store::Record>& keep, bool all) {
  std::lock_guard lock(mutex_);
  std::size_t bytes = 0;
  auto it = sources_.upper_bound(flushed_);
  for (std::size_t n = 0; n < sources_.size() && (all || bytes < kFlushBytes); ++n, ++it) {
    if (it == sources_.end()) it = sources_.begin();
    if (!it->second.dirty) continue;
    kinds_ -= std::erase_if(it->second.tallies, [&](const auto& t) { return t.second.last < now - settings_.max_age; });
    keep.push_back(to_record(it->first, it->second, now));
    bytes += keep.back().body.size();
    it->second.dirty = false;
    flushed_ = it->first;
  }
}

// ---- looking

namespace {

// Newest `limit` of those that come; older ones than asked for are all that matter.
struct Newest {
  std::size_t limit;
  std::vector<views::QuarantineItem> items{};
  void add(views::QuarantineItem item) {
    items.push_back(std::move(item));
    if (items.size() >= 2 * limit + 64) cut();
  }
  void cut() {
    std::ranges::sort(items, std::greater{}, &views::QuarantineItem::id);
    if (items.size() > limit) items.resize(limit);
  }
};

}  // namespace

views::QuarantinePage Quarantine::list(const views::QuarantineQuery& q) const {
  Newest newest{q.limit + 1};
  const auto wanted = [&](std::uint64_t id) { return q.before == 0 || id < q.before; };
  views::QuarantinePage out;
  {
    std::lock_guard lock(mutex_);
    out.kept = rows_;
    for (auto b = batches_.rbegin(); b != batches_.rend(); ++b)
      for (const auto& k : b->rows)
        if (wanted(k.id) && meant(q, k)) newest.add(item_of(k));
    for (const auto& [name, source] : sources_)
      for (const auto& [kind, t] : source.tallies) {
        const auto& [board, gpu, entity, metric, reason] = kind;
        if (is_replayable(reason) || !wanted(t.id) || !meant(q, name, board, gpu, metric, reason)) continue;
        newest.add({t.id, name, board, gpu, entity, metric, t.text, reason, t.first, t.last, t.count, false});
      }
  }
  newest.cut();
  out.items = std::move(newest.items);
  if (out.items.size() > q.limit) {
    out.items.resize(q.limit);
    out.next = out.items.back().id;
  }
  return out;
}

void Quarantine::for_each_count(const std::function<void(const std::string&, MetricId, Reason, std::uint64_t)>& f) const {
  std::lock_guard lock(mutex_);
  for (const auto& [name, source] : sources_)
    for (const auto& [kind, tally] : source.tallies) f(name, std::get<3>(kind), std::get<4>(kind), tally.count);
}

std::vector<Quarantine::Kept> Quarantine::select(const views::QuarantineQuery& q) const {
  std::vector<Kept> out;
  std::lock_guard lock(mutex_);
  for (const auto& b : batches_)
    for (const auto& k : b.rows)
      if (meant(q, k)) out.push_back(k);
  return out;
}

bool Quarantine::remove(std::span<const std::uint64_t> ids, const std::function<bool(std::vector<store::Record>)>& put) {
  const std::unordered_set<std::uint64_t> gone(ids.begin(), ids.end());
  const auto is_gone = [&](const Kept& k) { return gone.contains(k.id); };
  std::vector<store::Record> changed;
  std::lock_guard lock(mutex_);
  for (const auto& b : batches_) {
    if (std::ranges::none_of(b.rows, is_gone)) continue;
    auto left = b;
    std::erase_if(left.rows, is_gone);
    changed.push_back(to_record(left));
  }
  // Handed on under the lock: a slot that becomes free here must not be overwritten by this later than by its next batch.
  if (!changed.empty() && !put(std::move(changed))) return false;
  for (auto& b : batches_) {
    rows_ -= std::erase_if(b.rows, is_gone);
    if (b.rows.empty()) free_slots_.push_back(b.slot);
  }
  std::erase_if(batches_, [](const Batch& b) { return b.rows.empty(); });
  return true;
}

// ---- on disk

store::Record Quarantine::to_record(const Batch& batch) {
  Json rows = Json::array();
  for (const auto& k : batch.rows) rows.push_back(to_json(k));
  return {kRecordKind, fmt::format("b/{:06}", batch.slot), batch.taken, dump({{"rows", std::move(rows)}})};
}

store::Record Quarantine::to_record(const std::string& name, const Source& source, Timestamp at) {
  Json tallies = Json::array();
  for (const auto& [kind, t] : source.tallies) {
    const auto& [board, gpu, entity, metric, reason] = kind;
    tallies.push_back({{"id", t.id},
                       {"board", static_cast<std::uint32_t>(board)},
                       {"gpu", gpu},
                       {"entity", to_string(entity)},
                       {"metric", static_cast<int>(metric)},
                       {"reason", static_cast<int>(reason)},
                       {"text", t.text},
                       {"count", t.count},
                       {"first", to_unix_ms(t.first)},
                       {"last", to_unix_ms(t.last)}});
  }
  return {kRecordKind, "t/" + name, at, dump({{"tallies", std::move(tallies)}})};
}

bool Quarantine::restore_batch(const store::Record& record) try {
  Batch batch;
  const auto digits = std::string_view(record.key).substr(2);
  if (std::from_chars(digits.data(), digits.data() + digits.size(), batch.slot).ec != std::errc()) return false;
  slots_ = std::max(slots_, batch.slot + 1);
  batch.taken = record.at;
  const Json body = Json::parse(record.body);
  for (const auto& row : body.at("rows")) {
    batch.rows.push_back(kept_in(row));
    next_id_ = std::max(next_id_, batch.rows.back().id + 1);
  }
  if (batch.rows.empty()) {
    free_slots_.push_back(batch.slot);
    return true;
  }
  rows_ += batch.rows.size();
  batches_.push_back(std::move(batch));
  return true;
} catch (const std::exception&) {
  return false;
}

bool Quarantine::restore_tallies(const store::Record& record) try {
  std::map<Kind, Tally> tallies;
  const Json body = Json::parse(record.body);
  for (const auto& in : body.at("tallies")) {
    const Kind kind{static_cast<fleet::BoardId>(in.at("board").get<std::uint32_t>()), in.at("gpu").get<std::string>(), entity_in(in),
                    static_cast<MetricId>(in.at("metric").get<std::uint16_t>()), reason_in(in)};
    const Tally tally{id_in(in), in.at("count"), in.at("text"), time_in(in, "first"), time_in(in, "last")};
    next_id_ = std::max(next_id_, tally.id + 1);
    tallies.emplace(kind, tally);
  }
  kinds_ += tallies.size();
  sources_[record.key.substr(2)].tallies = std::move(tallies);
  return true;
} catch (const std::exception&) {
  return false;
}

Result<std::size_t> Quarantine::restore(const store::RecordStore& records, Timestamp now) {
  constexpr std::size_t kPage = 1000;
  std::size_t unreadable = 0;
  std::lock_guard lock(mutex_);
  for (const std::string prefix : {"b/", "t/"})
    for (std::string after;;) {
      const auto page = records.scan(kRecordKind, prefix, after, kPage);
      if (!page) return page.error();
      for (const auto& r : *page) unreadable += !(prefix == "b/" ? restore_batch(r) : restore_tallies(r));
      if (page->size() < kPage) break;
      after = page->back().key;
    }
  std::ranges::sort(batches_, {}, [](const Batch& b) { return b.rows.front().id; });
  drop_beyond(now);
  return unreadable;
}

}  // namespace ghm::pipeline
