#include "adapters/archive/telemetry_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "adapters/archive/rows.h"
#include "adapters/archive/text_cell.h"
#include "core/decimal.h"
#include "domain/telemetry/page.h"

namespace ghm::archive {
namespace {

using telemetry::Entity;

bool is_of_gpu(Entity::Kind kind) {
  return kind == Entity::Kind::gpu || kind == Entity::Kind::nvlink || kind == Entity::Kind::mig;
}

// The n of NAME_Ln and NAME_Ln_TX_BYTES: before DCGM had link entities, each link was a field of its own.
std::optional<std::uint16_t> link_in_name(std::string_view name) {
  const auto at = name.rfind("_L");
  if (at == name.npos) return std::nullopt;
  const auto digits = name.substr(at + 2, name.find('_', at + 2) - (at + 2));
  std::uint16_t n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return n;
}

// Whose value it is where nothing stands behind the name.
Entity own_entity(const telemetry::MetricSpec& spec, std::string_view printed_name) {
  if (spec.entity == Entity::Kind::nvlink)
    if (const auto link = link_in_name(printed_name)) return {Entity::Kind::nvlink, *link};
  return {};
}

/// The column's meaning, or why it is kept out.
struct Meaning {
  std::optional<TelemetryColumn> column;
  const char* why = nullptr;
};

Meaning meaning_of(const std::string& name, const telemetry::MetricCatalogue& catalogue) {
  const auto at = name.find('@');
  const auto* spelling = catalogue.spelling(std::string_view(name).substr(0, at));
  if (spelling == nullptr) return {{}, "no DCGM exporter has that name"};
  const auto& spec = *catalogue.find(spelling->id);
  if (spec.kind == telemetry::MetricKind::label) return {{}, "its values are texts"};
  if (spec.event_like) return {{}, "its labels are lost in a table: events.csv is the place for it"};
  if (spelling->unit_from_help) return {{}, "its name does not tell percent from ratio: use the field's other name"};
  if (spec.entity == Entity::Kind::node) return {{}, "it describes the host, not the GPU"};
  TelemetryColumn column{0, own_entity(spec, spelling->name), spec.id, {spelling->multiply, spelling->divide}};
  if (at == std::string::npos) return {column, nullptr};
  const auto entity = telemetry::parse_entity(std::string_view(name).substr(at + 1));
  if (!entity) return {{}, "what stands behind the @ is no part of a GPU: expected nvlink4 or mig2"};
  if (!is_of_gpu(entity->kind)) return {{}, "it describes the host, not the GPU"};
  column.entity = *entity;
  return {column, nullptr};
}

}  // namespace

Result<TelemetryReader> TelemetryReader::open(std::string file, std::unique_ptr<ByteStream> in, const telemetry::MetricCatalogue& catalogue,
                                              std::vector<std::string>& warnings) {
  auto table = Table::open(std::move(file), std::move(in));
  if (!table) return table.error();
  TelemetryReader reader(std::move(*table));
  constexpr WantedColumn kWanted[] = {{"time", true}, {"gpu_uuid", true}};
  const auto other = [&](std::size_t cell, const std::string& name) {
    auto [column, why] = meaning_of(name, catalogue);
    const auto same = [&](const TelemetryColumn& c) { return column && c.metric == column->metric && c.entity == column->entity; };
    if (column && std::ranges::any_of(reader.columns_, same)) why = "an earlier column is the same under another name";
    if (why != nullptr) return warnings.push_back(kept_out(reader.file(), name, why));
    column->cell = cell;
    reader.columns_.push_back(*column);
  };
  const auto places = find_columns(reader.file(), reader.table_.header(), kWanted, warnings, other);
  if (!places) return places.error();
  reader.time_cell_ = static_cast<std::size_t>((*places)[0]);
  reader.uuid_cell_ = static_cast<std::size_t>((*places)[1]);
  reader.values_.resize(reader.columns_.size());
  return reader;
}

Result<void> TelemetryReader::skip(CsvReader::Place to) {
  const auto reached = table_.skip(to);
  if (!reached) return reached.error();
  if (*reached) return {};
  return Error{Errc::corrupt, fmt::format("{}: is shorter than when its import began: bring the table back as it was", file())};
}

std::string_view TelemetryReader::gpu_uuid() const {
  return plain_text(table_.cell(uuid_cell_));
}

bool TelemetryReader::take_time(std::string_view cell) {
  if (cell == time_text_) return true;
  const auto t = read_time(cell);
  if (!t) return false;
  time_text_ = cell;
  at_ = *t;
  return true;
}

Result<bool> TelemetryReader::next(Refusals& refusals) {
  for (;;) {
    const auto more = table_.next(refusals);
    if (!more || !*more) return more;
    if (const auto cell = table_.cell(time_cell_); !take_time(cell)) {
      refusals.add("bad_time", file(), line(), fmt::format("time '{}'", cell.substr(0, 60)));
      continue;
    }
    take_values(refusals);
    return true;
  }
}

void TelemetryReader::take_values(Refusals& refusals) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto cell = table_.cell(columns_[i].cell);
    double& value = values_[i];
    if (cell.empty()) {
      value = telemetry::absent();
      continue;
    }
    if (const char* const end = cell.data() + cell.size(); read_plain_decimal(cell.data(), end, value) != end) {
      const auto number = parse_float(cell);
      if (!number)
        refusals.add("unparsable", file(), line(),
                     fmt::format("{} '{}' is no number", table_.header()[columns_[i].cell], cell.substr(0, 60)));
      value = number.value_or(telemetry::absent());
      if (!number) continue;
    }
    if (!columns_[i].to_canonical.changes_nothing()) value = columns_[i].to_canonical(value);
  }
}

std::string column_name(const telemetry::MetricSpec& spec, telemetry::Entity entity) {
  if (entity == own_entity(spec, spec.name)) return spec.name;
  return spec.name + "@" + telemetry::to_string(entity);
}

}  // namespace ghm::archive
