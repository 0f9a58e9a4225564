#include "adapters/dcgm_exporter/careful_reader.h"

#include <algorithm>
#include <cassert>
#include <unordered_set>

#include "adapters/dcgm_exporter/byte_hash.h"
#include "core/decimal.h"

namespace ghm::dcgm_exporter {
namespace {

// A label-type row says its value of the GPU, so its value belongs to what is remembered.
std::uint64_t hash_of_label_row(std::string_view line) {
  return hash_bytes(line) ^ kHashSeeds[0];
}

void start(telemetry::PageReading& out, const std::shared_ptr<const telemetry::PageLayout>& layout) {
  out.layout = layout;
  out.values.assign(layout ? layout->table->series.size() : 0, telemetry::absent());
  out.refused.clear();
  out.stamps.clear();
  out.unknown_lines = out.repeated_lines = 0;
}

ValueText number_of(std::string_view rest) {
  double number = 0;
  const char* const end = rest.data() + rest.size();
  if (!rest.empty() && read_plain_decimal(rest.data(), end, number) == end) return {number, std::nullopt};
  return parse_rest(rest);
}

constexpr std::int32_t kUnknownFamily = -1, kNameless = -2;

}  // namespace

/// A page on its way to being remembered: each prefix once.
struct CarefulReader::Learnt {
  std::vector<std::uint64_t> hashes;
  std::vector<std::int32_t> row;  // per hash: index into rows; kUnknownFamily or kNameless, of which there is no more to say
  std::vector<RowMeaning> rows;
  HelpUnits help;
  std::unordered_set<std::uint64_t> known;

  void note(std::string_view line, const telemetry::MetricCatalogue& catalogue) {
    const auto parts = split_line(line);
    const auto hash = hash_bytes(parts.prefix);
    if (known.contains(hash)) return;
    auto meaning = describe(parse_prefix(parts.prefix), catalogue);
    if (!meaning.spelling) return add(hash, meaning.kind == RowKind::broken ? kNameless : kUnknownFamily);
    if (meaning.kind != RowKind::label) return add(hash, std::move(meaning));
    note_label_value(meaning, parts.rest);
    if (const auto whole = hash_of_label_row(line); !known.contains(whole)) add(whole, std::move(meaning));
  }

