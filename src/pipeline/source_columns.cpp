#include "pipeline/source_columns.h"

#include <algorithm>
#include <unordered_set>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::pipeline {
namespace {

namespace field = telemetry::field;
using telemetry::Entity;

constexpr std::array kLiveMetrics{field::gpu_temp, field::memory_temp, field::power_usage, field::gpu_util, field::sm_clock};

// A change of one of these is news: the board is scored at once instead of at its next turn.
constexpr std::array kWatchedMetrics{field::xid,
                                     field::ecc_dbe_volatile,
                                     field::ecc_dbe_aggregate,
                                     field::remapped_uncorrectable,
                                     field::row_remap_failure,
                                     field::row_remap_pending,
                                     field::banks_without_spares,
                                     field::clock_reasons};

bool is_board(fleet::BoardId id) {
  return id != fleet::BoardId::none;
}

telemetry::Refusal refusal(const telemetry::PageSeries& s, std::uint32_t column, telemetry::Reason reason) {
  const auto gpu = s.gpu < 0 ? std::nullopt : std::optional(static_cast<std::uint16_t>(s.gpu));
  return {gpu, s.entity, s.metric, "", reason, column};
}

}  // namespace

SourceColumns make_columns(const telemetry::PageLayout& layout, const std::vector<fleet::BoardId>& boards, fleet::BoardId host) {
  SourceColumns out;
  auto keys = std::make_shared<std::vector<store::SeriesKey>>();
  std::unordered_set<store::SeriesKey> seen;
  for (const auto b : boards) out.live.push_back({b, {kNoColumn, kNoColumn, kNoColumn, kNoColumn, kNoColumn}, kNoColumn});
  const auto& series = layout.table->series;
  for (std::uint32_t i = 0; i < series.size(); ++i) {
    const auto& s = series[i];
    if (s.event_like) continue;
    const auto owner = s.gpu < 0 ? host : boards[static_cast<std::size_t>(s.gpu)];
    if (!is_board(owner)) {
      out.refused.push_back(refusal(s, i, telemetry::Reason::unknown_identity));
      continue;
    }
    if (!seen.insert({owner, s.entity, s.metric}).second) {
      out.refused.push_back(refusal(s, i, telemetry::Reason::duplicate));
      continue;
    }
    keys->push_back({owner, s.entity, s.metric});
    out.from.push_back(i);
    if (s.gpu < 0 || s.entity.kind != Entity::Kind::gpu) continue;
    if (const auto it = std::ranges::find(kLiveMetrics, s.metric); it != kLiveMetrics.end())
      out.live[static_cast<std::size_t>(s.gpu)].column[static_cast<std::size_t>(it - kLiveMetrics.begin())] = static_cast<std::int32_t>(i);
    if (s.metric == field::total_energy) out.live[static_cast<std::size_t>(s.gpu)].energy = static_cast<std::int32_t>(i);
    if (std::ranges::find(kWatchedMetrics, s.metric) != kWatchedMetrics.end()) out.watched.push_back({owner, i, s.metric});
  }
  out.all_stored = out.from.size() == series.size();
  out.stored = std::move(keys);
  return out;
}

}  // namespace ghm::pipeline
