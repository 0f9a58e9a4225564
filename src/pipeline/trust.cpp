#include "pipeline/trust.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "adapters/dcgm_exporter/page_reader.h"

namespace ghm::pipeline {

namespace field = telemetry::field;
using fleet::BoardId;
using telemetry::Reason;

/// Where a board's page says something about Xids.
struct Trust::XidColumns {
  std::size_t place = 0;  // of the board in the layout
  BoardId board{};
  validation::XidEdges* edges = nullptr;  // of that board, for good: nodes of a map stay where they are
  std::vector<std::uint32_t> gauges;
  std::vector<std::pair<std::uint32_t, int>> counts;  // column and code
};

struct Trust::HealthColumn {
  std::uint32_t column = 0;
  std::size_t place = 0;
  BoardId board{};
  int number = 0;  // of the board's watches, in the order of columns
};

struct Trust::Source {
  std::string name;
  validation::SourceNumber number = 0;
  std::shared_ptr<const validation::ColumnRules> rules;  // hosts of one kind share theirs
  validation::RateMemory memory;
  std::shared_ptr<const telemetry::PageLayout> layout;
  std::vector<BoardId> boards, owners;  // owners: the boards, then the host
  BoardId host{};
  std::vector<XidColumns> xids;
  std::vector<HealthColumn> health;
  // What another source is believed for, and what that was worked out from.
  std::vector<validation::SourceOfTruth::Contested> contested;
  std::vector<telemetry::Refusal> duplicates;
  std::uint64_t truth_seen = 0, layouts_seen = 0;
  Timestamp contested_since{}, last_page{};

