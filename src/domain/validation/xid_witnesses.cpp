#include "domain/validation/xid_witnesses.h"

#include <algorithm>

namespace ghm::validation {
namespace {

constexpr std::size_t kMostGauges = 16;  // of a board and code, whose lines may still be in a spool

bool are_one(Timestamp line, Timestamp gauge) {
  return gauge >= line - XidWitnesses::kAhead && gauge <= line + XidWitnesses::kLag;
}

}  // namespace

bool XidWitnesses::has_line(telemetry::BoardId board, int code, Timestamp gauge_at) const {
  const auto seen = seen_.find({board, code});
  return seen != seen_.end() && seen->second.newest_line != Timestamp::min() && are_one(seen->second.newest_line, gauge_at);
}

void XidWitnesses::gauge_told(telemetry::BoardId board, int code, Timestamp at, std::string key) {
  auto& gauges = seen_[{board, code}].gauges;
  if (gauges.size() >= kMostGauges) gauges.pop_front();
  gauges.push_back({at, std::move(key), {}});
}

std::string XidWitnesses::line_told(telemetry::BoardId board, int code, Timestamp at, std::string_view line) {
  auto& seen = seen_[{board, code}];
  seen.newest_line = std::max(seen.newest_line, at);
  const auto mine = std::ranges::find_if(seen.gauges, [&](const Gauge& g) { return g.line == line; });
  if (mine != seen.gauges.end()) return mine->key;
  const auto free = std::ranges::find_if(seen.gauges, [&](const Gauge& g) { return g.line.empty() && are_one(at, g.at); });
  if (free == seen.gauges.end()) return std::string(line);
  free->line = line;
  return free->key;
}

}  // namespace ghm::validation
