#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/log.h"
#include "domain/fleet/case_book.h"
#include "domain/fleet/case_statistics.h"
#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"
#include "domain/views/fleet_snapshot.h"
#include "services/incidents.h"

namespace ghm::services {

/// What a request asks a case to be opened about. With an incident, what is not said here comes from it.
struct CaseToOpen {
  fleet::BoardId board{};  // none: about the host, or of the incident
  std::string host = {}, action = {}, fault = {}, symptom = {}, note = {};
  std::uint64_t incident = 0;  // 0: none
  std::optional<Timestamp> due = {};
  std::chrono::days watch{};  // 0: by the action
};

/// What others may know of cases at any moment, immutable.
struct CasesNow {
  fleet::CaseTallies tallies;
  struct Active {
    std::uint64_t id = 0;
    fleet::CaseState state{};
  };
  std::unordered_map<fleet::BoardId, Active> of_boards;  // the newest of each
  std::unordered_map<std::string, Active> of_hosts;      // about a host as such
};

struct CaseStats {
  fleet::CaseCountsNow book;
  std::uint64_t unreadable = 0;  // records of an earlier run that were left out
};

/// Repair cases hear what passes by on its way to the store: resets, boots, replaced boards, tests, and the signs of incidents. What
/// that changes is appended to the same transaction. The ingest thread's alone, but for now().
class Cases {
 public:
  Cases(const fleet::Ledger& ledger, const Incidents& incidents, Log log);

  /// Cases of an earlier run. A record that cannot be read is counted and left out.
  Result<void> restore(const store::RecordStore& records);

  /// Behind Incidents::take(): reads events and changed incidents among `records`, and appends the cases that they changed. Records that
  /// come again change nothing. ~0 where no case is active.
  void take(std::vector<store::Record>& records);

  /// Now and then, with the fleet as it is seen: watches go on, last longer, or end. What changed, to be kept.
  std::vector<store::Record> tick(const views::FleetSnapshot& fleet, Timestamp now);

  /// An operator's word. What changed, to be kept; errors as CaseBook's.
  using Changed = Result<std::vector<store::Record>>;
  struct Opened {
    std::uint64_t id = 0;
    std::vector<store::Record> records;
  };
  Result<Opened> open(const CaseToOpen& wanted, const std::string& by, Timestamp now);
  Changed advance(std::uint64_t id, fleet::CaseAdvance advance, const std::string& by, Timestamp now);
  Changed close(std::uint64_t id, fleet::CaseClosing closing, const std::string& by, Timestamp now);
  Changed note(std::uint64_t id, std::string note, std::optional<double> cost, const std::string& by, Timestamp now);

  const fleet::CaseBook& book() const { return book_; }
  CaseStats stats() const;
  /// Any thread; never null.
  std::shared_ptr<const CasesNow> now() const;

 private:
  Result<fleet::CaseOpening> opening_of(const CaseToOpen& wanted) const;
  Result<void> fill_from_incident(const CaseToOpen& wanted, fleet::CaseOpening& o) const;
  void fill_place(fleet::CaseOpening& o) const;
  void hear_event(const store::Record& record);
  void hear_incident(const faults::Incident& incident);
  void hear_replaced(fleet::ActSeen act);
  std::vector<store::Record> take_changed();
  void publish();

  const fleet::Ledger& ledger_;
  const Incidents& incidents_;
  Log log_;
  fleet::CaseBook book_;
  fleet::CaseTallies closed_;
  Timestamp next_look_{}, next_told_{};  // of tick(), of the record that says when
  std::uint64_t unreadable_ = 0;

  mutable std::mutex mutex_;  // guards now_
  std::shared_ptr<const CasesNow> now_ = std::make_shared<CasesNow>();
};

}  // namespace ghm::services
