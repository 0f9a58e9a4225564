#include "apps/agent/round_maker.h"

#include <algorithm>
#include <map>
#include <span>
#include <tuple>

namespace ghm::agent {
namespace {

using telemetry::GpuIdentity;

bool same_gpu(const GpuIdentity& a, const GpuIdentity& b) {
  if (!a.uuid.empty() && !b.uuid.empty()) return a.uuid == b.uuid;
  if (!a.pci_bus_id.empty() && !b.pci_bus_id.empty()) return a.pci_bus_id == b.pci_bus_id;
  return !a.serial.empty() && a.serial == b.serial;
}

void fill(std::string& known, const std::string& said) {
  if (known.empty()) known = said;
}

void fill(GpuIdentity& known, const GpuIdentity& said) {
  fill(known.uuid, said.uuid);
  fill(known.serial, said.serial);
  fill(known.pci_bus_id, telemetry::normalise_pci_bus_id(said.pci_bus_id));
  fill(known.model, said.model);
  fill(known.hostname, said.hostname);
  fill(known.driver_version, said.driver_version);
  fill(known.vbios_version, said.vbios_version);
  if (known.index < 0) known.index = said.index;
}

/// The place of a GPU among `gpus`, where it is put when it is not there.
std::int16_t place_of(std::vector<GpuIdentity>& gpus, const GpuIdentity& gpu) {
  const auto known = std::ranges::find_if(gpus, [&](const GpuIdentity& g) { return same_gpu(g, gpu); });
  if (known != gpus.end()) {
    fill(*known, gpu);
    return static_cast<std::int16_t>(known - gpus.begin());
  }
  gpus.push_back(gpu);
  return static_cast<std::int16_t>(gpus.size() - 1);
}

std::vector<GpuIdentity> facts_of(const std::vector<transport::SourceRound>& said) {
  std::vector<GpuIdentity> all;
  for (const auto& s : said) all.insert(all.end(), s.gpus.begin(), s.gpus.end());
  return all;
}

bool says(const std::vector<transport::SourceRound>& said, std::span<const GpuIdentity> facts) {
  for (const auto& s : said) {
    if (facts.size() < s.gpus.size() || !std::ranges::equal(s.gpus, facts.first(s.gpus.size()))) return false;
    facts = facts.subspan(s.gpus.size());
  }
  return facts.empty();
}

}  // namespace

bool RoundMaker::is_known(const std::vector<transport::SourceRound>& said) const {
  std::size_t n = 0;
  for (const auto& s : said) {
    if (!s.readings) continue;
    if (n == inputs_.size() || inputs_[n].layout != s.readings->layout) return false;
    ++n;
  }
  return joined_ && n == inputs_.size() && says(said, facts_);
}

void RoundMaker::join(const std::vector<transport::SourceRound>& said) {
  telemetry::SeriesTable table;
  auto out = std::make_shared<telemetry::PageLayout>();
  std::map<std::tuple<std::int16_t, telemetry::Entity, telemetry::MetricId>, bool> taken;
  inputs_.clear();
  for (const auto& s : said) {
    if (!s.readings) continue;
    const auto& layout = *s.readings->layout;
    Input input{s.readings->layout, {}, {}};
    for (const auto& gpu : layout.gpus) input.gpu.push_back(place_of(out->gpus, gpu));
    out->work.resize(out->gpus.size());
    for (std::size_t g = 0; g < layout.work.size(); ++g) {
      auto& work = out->work[static_cast<std::size_t>(input.gpu[g])];
      if (work == telemetry::Workload{}) work = layout.work[g];
    }
    const auto first_of_input = table.series.size();
    for (std::uint32_t i = 0; i < layout.table->series.size(); ++i) {
      auto series = layout.table->series[i];
      if (series.gpu >= 0) series.gpu = input.gpu[static_cast<std::size_t>(series.gpu)];
      const auto key = std::tuple(series.gpu, series.entity, series.metric);
      // Columns of one source that differ by labels alone are all its own.
      const bool others = first_of_input > 0 && taken.contains(key);
      input.column.push_back(others ? -1 : static_cast<std::int32_t>(table.series.size()));
      if (others) continue;
      if (const auto labels = layout.table->labels.find(i); labels != layout.table->labels.end())
        table.labels[static_cast<std::uint32_t>(table.series.size())] = labels->second;
      table.series.push_back(series);
    }
    for (std::size_t i = first_of_input; i < table.series.size(); ++i)
      taken[{table.series[i].gpu, table.series[i].entity, table.series[i].metric}] = true;
    inputs_.push_back(std::move(input));
  }
  facts_ = facts_of(said);
  for (const auto& fact : facts_)
    for (auto& gpu : out->gpus)
      if (same_gpu(gpu, fact)) fill(gpu, fact);
  if (std::ranges::all_of(out->work, [](const auto& w) { return w == telemetry::Workload{}; })) out->work.clear();
  out->table = std::make_shared<const telemetry::SeriesTable>(std::move(table));
  joined_ = inputs_.empty() ? nullptr : std::move(out);
}

telemetry::PageReading RoundMaker::readings(std::vector<transport::SourceRound>& said) const {
  telemetry::PageReading out;
  out.layout = joined_;
  if (!joined_) return out;
  out.values.assign(joined_->table->series.size(), telemetry::absent());
  auto input = inputs_.begin();
  for (auto& s : said) {
    if (!s.readings) continue;
    for (std::size_t i = 0; i < s.readings->values.size(); ++i)
      if (input->column[i] >= 0) out.values[static_cast<std::size_t>(input->column[i])] = s.readings->values[i];
    for (auto& r : s.readings->refused) {
      if (r.column && input->column[*r.column] < 0) continue;
      if (r.column) r.column = static_cast<std::uint32_t>(input->column[*r.column]);
      if (r.gpu) r.gpu = static_cast<std::uint16_t>(input->gpu[*r.gpu]);
      out.refused.push_back(std::move(r));
    }
    for (const auto& [column, at] : s.readings->stamps)
      if (input->column[column] >= 0) out.stamps[static_cast<std::uint32_t>(input->column[column])] = at;
    out.unknown_lines += s.readings->unknown_lines;
    out.repeated_lines += s.readings->repeated_lines;
    ++input;
  }
  return out;
}

transport::HostRound RoundMaker::make(std::vector<transport::SourceRound> said, Timestamp at) {
  transport::HostRound out;
  out.at = at;
  if (!is_known(said)) join(said);
  out.readings = readings(said);
  jobs_.resize(std::max(jobs_.size(), said.size()));
  for (std::size_t n = 0; n < said.size(); ++n) {
    auto& s = said[n];
    std::ranges::move(s.events, std::back_inserter(out.events));
    if (s.jobs) jobs_[n] = std::move(*s.jobs);
    for (const auto& [name, fact] : s.host) host_[name] = fact;
    if (out.simulated.empty()) out.simulated = s.simulated;
    if (out.trouble.empty() && !out.readings.layout) out.trouble = s.trouble;
  }
  for (const auto& jobs : jobs_) out.jobs.insert(out.jobs.end(), jobs.begin(), jobs.end());
  std::ranges::sort(out.jobs);
  out.host = host_;
  return out;
}

}  // namespace ghm::agent
