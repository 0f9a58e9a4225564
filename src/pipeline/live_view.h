#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core/mailbox.h"
#include "pipeline/live_update.h"

namespace ghm::pipeline {

/// Keeps the fleet as people see it: takes an update a second from ingest and reports from scoring, publishes
/// immutable snapshots. apply() on one thread; the rest from any.
class LiveView {
 public:
  LiveView();

  /// The ledger at start, before any page has arrived.
  void restore(const fleet::Ledger::Kept& kept, Timestamp now);
  void apply(LiveUpdate update);
  /// Scores; they appear with the next apply().
  void set_reports(std::vector<std::pair<fleet::BoardId, std::shared_ptr<const health::Report>>> reports);

  /// Never null; one copy of a shared_ptr.
  std::shared_ptr<const views::FleetSnapshot> current() const;

 private:
  void learn(LiveUpdate& update);
  void take_reports();
  void sort_layout();
  void index_names();
  std::shared_ptr<const views::FleetSnapshot> snapshot(LiveUpdate& update);

  std::map<fleet::BoardId, views::BoardView> boards_;
  std::map<fleet::BoardId, views::HostView> hosts_;
  std::vector<fleet::BoardId> board_order_, host_order_;  // layout order; empty: to be sorted anew
  std::shared_ptr<const views::NameIndex> names_ = std::make_shared<views::NameIndex>();
  std::uint64_t generation_ = 0;

  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::pair<fleet::BoardId, std::shared_ptr<const health::Report>>> reports_;
  std::shared_ptr<const views::FleetSnapshot> current_;
};

}  // namespace ghm::pipeline
