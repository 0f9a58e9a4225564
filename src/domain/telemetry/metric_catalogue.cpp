#include "domain/telemetry/metric_catalogue.h"

#include <fmt/format.h>

#include <cstdlib>
#include <limits>

#include "core/embedded.h"
#include "domain/telemetry/catalogue_row.h"

namespace ghm::telemetry {
namespace {

constexpr std::size_t kMostFields = 16'384;

MetricKind parse_kind(CatalogueRow& row) {
  const auto& word = row.text("kind");
  if (word == "counter") return MetricKind::counter;
  if (word == "info") return MetricKind::info;
  if (word == "label") return MetricKind::label;
  if (word != "gauge") row.complain("kind", "expected gauge, counter, info or label");
  return MetricKind::gauge;
}

Entity::Kind parse_kind_of_entity(const std::string& word) {
  if (word == "nvlink") return Entity::Kind::nvlink;
  if (word == "node") return Entity::Kind::node;
  return Entity::Kind::gpu;  // pcie, vgpu and mig describe a GPU too
}

// The n of a name that ends in _Ln: before DCGM had link entities, each link was a field of its own.
int link_of(std::string_view name) {
  const auto at = name.rfind("_L");
  if (at == std::string_view::npos || at + 2 == name.size()) return -1;
  int n = 0;
  const auto digits = name.substr(at + 2);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  return error == std::errc() && end == digits.data() + digits.size() ? n : -1;
}

MetricSpec parse_spec(CatalogueRow& row, MetricId id) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  MetricSpec spec;
  spec.id = id;
  spec.name = row.text("name");
  spec.kind = parse_kind(row);
  spec.unit = row.text("unit");
  spec.meaning = row.text("meaning");
  spec.used_for = row.text("used_for");
  spec.entity = parse_kind_of_entity(row.text("entity"));
  spec.min = row.number("min").value_or(-kInfinity);
  spec.max = row.number("max").value_or(kInfinity);
  spec.resets_with_driver = row.text("counter_resets") == "driver reload";
  spec.per_instance = row.text("per_instance") == "1";
  spec.event_like = row.text("event_like") == "1";
  spec.link = link_of(spec.name);
  return spec;
}

std::size_t hash_of(std::string_view name) {
  std::uint64_t h = 0xcbf29ce484222325ull;  // FNV-1a
  for (const unsigned char c : name) h = (h ^ c) * 0x100000001b3ull;
  return static_cast<std::size_t>(h ^ h >> 32);
}

}  // namespace

Result<MetricCatalogue> MetricCatalogue::parse(std::string_view csv, std::string_view file) {
  auto table = CsvTable::parse(csv, file);
  if (!table) return table.error();
  MetricCatalogue out;
  out.by_id_.assign(kMostFields, 0);
  for (const auto* column : {"field_id", "name", "kind", "unit", "entity", "meaning", "counter_resets", "min", "max", "used_for",
                             "multiply", "divide", "per_instance", "event_like", "unit_from_help"})
    if (!table->column(column)) return Error{Errc::invalid_input, fmt::format("{}:1: column '{}' is missing", file, column)};
  for (std::size_t r = 0; r < table->size(); ++r) {
    CatalogueRow row(*table, r, std::string(file));
    const auto id = row.number("field_id").value_or(0);
    if (id < 1 || id >= static_cast<double>(kMostFields)) row.complain("field_id", "expected 1 to 16383");
    const Spelling spelling{row.text("name"), static_cast<MetricId>(id), row.number("multiply").value_or(1),
                            row.number("divide").value_or(1), row.text("unit_from_help") == "1"};
    auto spec = parse_spec(row, spelling.id);
    if (row.error()) return *row.error();
    auto& slot = out.by_id_[static_cast<std::size_t>(id)];
    if (slot == 0) {
      out.specs_.push_back(std::move(spec));
      slot = static_cast<std::uint16_t>(out.specs_.size());
    }
    out.spellings_.push_back(spelling);
  }
  if (auto repeated = out.index_names(); !repeated.empty())
    return Error{Errc::invalid_input, fmt::format("{}: the name {} stands twice", file, repeated)};
  return out;
}

std::string MetricCatalogue::index_names() {
  std::size_t slots = 16;
  while (slots < spellings_.size() * 4) slots *= 2;
  name_table_.assign(slots, 0);
  for (std::uint32_t i = 0; i < spellings_.size(); ++i) {
    auto at = hash_of(spellings_[i].name) & (slots - 1);
    for (; name_table_[at] != 0; at = (at + 1) & (slots - 1))
      if (spellings_[name_table_[at] - 1].name == spellings_[i].name) return spellings_[i].name;
    name_table_[at] = i + 1;
  }
  return {};
}

const MetricCatalogue& MetricCatalogue::built_in() {
  static const MetricCatalogue catalogue = [] {
    auto parsed = parse(embedded::file("data/metrics.csv"), "data/metrics.csv");
    if (!parsed) {
      fmt::print(stderr, "{}\n", parsed.error().what);
      std::abort();  // the binary was built with a broken catalogue
    }
    return std::move(*parsed);
  }();
  return catalogue;
}

const MetricSpec* MetricCatalogue::find(MetricId id) const {
  const auto n = static_cast<std::size_t>(id);
  return n < by_id_.size() && by_id_[n] != 0 ? &specs_[by_id_[n] - 1u] : nullptr;
}

const Spelling* MetricCatalogue::spelling(std::string_view name) const {
  if (name_table_.empty()) return nullptr;
  const auto mask = name_table_.size() - 1;
  for (auto at = hash_of(name) & mask; name_table_[at] != 0; at = (at + 1) & mask)
    if (const auto& s = spellings_[name_table_[at] - 1]; s.name == name) return &s;
  return nullptr;
}

const MetricSpec* MetricCatalogue::by_name(std::string_view name) const {
  const auto* s = spelling(name);
  return s ? find(s->id) : nullptr;
}

}  // namespace ghm::telemetry
