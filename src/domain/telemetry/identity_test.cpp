#include "domain/telemetry/identity.h"

#include <gtest/gtest.h>

namespace ghm::telemetry {
namespace {

TEST(Entity, EveryKindIsWrittenAndReadBack) {
  const std::pair<Entity, const char*> cases[] = {
      {{}, "gpu"},
      {{Entity::Kind::nvlink, 4}, "nvlink4"},
      {{Entity::Kind::mig, 2}, "mig2"},
      {{Entity::Kind::nvswitch, 1}, "switch1"},
      {{Entity::Kind::switch_link, 1 * 256 + 14}, "switch1link14"},
      {{Entity::Kind::cpu, 0}, "cpu0"},
      {{Entity::Kind::cpu_core, 12}, "cpucore12"},
      {{Entity::Kind::node, 0}, "node"},
  };
  for (const auto& [entity, text] : cases) {
    EXPECT_EQ(to_string(entity), text);
    const auto back = parse_entity(text);
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(*back, entity) << text;
  }
  for (const auto* text : {"", "nvlink", "nvlinkx", "mig-1", "mig70000", "switch1link", "switch1link256", "gpu0", "cpu"})
    EXPECT_FALSE(parse_entity(text)) << text;
}

TEST(PciBusId, EverySpellingBecomesOne) {
  const std::pair<const char*, const char*> cases[] = {
      {"00000000:65:00.0", "00000000:65:00.0"},
      {"0000:65:00", "00000000:65:00.0"},
      {"PCI:0000:9b:00", "00000000:9B:00.0"},
      {"65:00.0", "00000000:65:00.0"},
      {"0001:0A:1f.7", "00000001:0A:1F.7"},
      {"", ""},
      {"65", ""},
      {"65:20.0", ""},
      {"gg:00.0", ""},
      {"00000000:65:00.8", ""},
      {"1:2:3:4", ""},
      {"00000000:165:00.0", ""},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(normalise_pci_bus_id(text), want) << text;
}

TEST(GpuUuid, HasOneShape) {
  EXPECT_TRUE(is_gpu_uuid("GPU-11111111-2222-3333-4444-55555555abCD"));
  EXPECT_TRUE(is_gpu_uuid("MIG-11111111-2222-3333-4444-555555555555"));
  for (const auto* text : {"", "GPU-", "11111111-2222-3333-4444-555555555555", "GPU-11111111-2222-3333-4444-55555555555",
                           "GPU-1111111g-2222-3333-4444-555555555555"})
    EXPECT_FALSE(is_gpu_uuid(text)) << text;
}

}  // namespace
}  // namespace ghm::telemetry
