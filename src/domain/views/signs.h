#pragma once
#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "domain/views/cause.h"
#include "domain/views/fleet_snapshot.h"

namespace ghm::views {

/// How a score fell, as its history tells.
struct Fall {
  double from = 0, to = 0;  // the highest of the time looked at, and now
  Timestamp since{};        // when it had lost half of that
};
/// Of one score of one board, within the last `within`; nullopt where it did not fall by a point, or where nobody knows.
using FallOf = std::function<std::optional<Fall>(fleet::BoardId board, telemetry::MetricId score, std::chrono::hours within)>;

/// Which boards show a sign of which cause now: by what their score lost, by an open anomaly, or because they are silent.
class Signs {
 public:
  /// A finding counts from 5 points of its dimension on, or when it is critical; an anomaly from `warning` on, one of a host for all of its
  /// boards. Boards out of service or under maintenance are left out altogether. O(boards + findings).
  explicit Signs(const FleetSnapshot& fleet);

  /// Boards that are looked at, as indices into FleetSnapshot::boards, ascending.
  const std::vector<std::size_t>& population() const { return population_; }
  bool shows(Cause cause, std::size_t board) const { return marks_[index_of(cause)][board] != 0; }
  /// When it began, as an anomaly or the ledger tells; nullopt where only a finding speaks.
  std::optional<Timestamp> since(Cause cause, std::size_t board) const;

 private:
  void mark(Cause cause, std::size_t board, std::optional<Timestamp> since = std::nullopt);
  void read_findings(std::size_t board, const health::Report& report);
  void read_anomalies(const FleetSnapshot& fleet);

  std::vector<std::size_t> population_;
  std::array<std::vector<char>, kCauses> marks_;                 // by board
  std::array<std::map<std::size_t, Timestamp>, kCauses> since_;  // by board
};

}  // namespace ghm::views
