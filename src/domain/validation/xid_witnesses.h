#pragma once
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/time.h"
#include "domain/telemetry/identity.h"

namespace ghm::validation {

/// One Xid, two witnesses: the kernel's line, in the second it happens and with all it says; and the exporter's gauge, up to half a
/// minute later and as a bare number. The line is preferred: a gauge that says the same within a few minutes of it tells nothing,
/// and a line that comes after its gauge takes the place of the gauge's event. A pure state machine; one owner. O(log boards).
class XidWitnesses {
 public:
  /// How far the gauge may lag behind the line: an exporter's window of five minutes.
  static constexpr auto kLag = std::chrono::minutes(5);
  /// How far it may seem to be ahead: two hosts' clocks.
  static constexpr auto kAhead = std::chrono::minutes(1);

  /// Has a line told of it already, of this board and code?
  bool has_line(telemetry::BoardId board, int code, Timestamp gauge_at) const;
  /// The gauge's event was kept under `key`.
  void gauge_told(telemetry::BoardId board, int code, Timestamp at, std::string key);
  /// The kernel's line, kept as `line`. The key of the gauge's event whose place it takes, or `line` itself. The same line gets the
  /// same answer when it comes again; another one does not get that place.
  std::string line_told(telemetry::BoardId board, int code, Timestamp at, std::string_view line);

 private:
  struct Gauge {
    Timestamp at{};
    std::string key, line;  // line: which took its place; empty: none yet
  };
  struct Seen {
    Timestamp newest_line = Timestamp::min();
    std::deque<Gauge> gauges;
  };
  std::map<std::pair<telemetry::BoardId, int>, Seen> seen_;
};

}  // namespace ghm::validation