  // Worked out when they are needed, which is seldom: kept, they were 20 kB of every host.
  telemetry::SeriesKey key(const telemetry::PageSeries& s) const {
    return {owners[s.gpu < 0 ? boards.size() : static_cast<std::size_t>(s.gpu)], s.entity, s.metric};
  }
  std::vector<telemetry::SeriesKey> keys() const {
    std::vector<telemetry::SeriesKey> all;
    for (const auto& s : layout->table->series) all.push_back(key(s));
    return all;
  }
};

namespace {

int code_of(const telemetry::SeriesTable& table, std::uint32_t column) {
  const auto labels = table.labels.find(column);
  if (labels == table.labels.end()) return 0;
  const auto xid = labels->second.find("xid");
  int code = 0;
  if (xid != labels->second.end()) std::from_chars(xid->second.data(), xid->second.data() + xid->second.size(), code);
  return code;
}

std::string metric_name(telemetry::MetricId id) {
  const auto* spec = telemetry::MetricCatalogue::built_in().find(id);
  return spec ? spec->name : fmt::format("field {}", static_cast<int>(id));
}

// 0 pass, 10 warn, 20 fail. Source: dcgm_structs.h, dcgmHealthWatchResults_t.
const char* health_word(double status) {
  return status >= 20 ? "fail" : status >= 10 ? "warn" : "pass";
}

}  // namespace

Trust::Trust(std::shared_ptr<Quarantine> quarantine, validation::Overrides overrides, std::chrono::milliseconds interval)
    : quarantine_(std::move(quarantine)), overrides_(std::move(overrides)), interval_(interval) {}

Trust::~Trust() = default;

Trust::Source& Trust::source(const std::string& name) {
  auto& slot = sources_[name];
  if (slot) return *slot;
  slot = std::make_unique<Source>();
  slot->name = name;
  slot->number = static_cast<validation::SourceNumber>(by_number_.size());
  by_number_.push_back(slot.get());
  return *slot;
}

void Trust::forget(const std::string& name) {
  const auto it = sources_.find(name);
  if (it == sources_.end()) return;
  truth_.forget(it->second->number);
  by_number_[it->second->number] = nullptr;
  sources_.erase(it);
}

void Trust::restore_xid(BoardId board, double code) {
  xids_[board].restore(static_cast<int>(code));
}

bool Trust::is_contested(const Source& source, std::size_t place) {
  return !source.contested.empty() &&
         std::ranges::find(source.contested, place, &validation::SourceOfTruth::Contested::place) != source.contested.end();
}

std::shared_ptr<const validation::ColumnRules> Trust::shared(const telemetry::SeriesTable* table, validation::ColumnRules fresh) {
  auto& known = rules_[table];
  std::erase_if(known, [](const auto& rules) { return rules.expired(); });
  for (const auto& rules : known)
    if (auto kept = rules.lock(); kept && *kept == fresh) return kept;
  auto kept = std::make_shared<const validation::ColumnRules>(std::move(fresh));
  known.push_back(kept);
  return kept;
}

void Trust::new_layout(Source& s, const telemetry::PageReading& first, const std::vector<BoardId>& boards, BoardId host) {
  s.layout = first.layout;
  s.boards = s.owners = boards;
  s.host = host;
  s.owners.push_back(host);
  s.rules = shared(s.layout->table.get(), validation::ColumnRules::build(*s.layout, first.values, telemetry::MetricCatalogue::built_in(),
                                                                         telemetry::ModelCatalogue::built_in(), overrides_));
  s.xids.clear();
  s.health.clear();
  for (std::size_t place = 0; place < boards.size(); ++place)
    if (boards[place] != BoardId::none) s.xids.push_back({place, boards[place], &xids_[boards[place]], {}, {}});
  std::map<BoardId, int> watches;
  const auto& series = s.layout->table->series;
  for (std::uint32_t i = 0; i < series.size(); ++i) {
    const auto place = series[i].gpu < 0 ? boards.size() : static_cast<std::size_t>(series[i].gpu);
    const auto owner = s.owners[place];
    const auto of_board = std::ranges::find(s.xids, place, &XidColumns::place);
    if (of_board == s.xids.end()) continue;
    if (series[i].metric == field::xid) of_board->gauges.push_back(i);
    if (const int code = series[i].metric == field::exp_xid_count ? code_of(*s.layout->table, i) : 0; code > 0)
      of_board->counts.emplace_back(i, code);
    if (series[i].metric == field::exp_health) s.health.push_back({i, place, owner, watches[owner]++});
  }
  s.memory.adopt(s.rules->rates(), s.keys());
  ++layouts_;
}

fleet::FleetEvent Trust::event(const char* kind, BoardId board, const Page& page, std::string detail) const {
  const auto* b = page.ledger.find(board);
  return {page.at, kind, board, b ? b->host : "", std::move(detail)};
}

Trust::Verdict Trust::judge(Source& s, telemetry::PageReading& reading, const Page& page) {
  Verdict out{{}, {}, s.duplicates};
  const auto readers = reading.refused.size();
  validation::believe(reading, *s.rules, page.at);
  tell_findings(s.memory.check(reading, page.at), s, page, out);
  const Quarantine::From from{s.name, page.at, *s.layout, s.boards, s.host};
  const std::span all(reading.refused);
  if (all.size() > readers && quarantine_->wants_text(from, all.subspan(readers)))
    dcgm_exporter::quote_page(reading, readers, page.text, telemetry::MetricCatalogue::built_in());
  quarantine_->take(from, all, out.records);
  quarantine_->take(from, page.of_columns, out.records);
  settle_duplicates(s, reading, page, out);
  quarantine_->take(from, s.duplicates, out.records);
  watch(s, reading, page, out);
  return out;
}

Trust::Verdict Trust::judge_part(Source& s, telemetry::PageReading& part, const Page& page, bool late) {
  Verdict out{{}, {}, s.duplicates};
  validation::believe(part, *s.rules, page.at);
  if (!late) {
    const auto said = part.values;
    settle_duplicates(s, part, page, out);
    for (auto d : s.duplicates) {
      if (telemetry::is_absent(said[*d.column])) continue;
      d.value = fmt::format("{}", said[*d.column]);
      part.refused.push_back(std::move(d));
    }
  }
  return out;
}

void Trust::keep_refused(Source& s, const std::vector<telemetry::Refusal>& refused, Timestamp at, std::vector<store::Record>& keep) {
  if (!refused.empty()) quarantine_->take({s.name, at, *s.layout, s.boards, s.host}, refused, keep);
}

void Trust::tell_findings(const validation::RateFindings& found, const Source& s, const Page& page, Verdict& out) const {
  for (const auto gpu : found.restarted)
    if (s.boards[gpu] != BoardId::none)
      out.events.push_back(
          event("gpu_reset", s.boards[gpu], page, "the driver's counters of this GPU started anew: a reset, a reload or a boot"));
  for (const auto column : found.fell) {
    const auto key = s.key(s.layout->table->series[column]);
    out.events.push_back(event("counter_fell", key.board, page,
                               fmt::format("{} is below what it was, and it is kept for the board's life: the value waits in quarantine",
                                           metric_name(key.metric))));
  }
}

// ---- whose word counts

void Trust::settle_duplicates(Source& s, telemetry::PageReading& reading, const Page& page, Verdict& out) {
  s.last_page = page.at;
  const auto& contested = truth_.see(s.number, s.owners, page.at, interval_);
  if (contested.empty() && s.contested.empty()) return;
  const bool same = std::ranges::equal(contested, s.contested,
                                       [](const auto& a, const auto& b) { return a.place == b.place && a.believed == b.believed; });
  for (const auto& c : contested)
    if (c.first_time && c.place < s.boards.size() && by_number_[c.believed] != nullptr)
      out.events.push_back(event("duplicate_source", s.owners[c.place], page,
                                 fmt::format("{} and {} show the same GPUs: {} is believed, what {} repeats is refused as duplicate",
                                             s.name, by_number_[c.believed]->name, by_number_[c.believed]->name, s.name)));
  if (!same || s.truth_seen != truth_.generation() || s.layouts_seen != layouts_) {
    if (s.contested.empty()) s.contested_since = page.at;
    s.contested = contested;
    s.truth_seen = truth_.generation();
    s.layouts_seen = layouts_;
    mask(s, reading);
  }
  for (const auto& d : s.duplicates) reading.values[*d.column] = telemetry::absent();
}

// Only what the believed source says too is a duplicate: another exporter may read fields that the first does not.
void Trust::mask(Source& s, const telemetry::PageReading& reading) {
  s.duplicates.clear();
  const auto& series = s.layout->table->series;
  for (const auto& c : s.contested) {
    const auto* other = by_number_[c.believed];
    if (other == nullptr) continue;
    auto theirs = other->keys();
    std::ranges::sort(theirs);
    for (std::uint32_t i = 0; i < series.size(); ++i) {
      const auto place = series[i].gpu < 0 ? s.boards.size() : static_cast<std::size_t>(series[i].gpu);
      if (place != c.place || !std::ranges::binary_search(theirs, s.key(series[i]))) continue;
      const auto gpu = series[i].gpu < 0 ? std::nullopt : std::optional(static_cast<std::uint16_t>(series[i].gpu));
      auto text = telemetry::is_absent(reading.values[i]) ? std::string() : fmt::format("{}", reading.values[i]);
      s.duplicates.push_back({gpu, series[i].entity, series[i].metric, std::move(text), Reason::duplicate, i});
    }
  }
}

// ---- what is news

void Trust::watch(Source& s, const telemetry::PageReading& reading, const Page& page, Verdict& out) {
  std::vector<validation::XidEdges::Count> counts;
  for (const auto& x : s.xids) {
    if (is_contested(s, x.place)) continue;
    validation::XidEdges::Page says{!x.gauges.empty(), std::nullopt, {}};
    for (const auto column : x.gauges)
      if (!says.gauge && !telemetry::is_absent(reading.values[column])) says.gauge = static_cast<int>(reading.values[column]);
    counts.clear();
    for (const auto& [column, code] : x.counts)
      if (!telemetry::is_absent(reading.values[column])) counts.push_back({code, reading.values[column]});
    says.counts = counts;
    for (const int code : x.edges->see(says, page.at)) {
      out.events.push_back(event("xid", x.board, page, fmt::format("the driver reported Xid {}", code)));
      out.events.back().code = code;
    }
  }
  for (const auto& h : s.health) {
    if (is_contested(s, h.place) || telemetry::is_absent(reading.values[h.column])) continue;
    const double now = reading.values[h.column];
    if (const auto before = health_[{h.board, h.number}].see(now))
      out.events.push_back(event("health_watch", h.board, page,
                                 fmt::format("a DCGM health watch went from {} to {}", health_word(*before), health_word(now))));
  }
}

std::vector<fleet::Conflict> Trust::conflicts(const fleet::Ledger& ledger) const {
  std::vector<fleet::Conflict> out;
  for (const auto* s : by_number_) {
    if (s == nullptr || s->contested.empty()) continue;
    const auto* other = by_number_[s->contested.front().believed];
    const auto board = s->owners[s->contested.front().place];
    if (other == nullptr || ledger.find(board) == nullptr) continue;
    out.push_back({"duplicate_source", board, fmt::format("{} and {}", other->name, s->name),
                   fmt::format("both show {} of the same GPUs; {} is believed, read only one of them", s->contested.size(), other->name),
                   s->contested_since, s->last_page});
  }
  return out;
}

std::vector<store::Record> Trust::flush(Timestamp now, bool all) {
  std::vector<store::Record> out;
  quarantine_->flush(now, out, all);
  return out;
}

}  // namespace ghm::pipeline
