#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "core/result.h"
#include "domain/simulation/world.h"

/// A fleet archive that never was: a simulated fleet's life and telemetry as plain files, with its hidden truth apart from it.
namespace ghm::pipeline {

struct SimulationOptions {
  std::filesystem::path folder;  // made new
  std::filesystem::path truth;   // empty: none is written
  simulation::ArchivePlan plan;
  std::chrono::seconds interval{60};
  bool zstd = true;
  unsigned threads = 0;  // 0: one per core. The bytes are the same with any number
};

struct SimulationReport {
  std::uint64_t gpus = 0, stays = 0, events = 0, failures = 0, failures_with_sign = 0;
  std::uint64_t rows = 0, missing = 0;  // of telemetry; missing: lost on their way while the board was there
};

/// Same options, same bytes. progress: (done, of) in steps of time. conflict: a folder that is there and not empty. unavailable: a
/// file cannot be written. Memory: some 100 MB for text, 20 kB per GPU.
Result<SimulationReport> simulate_archive(
    const SimulationOptions& options, const std::function<void(std::size_t, std::size_t)>& progress = [](std::size_t, std::size_t) {});

}  // namespace ghm::pipeline
