#include "adapters/dcgm_exporter/layout_pool.h"

#include "adapters/dcgm_exporter/byte_hash.h"
#include "adapters/dcgm_exporter/page_reader.h"

namespace ghm::dcgm_exporter {
namespace {

std::uint64_t hash_of(const telemetry::SeriesTable& table) {
  std::uint64_t h = table.labels.size();
  for (const auto& s : table.series) {
    const std::uint64_t who = static_cast<std::uint64_t>(static_cast<std::uint16_t>(s.gpu)) << 48 | static_cast<std::uint64_t>(s.metric)
                                                                                                        << 32;
    h = mix(h ^ who ^ static_cast<std::uint64_t>(s.entity.kind) << 16 ^ s.entity.number, kHashSeeds[0]);
  }
  return h;
}

std::uint64_t hash_of(const telemetry::SeriesTable* table, const std::vector<telemetry::GpuIdentity>& gpus) {
  std::uint64_t h = mix(reinterpret_cast<std::uintptr_t>(table), kHashSeeds[0]);
  for (const auto& g : gpus) h = mix(h ^ hash_bytes(g.uuid), hash_bytes(g.pci_bus_id) ^ kHashSeeds[1]);
  return h;
}

}  // namespace

std::shared_ptr<LayoutPool> make_layout_pool() {
  return std::make_shared<LayoutPool>();
}

std::shared_ptr<const telemetry::PageLayout> LayoutPool::layout(telemetry::PageLayout layout, telemetry::SeriesTable table) {
  const auto table_hash = hash_of(table);
  layout.table = tables_.share(std::move(table), table_hash);
  const auto hash = hash_of(layout.table.get(), layout.gpus);
  const auto kept = layouts_.share(Layout{std::move(layout)}, hash);
  return {kept, &kept->value};
}

std::shared_ptr<const PageShape> LayoutPool::shape(PageShape shape) {
  const auto hash = hash_bytes(shape.text) + shape.ops.size();
  return shapes_.share(std::move(shape), hash);
}

}  // namespace ghm::dcgm_exporter