 private:
  void add(std::uint64_t hash, std::int32_t number) {
    known.insert(hash);
    hashes.push_back(hash);
    row.push_back(number);
  }
  void add(std::uint64_t hash, RowMeaning meaning) {
    add(hash, static_cast<std::int32_t>(rows.size()));
    rows.push_back(std::move(meaning));
  }
};

void CarefulReader::read(std::string_view page, telemetry::PageReading& out) {
  if (layout_ && try_remembered(page, out)) return;
  learn(page);
  [[maybe_unused]] const bool read = try_remembered(page, out);
  assert(read);
}

bool CarefulReader::try_remembered(std::string_view page, telemetry::PageReading& out) {
  start(out, layout_);
  ++page_number_;
  std::uint32_t next = 0;
  std::size_t distinct = 0;
  std::uint64_t help = 0;
  const bool all_known = for_each_line(page, [&](std::string_view line) {
    if (line.front() == '#') {
      if (!parse_help(line).name.empty()) help += hash_bytes(line);
      return true;
    }
    const auto parts = split_line(line);
    const auto n = locate(line, parts, next);
    if (n == kUnknown) return false;
    distinct += seen_[n] != page_number_;
    seen_[n] = page_number_;
    next = n + 1;
    apply(rows_[n], line, parts, out);
    return true;
  });
  return all_known && distinct == rows_.size() && help == help_digest_;
}

void CarefulReader::apply(const Row& row, std::string_view line, const LineParts& parts, telemetry::PageReading& out) const {
  using telemetry::Reason;
  switch (row.kind) {
    case RowKind::reading: return take(row, parts.rest, out);
    case RowKind::unknown_family: ++out.unknown_lines; return;
    case RowKind::label: return;
    case RowKind::nobody: return refuse(out, {-1, row.gpu}, row.entity, row.metric, parts.rest, Reason::unknown_identity);
    case RowKind::broken:
      return refuse(out, {-1, row.gpu}, row.entity, row.metric, parts.rest.empty() ? line : parts.rest, Reason::unparsable);
  }
}

void CarefulReader::take(const Row& row, std::string_view rest, telemetry::PageReading& out) const {
  const RowPlan where{row.column, row.gpu};
  const auto said = number_of(rest);
  if (!said.number) return refuse(out, where, row.entity, row.metric, rest, why_no_number(rest));
  if (row.conversion == kNoUnit) return refuse(out, where, row.entity, row.metric, rest, telemetry::Reason::conversion_error);
  const double value = row.conversion == 0 ? *said.number : conversions_[row.conversion](*said.number);
  const auto column = static_cast<std::size_t>(row.column);
  if (telemetry::is_absent(out.values[column])) {
    out.values[column] = value;
    if (said.at) out.stamps.emplace(static_cast<std::uint32_t>(column), *said.at);
  } else if (same_value(out.values[column], value)) {
    ++out.repeated_lines;
  } else {
    refuse(out, where, row.entity, row.metric, rest, telemetry::Reason::duplicate);
  }
}

void CarefulReader::learn(std::string_view page) {
  Learnt learnt;
  help_digest_ = 0;
  for_each_line(page, [&](std::string_view line) {
    if (line.front() != '#') {
      learnt.note(line, catalogue_);
    } else if (!parse_help(line).name.empty()) {
      help_digest_ += hash_bytes(line);
      note_help(learnt.help, line, catalogue_);
    }
    return true;
  });
  const auto plan = plan_columns(learnt.rows, *pool_);
  layout_ = plan.layout;
  remember(learnt, plan);
}

void CarefulReader::remember(const Learnt& learnt, const ColumnPlan& plan) {
  conversions_ = {Conversion{}};
  rows_.clear();
  rows_.reserve(learnt.hashes.size());
  for (std::size_t i = 0; i < learnt.hashes.size(); ++i) {
    const auto hash = learnt.hashes[i];
    if (learnt.row[i] < 0) {
      const auto kind = learnt.row[i] == kNameless ? RowKind::broken : RowKind::unknown_family;
      rows_.push_back({hash, -1, -1, kind, 0, {}, telemetry::MetricId::none});
      continue;
    }
    const auto n = static_cast<std::size_t>(learnt.row[i]);
    const auto& m = learnt.rows[n];
    rows_.push_back({hash, plan.rows[n].column, plan.rows[n].gpu, m.kind, conversion_number(m, learnt.help), m.entity, m.spelling->id});
  }
  seen_.assign(rows_.size(), 0);
  page_number_ = 0;
  index_rows();
}

std::uint8_t CarefulReader::conversion_number(const RowMeaning& row, const HelpUnits& help) {
  if (row.kind != RowKind::reading) return 0;
  const auto wanted = conversion_of(*row.spelling, help);
  if (!wanted) return kNoUnit;
  auto it = std::ranges::find(conversions_, *wanted);
  if (it == conversions_.end()) it = conversions_.insert(it, *wanted);
  const auto n = it - conversions_.begin();
  assert(n < kNoUnit);  // a catalogue knows a handful of conversions
  return static_cast<std::uint8_t>(n);
}

// Lines mostly come in the order of the page before: the row after the last one is tried first.
std::uint32_t CarefulReader::locate(std::string_view line, const LineParts& parts, std::uint32_t expected) const {
  const auto hash = hash_bytes(parts.prefix);
  if (expected < rows_.size() && rows_[expected].hash == hash) return expected;
  const auto n = find(hash);
  return n != kUnknown ? n : find(hash_of_label_row(line));
}

std::uint32_t CarefulReader::find(std::uint64_t hash) const {
  const auto mask = by_hash_.size() - 1;
  for (auto at = hash & mask; by_hash_[at] != 0; at = (at + 1) & mask)
    if (rows_[by_hash_[at] - 1].hash == hash) return by_hash_[at] - 1;
  return kUnknown;
}

void CarefulReader::index_rows() {
  std::size_t slots = 16;
  while (slots < rows_.size() * 2) slots *= 2;
  by_hash_.assign(slots, 0);
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    auto at = rows_[i].hash & (slots - 1);
    while (by_hash_[at] != 0) at = (at + 1) & (slots - 1);
    by_hash_[at] = i + 1;
  }
}

}  // namespace ghm::dcgm_exporter
