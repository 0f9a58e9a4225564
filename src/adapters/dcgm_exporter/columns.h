#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "adapters/dcgm_exporter/conversion.h"
#include "adapters/dcgm_exporter/gpu_table.h"
#include "adapters/dcgm_exporter/layout_pool.h"
#include "adapters/dcgm_exporter/row_meaning.h"

namespace ghm::dcgm_exporter {

/// What the rest of a page needs to know of a row once the layout stands.
struct RowPlan {
  std::int32_t column = -1;  // readings only
  std::int16_t gpu = -1;     // index into PageLayout::gpus, for refusals too
};
struct ColumnPlan {
  std::shared_ptr<const telemetry::PageLayout> layout;
  std::vector<RowPlan> rows;  // parallel to the rows given
};

/// Gives every reading its column. The order of columns is canonical (GPU, entity, metric, labels), so the random order
/// of an exporter's groups leaves the layout as it is. A reading of a GPU beyond GpuTable's limit becomes `nobody`.
ColumnPlan plan_columns(std::vector<RowMeaning>& rows, LayoutPool& pool);

/// What a HELP text says of a utilisation's unit. It is read only for names that do not tell.
enum class HelpUnit : std::uint8_t { unsaid, percent, ratio };
HelpUnit unit_of_help(std::string_view text);
using HelpUnits = std::map<const telemetry::Spelling*, HelpUnit>;
/// Of several HELP lines of one family the first counts. Comments of other kinds, and names that tell, are passed over.
void note_help(HelpUnits& units, std::string_view comment, const telemetry::MetricCatalogue& catalogue);

/// The conversion of a name, or nullopt when neither name nor HELP tells the unit: by the value's size nobody should guess.
std::optional<Conversion> conversion_of(const telemetry::Spelling& spelling, const HelpUnits& help);

/// Page texts are kept for people to judge, not to fill memory with.
inline constexpr std::size_t kLongestRefusedText = 200;
inline constexpr std::size_t kMostRefusals = 100'000;

/// Appends a refusal, or counts the line as unknown when the page has an absurd number of them (it is no exporter's page).
void refuse(telemetry::PageReading& out, const RowPlan& where, telemetry::Entity entity, telemetry::MetricId metric, std::string_view text,
            telemetry::Reason reason);

}  // namespace ghm::dcgm_exporter
