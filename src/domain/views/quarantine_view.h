#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/views/fleet_snapshot.h"
#include "domain/views/json_views.h"

namespace ghm::views {

/// Which of the refused values are meant. Empty fields mean all.
struct QuarantineQuery {
  std::optional<telemetry::Reason> reason = std::nullopt;
  telemetry::MetricId metric{};
  std::string source = {};
  std::string gpu = {};      // serial, UUID or the page's own name for a GPU that nobody knows
  fleet::BoardId board{};    // what `gpu` means, when the ledger knows it
  std::uint64_t before = 0;  // only older items; 0: from the newest on
  std::size_t limit = 100;
};

/// One refused value that is kept, or one kind of value that can never be believed and is only counted.
struct QuarantineItem {
  std::uint64_t id = 0;  // grows with time
  std::string source;
  fleet::BoardId board{};
  std::string gpu;  // as its page named it; empty for a host's own values
  telemetry::Entity entity;
  telemetry::MetricId metric{};
  std::string value;  // the page's text; of a counted kind, its first
  telemetry::Reason reason{};
  Timestamp first{}, last{};  // of a kept value both are its time
  std::uint64_t count = 1;
  bool replayable = false;
};

struct QuarantinePage {
  std::vector<QuarantineItem> items;  // newest first
  std::uint64_t next = 0;             // `before` of the next page; 0: there is none
  std::uint64_t kept = 0;             // values that could be replayed, of all
};

/// What a replay did. Lost: it would be believed now, but its time is beyond retention, or another value stands there.
struct ReplayReport {
  std::uint64_t replayed = 0, still_refused = 0, lost = 0;
};

/// GET quarantine: counts of refused values by source, metric and reason (largest first), and a page of samples.
Json quarantine(const FleetSnapshot& fleet, const QuarantineQuery& query, const QuarantinePage& samples);

/// `ghm quarantine list` and `replay` for a person, from the API's own JSON.
std::string quarantine_text(const Json& quarantine, std::size_t width);

}  // namespace ghm::views
