#include "adapters/dcgm_exporter/series_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "adapters/dcgm_exporter/byte_hash.h"

namespace ghm::dcgm_exporter {
namespace {

using telemetry::GpuIdentity;

// Long enough for any pause of a sender, and for an exporter that restarts; a board that was replaced must not be joined
// with its successor for ever.
constexpr auto kForgetAfter = 1h;
constexpr auto kForgetEndedAfter = 5min;
constexpr std::size_t kKeysPerRow = 8, kFewKeys = 4096;

std::uint64_t digest(const GpuIdentity& g) {
  return hash_bytes(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", g.uuid, g.serial, g.pci_bus_id, g.model, g.hostname, g.driver_version,
                                g.vbios_version, g.index));
}

std::uint64_t digest(const RowMeaning& m) {
  std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", m.spelling->name, digest(m.says), static_cast<int>(m.kind),
                                 static_cast<int>(m.entity.kind), m.entity.number, m.apart, m.pod, m.job);
  for (const auto& [name, value] : m.labels) ((text += name) += '=').append(value) += '\n';
  return hash_bytes(text);
}

// A text such as a serial number that its exporter printed as a value has become a double on its way.
std::string text_of(double value) {
  constexpr double kExact = 9007199254740992.0;
  return std::abs(value) < kExact && value == std::trunc(value) ? fmt::format("{:.0f}", value) : std::string();
}

}  // namespace

SeriesBook::SeriesBook(const telemetry::MetricCatalogue& catalogue, std::shared_ptr<LayoutPool> pool)
    : catalogue_(catalogue), pool_(std::move(pool)) {}

std::optional<std::uint32_t> SeriesBook::find(std::uint64_t key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? std::nullopt : std::optional(found->second);
}

std::uint32_t SeriesBook::add(std::uint64_t key, const ParsedPrefix& series, double value, Timestamp now) {
  auto m = describe(series, catalogue_);
  if (m.kind == RowKind::label) note_label_value(m, text_of(value));
  // Labels that mean nothing here may come and go: keys are learnt again when they are many.
  if (by_key_.size() > kKeysPerRow * rows_.size() + kFewKeys) by_key_.clear();
  const auto [known, fresh] = by_meaning_.try_emplace(digest(m), static_cast<std::uint32_t>(rows_.size()));
  by_key_[key] = known->second;
  if (!fresh) return known->second;
  Row row;
  row.kind = m.kind;
  row.entity = m.entity;
  row.metric = m.spelling->id;
  row.heard = now;
  rows_.push_back(row);
  meanings_.push_back({m.kind, m.spelling, name_number(m.says), m.of_gpu, m.event_like, std::move(m.labels), std::move(m.pod),
                       std::move(m.job), std::move(m.apart)});
  return known->second;
}

std::uint32_t SeriesBook::name_number(const GpuIdentity& says) {
  const auto [known, fresh] = by_name_.try_emplace(digest(says), static_cast<std::uint32_t>(names_.size()));
  if (fresh) names_.push_back(says);
  return known->second;
}

std::vector<RowMeaning> SeriesBook::meanings() const {
  std::vector<RowMeaning> out;
  out.reserve(rows_.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto& m = meanings_[i];
    out.push_back({m.kind, m.spelling, names_[m.says], m.of_gpu, rows_[i].entity, m.event_like, m.labels, m.pod, m.job, m.apart});
  }
  return out;
}

void SeriesBook::settle(const HelpUnits& help, Timestamp now) {
  forget(now);
  auto all = meanings();
  const auto plan = plan_columns(all, *pool_);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    rows_[i].kind = all[i].kind;
    rows_[i].column = plan.rows[i].column;
    rows_[i].gpu = plan.rows[i].gpu;
    rows_[i].conversion = conversion_of(*all[i].spelling, help);
  }
  layout_ = plan.layout;
}

void SeriesBook::forget(Timestamp now) {
  const auto is_over = [&](const Row& r) { return now - r.heard > (r.ended ? kForgetEndedAfter : kForgetAfter); };
  if (std::ranges::none_of(rows_, is_over)) return;
  std::vector<Row> rows;
  std::vector<Meaning> meanings;
  const auto names = std::exchange(names_, {});
  by_meaning_.clear();
  by_name_.clear();
  std::vector<std::optional<std::uint32_t>> number(rows_.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (is_over(rows_[i])) continue;
    number[i] = static_cast<std::uint32_t>(rows.size());
    rows.push_back(rows_[i]);
    meanings.push_back(std::move(meanings_[i]));
    meanings.back().says = name_number(names[meanings.back().says]);
  }
  rows_ = std::move(rows);
  meanings_ = std::move(meanings);
  const auto all = this->meanings();
  for (std::uint32_t i = 0; i < all.size(); ++i) by_meaning_[digest(all[i])] = i;
  std::erase_if(by_key_, [&](const auto& entry) { return !number[entry.second]; });
  for (auto& [key, row] : by_key_) row = *number[row];
}

}  // namespace ghm::dcgm_exporter
