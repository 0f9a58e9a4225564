#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace ghm::archive {

/// manifest.json: what the archive is.
struct Manifest {
  Timestamp start{}, end{};
  std::chrono::milliseconds interval{};  // 0: no telemetry
  std::string name, generator, timezone, notes;
  bool simulated = false;
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

/// `file` names it in errors. Times as RFC 3339 or Unix seconds, as text or number.
Result<Manifest> parse_manifest(std::string_view json, std::string_view file);
std::string format_manifest(const Manifest& manifest);

}  // namespace ghm::archive
