// Any bytes as the file of snapshots taken: what was read comes back from its own text, and never allows more than eight an hour.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "apps/agent/snapshot_limits.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm::agent;
  using namespace std::chrono_literals;
  auto limits = SnapshotLimits::from_text({reinterpret_cast<const char*>(data), size}, "boot");
  const auto text = limits.to_text("boot");
  if (SnapshotLimits::from_text(text, "boot").to_text("boot") != text) std::abort();
  std::size_t taken = 0;
  for (int gpu = 0; gpu < 20; ++gpu) taken += limits.ask("GPU-" + std::to_string(gpu), "memory", 1h) == SnapshotLimits::Verdict::take;
  if (taken > SnapshotLimits::kMostPer) std::abort();
  return 0;
}
