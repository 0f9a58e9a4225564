#pragma once
#include <filesystem>
#include <functional>
#include <vector>

#include "core/result.h"
#include "domain/simulation/host_telemetry.h"

namespace ghm::pipeline {

struct TelemetryPlan {
  std::filesystem::path folder;                    // of the day files; is there
  std::int64_t start = 0, end = 0, interval = 60;  // seconds
  bool zstd = true;
  unsigned threads = 1;
};

struct TelemetryReport {
  std::uint64_t rows = 0, expected = 0, missing = 0;
};

/// One file per UTC day, rows in order of time, then host and slot. Hosts are stepped side by side over a window of time while the
/// window before is packed and written; each host's numbers come from streams of its own, so threads change no byte.
Result<TelemetryReport> write_telemetry(const TelemetryPlan& plan, std::vector<simulation::HostTelemetry>& hosts,
                                        const std::function<void(std::size_t, std::size_t)>& progress);

}  // namespace ghm::pipeline
