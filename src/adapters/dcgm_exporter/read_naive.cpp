// The naive twin: what anybody writes first. Split into lines, each into a name, a map of labels and a value by strtod;
// look the column up in a map. It shares with the other paths only what a name and labels mean (row_meaning, gpu_table).
#include <cstdlib>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "adapters/dcgm_exporter/columns.h"
#include "adapters/dcgm_exporter/naive_line.h"
#include "adapters/dcgm_exporter/page_reader.h"

namespace ghm::dcgm_exporter {
namespace {

using telemetry::Reason;

struct NaiveRow {
  NaiveLine line;
  RowMeaning meaning;
};

RowMeaning meaning_of(const NaiveLine& line, const telemetry::MetricCatalogue& catalogue) {
  ParsedPrefix prefix{line.name, {}, line.whole};
  for (const auto& [name, value] : line.labels) prefix.labels.push_back({name, value});
  auto meaning = describe(prefix, catalogue);
  if (meaning.kind == RowKind::label) note_label_value(meaning, line.rest);
  return meaning;
}

void take(const NaiveRow& row, const RowPlan& plan, const HelpUnits& help, telemetry::PageReading& out) {
  const auto& m = row.meaning;
  const auto why = [&](Reason reason) { refuse(out, plan, m.entity, m.spelling->id, row.line.rest, reason); };
  if (!row.line.is_number) return why(why_no_number(row.line.rest));
  const auto convert = conversion_of(*m.spelling, help);
  if (!convert) return why(Reason::conversion_error);
  const double value = (*convert)(row.line.value);
  double& slot = out.values[static_cast<std::size_t>(plan.column)];
  if (telemetry::is_absent(slot)) {
    slot = value;
    if (row.line.has_stamp) out.stamps.emplace(static_cast<std::uint32_t>(plan.column), from_unix_ms(row.line.stamp));
  } else if (same_value(slot, value)) {
    ++out.repeated_lines;
  } else {
    why(Reason::duplicate);
  }
}

void apply(const NaiveRow& row, const RowPlan& plan, const HelpUnits& help, telemetry::PageReading& out) {
  const auto& m = row.meaning;
  const auto metric = m.spelling ? m.spelling->id : telemetry::MetricId::none;
  switch (m.kind) {
    case RowKind::reading: return take(row, plan, help, out);
    case RowKind::unknown_family: ++out.unknown_lines; return;
    case RowKind::label: return;
    case RowKind::nobody: return refuse(out, plan, m.entity, metric, row.line.rest, Reason::unknown_identity);
    case RowKind::broken:
      return refuse(out, plan, m.entity, metric, row.line.rest.empty() ? row.line.text : row.line.rest, Reason::unparsable);
  }
}

}  // namespace

telemetry::PageReading read_naive(std::string_view page, const telemetry::MetricCatalogue& catalogue) {
  std::vector<NaiveRow> rows;
  std::vector<RowMeaning> meanings;
  HelpUnits help;
  for (const auto& text : naive_lines(page)) {
    if (text[0] == '#') {
      note_help(help, text, catalogue);
      continue;
    }
    auto line = parse_naive_line(text);
    meanings.push_back(meaning_of(line, catalogue));
    rows.push_back({std::move(line), {}});
  }
  LayoutPool pool;
  const auto plan = plan_columns(meanings, pool);
  telemetry::PageReading out;
  out.layout = plan.layout;
  out.values.assign(plan.layout->table->series.size(), telemetry::absent());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].meaning = std::move(meanings[i]);
    apply(rows[i], plan.rows[i], help, out);
  }
  return out;
}

}  // namespace ghm::dcgm_exporter
