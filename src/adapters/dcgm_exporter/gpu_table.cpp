#include "adapters/dcgm_exporter/gpu_table.h"

#include <algorithm>
#include <limits>

namespace ghm::dcgm_exporter {
namespace {

using telemetry::GpuIdentity;

// PageSeries::gpu is 16 bits wide; no exporter shows a fraction of this.
constexpr std::size_t kMostGpus = std::numeric_limits<std::int16_t>::max();

// Of two things said, the smaller text: any rule will do that does not depend on the order of rows.
void adopt(std::string& field, const std::string& said) {
  if (!said.empty() && (field.empty() || said < field)) field = said;
}

void adopt_hostname(std::string& field, const std::string& said) {
  const bool better = field == "localhost" && !said.empty();
  if (better) field = said;
  else if (said != "localhost" || field.empty()) adopt(field, said);
}

void adopt(GpuIdentity& gpu, const GpuIdentity& said) {
  adopt(gpu.uuid, said.uuid);
  adopt(gpu.serial, said.serial);
  adopt(gpu.pci_bus_id, said.pci_bus_id);
  adopt(gpu.model, said.model);
  adopt_hostname(gpu.hostname, said.hostname);
  adopt(gpu.driver_version, said.driver_version);
  adopt(gpu.vbios_version, said.vbios_version);
  if (said.index >= 0 && (gpu.index < 0 || said.index < gpu.index)) gpu.index = said.index;
}

auto order_of(const GpuIdentity& g) {
  return std::tie(g.hostname, g.pci_bus_id, g.uuid);
}

bool before(const GpuIdentity& a, const GpuIdentity& b) {
  if (a.index != b.index) return static_cast<unsigned>(a.index) < static_cast<unsigned>(b.index);  // -1 last
  return order_of(a) < order_of(b);
}

void keep_smaller(std::map<std::pair<std::string, std::string>, std::pair<std::string, std::string>>& aliases, const std::string& host,
                  const std::string& name, const std::pair<std::string, std::string>& group) {
  if (name.empty()) return;
  const auto [it, fresh] = aliases.try_emplace({host, name}, group);
  if (!fresh) it->second = std::min(it->second, group);
}

std::string index_text(int index) {
  return index < 0 ? std::string() : std::to_string(index);
}

}  // namespace

void GpuTable::add(const GpuIdentity& said) {
  const auto [it, fresh] = said_.try_emplace({said.uuid, said.pci_bus_id, said.index, said.hostname}, said);
  if (!fresh) adopt(it->second, said);
}

// A UUID is a group by itself, wherever it stands; the others are names within a host.
GpuTable::Place GpuTable::group_of(const Said& said) const {
  const auto& [uuid, pci, index, host] = said;
  if (!uuid.empty()) return {"", uuid};
  if (!pci.empty()) {
    const auto it = by_pci_.find({host, pci});
    return it != by_pci_.end() ? it->second : Place{host, pci};
  }
  const auto it = by_index_.find({host, index_text(index)});
  return it != by_index_.end() ? it->second : Place{host, index_text(index)};
}

void GpuTable::learn(const Said& said, const Place& group) {
  const auto& [uuid, pci, index, host] = said;
  keep_smaller(by_pci_, host, pci, group);
  keep_smaller(by_index_, host, index_text(index), group);
  if (host.empty()) return;
  keep_smaller(by_pci_, "", pci, group);  // rows without a host name mean this host
  keep_smaller(by_index_, "", index_text(index), group);
}

void GpuTable::join() {
  Groups groups;
  const auto hear = [&](auto&& wanted) {
    std::vector<std::pair<Said, Place>> heard;
    for (const auto& [said, id] : said_)
      if (wanted(id)) heard.push_back({said, group_of(said)});
    for (const auto& [said, group] : heard) {
      adopt(groups[group].first, said_.at(said));
      groups[group].second.push_back(said);
      learn(said, group);
    }
  };
  hear([](const GpuIdentity& id) { return !id.uuid.empty(); });
  hear([](const GpuIdentity& id) { return id.uuid.empty() && !id.pci_bus_id.empty(); });
  hear([](const GpuIdentity& id) { return id.uuid.empty() && id.pci_bus_id.empty(); });

  number(groups);
}

void GpuTable::number(const Groups& groups) {
  std::vector<const Groups::value_type*> sorted;
  for (const auto& group : groups) sorted.push_back(&group);
  std::ranges::stable_sort(sorted, before, [](const auto* g) -> const GpuIdentity& { return g->second.first; });
  if (sorted.size() > kMostGpus) sorted.resize(kMostGpus);
  for (const auto* group : sorted) {
    const auto n = static_cast<int>(gpus_.size());
    for (const auto& said : group->second.second) number_[said] = n;
    number_of_group_[group->first] = n;
    gpus_.push_back(group->second.first);
  }
}

int GpuTable::find(const GpuIdentity& said) const {
  const Said key{said.uuid, said.pci_bus_id, said.index, said.hostname};
  if (const auto it = number_.find(key); it != number_.end()) return it->second;
  const auto group = number_of_group_.find(group_of(key));
  return group == number_of_group_.end() ? -1 : group->second;
}

}  // namespace ghm::dcgm_exporter
