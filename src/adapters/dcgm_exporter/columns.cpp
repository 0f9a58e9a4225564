#include "adapters/dcgm_exporter/columns.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <tuple>

namespace ghm::dcgm_exporter {
namespace {

GpuTable gpus_of(const std::vector<RowMeaning>& rows) {
  GpuTable gpus;
  for (const auto& row : rows)
    if (row.kind != RowKind::unknown_family && row.kind != RowKind::broken && names_gpu(row.says)) gpus.add(row.says);
  gpus.join();
  return gpus;
}

std::vector<RowPlan> gpu_numbers(std::vector<RowMeaning>& rows, const GpuTable& gpus) {
  std::vector<RowPlan> plan(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& row = rows[i];
    const bool whose = row.kind == RowKind::reading ? row.of_gpu : names_gpu(row.says);
    if (whose) plan[i].gpu = static_cast<std::int16_t>(gpus.find(row.says));
    if (whose && plan[i].gpu < 0 && row.kind == RowKind::reading) row.kind = RowKind::nobody;
  }
  return plan;
}

void add_sorted(std::vector<std::string>& names, const std::string& name) {
  const auto at = std::ranges::lower_bound(names, name);
  if (!name.empty() && (at == names.end() || *at != name)) names.insert(at, name);
}

std::vector<telemetry::Workload> work_of(const std::vector<RowMeaning>& rows, const std::vector<RowPlan>& plan, std::size_t gpus) {
  std::vector<telemetry::Workload> work(gpus);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (plan[i].gpu < 0) continue;
    auto& of_gpu = work[static_cast<std::size_t>(plan[i].gpu)];
    add_sorted(of_gpu.pods, rows[i].pod);
    add_sorted(of_gpu.jobs, rows[i].job);
  }
  return work;
}

struct Column {
  telemetry::PageSeries series;
  const RowMeaning* row;
  std::size_t row_number;
};

auto key_of(const Column& c) {
  return std::tie(c.series.gpu, c.series.entity, c.series.metric, c.row->apart);
}

std::vector<Column> sorted_columns(const std::vector<RowMeaning>& rows, const std::vector<RowPlan>& plan) {
  std::vector<Column> columns;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].kind == RowKind::reading)
      columns.push_back({{plan[i].gpu, rows[i].entity, rows[i].spelling->id, rows[i].event_like}, &rows[i], i});
  std::ranges::sort(columns, [](const Column& a, const Column& b) {
    if (key_of(a) != key_of(b)) return key_of(a) < key_of(b);
    return a.row->labels < b.row->labels;  // so that which labels a column shows does not depend on the order of rows
  });
  return columns;
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view w) { return text.find(w) != text.npos; });
}

}  // namespace

ColumnPlan plan_columns(std::vector<RowMeaning>& rows, LayoutPool& pool) {
  const auto gpus = gpus_of(rows);
  ColumnPlan out{nullptr, gpu_numbers(rows, gpus)};
  const auto columns = sorted_columns(rows, out.rows);
  telemetry::SeriesTable table;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& c = columns[i];
    if (i == 0 || key_of(columns[i - 1]) != key_of(c)) {
      if (!c.row->labels.empty()) table.labels.emplace(static_cast<std::uint32_t>(table.series.size()), c.row->labels);
      table.series.push_back(c.series);
    }
    out.rows[c.row_number].column = static_cast<std::int32_t>(table.series.size() - 1);
  }
  out.layout = pool.layout({nullptr, gpus.gpus(), work_of(rows, out.rows, gpus.gpus().size())}, std::move(table));
  return out;
}

HelpUnit unit_of_help(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (contains_any(lower, {"%", "percent", "0-100"})) return HelpUnit::percent;
  if (contains_any(lower, {"ratio", "fraction", "0-1", "0.0-1.0", "0 to 1", "0..1"})) return HelpUnit::ratio;
  return HelpUnit::unsaid;
}

void note_help(HelpUnits& units, std::string_view comment, const telemetry::MetricCatalogue& catalogue) {
  const auto help = parse_help(comment);
  if (help.name.empty()) return;
  if (const auto* s = catalogue.spelling(help.name); s && s->unit_from_help) units.try_emplace(s, unit_of_help(help.text));
}

std::optional<Conversion> conversion_of(const telemetry::Spelling& spelling, const HelpUnits& help) {
  constexpr double kPercentPerOne = 100;
  if (!spelling.unit_from_help) return Conversion{spelling.multiply, spelling.divide};
  const auto said = help.find(&spelling);
  if (said == help.end() || said->second == HelpUnit::unsaid) return std::nullopt;
  return Conversion{said->second == HelpUnit::ratio ? kPercentPerOne : 1.0, 1};
}

void refuse(telemetry::PageReading& out, const RowPlan& where, telemetry::Entity entity, telemetry::MetricId metric, std::string_view text,
            telemetry::Reason reason) {
  if (out.refused.size() >= kMostRefusals) {
    ++out.unknown_lines;
    return;
  }
  const auto gpu = where.gpu < 0 ? std::nullopt : std::optional(static_cast<std::uint16_t>(where.gpu));
  out.refused.push_back({gpu, entity, metric, std::string(text.substr(0, kLongestRefusedText)), reason});
}

}  // namespace ghm::dcgm_exporter
