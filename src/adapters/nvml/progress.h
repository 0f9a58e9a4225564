#pragma once
#include <atomic>
#include <cstdint>

#include "adapters/nvml/nvml_library.h"

namespace ghm::nvml {

/// In memory that the child and the agent share: what the child is doing, so that a child that hangs tells where. The child
/// writes before each call; the agent reads. Lock-free, two cache lines of truth at most one call old.
struct Progress {
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint32_t> call{static_cast<std::uint32_t>(Call::count_)};
  std::atomic<std::int32_t> gpu{-1};

  void begin(Call next, int on_gpu) {
    call.store(static_cast<std::uint32_t>(next), std::memory_order_relaxed);
    gpu.store(on_gpu, std::memory_order_relaxed);
    calls.fetch_add(1, std::memory_order_release);
  }
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace ghm::nvml
