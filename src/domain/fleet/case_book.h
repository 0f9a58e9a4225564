#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "domain/fleet/repair_action.h"
#include "domain/fleet/repair_case.h"

namespace ghm::fleet {

/// What a machine shows when somebody worked on it.
struct ActSeen {
  Timestamp at{};
  ActTrace what{};
  BoardId board{};  // none: of all of the host
  std::string host = {}, text = {};
  std::string installed = {};  // of `replaced`: the board that stands there now, if it is known
  BoardId installed_board{};
};

/// A test of a board or host that somebody else's tool told.
struct TestSeen {
  Timestamp at{};
  bool passed = false;
  BoardId board{};  // none: of all of the host
  std::string host = {}, name = {}, detail = {};
};

/// A fault was seen: the newest sign of a family on a board, or on a host as such (none).
struct FaultSeen {
  Timestamp at{};
  BoardId board{};
  std::string gpu, host, pci, family;
  std::uint64_t incident = 0;
  std::string says;  // "incident 17 was opened again"
};

/// What an operator does with a case.
struct CaseAdvance {
  CaseState to{};
  std::string note = {};
  struct Test {
    std::string name, detail;
    bool passed = false;
  };
  std::optional<Test> test = {};
  std::string replaced_by = {};
  BoardId replaced_board{};  // that board, where the ledger knows it
  std::optional<double> cost = {};
};
struct CaseClosing {
  std::optional<CaseOutcome> outcome = {};  // absent: helped, if that is proven
  std::string reason = {};
  std::optional<double> cost = {};
};

/// Why a thing cannot be seen at present: "it is silent", "it is under maintenance", "it does nothing"; empty: it works and is watched.
using Unseen = std::function<std::string(const RepairCase&)>;

struct CaseCountsNow {
  std::size_t active = 0;
  std::uint64_t opened = 0, closed = 0, relapses = 0;  // since the start
};

/// All active cases. A pure state machine: no clock, no store; one owner. Closed ones are handed out once and forgotten.
class CaseBook {
 public:
  static constexpr std::size_t kMostActive = 5'000;
  /// A shorter time without sight counts as watched: a page that failed, a pause between two jobs. Our judgement.
  static constexpr std::chrono::minutes kShortGap{15};

  /// Rebuilds the state. `gaps`: since when and why active cases cannot be watched; `looked`: the last look() that is known of.
  struct Gap {
    Timestamp since{};
    std::string why;
    friend bool operator==(const Gap&, const Gap&) = default;
  };
  void restore(std::vector<RepairCase> active, std::map<std::uint64_t, Gap> gaps, std::optional<Timestamp> looked, std::uint64_t next_id);

  /// The new case's number; `opening.id` is given here. invalid_input: no such action, or nothing to act on; conflict: a case of the
  /// same thing and fault is active, or too many are.
  Result<std::uint64_t> open(CaseOpening opening);
  /// not_found; conflict where the step is not allowed now, with what is missing; invalid_input.
  Result<void> advance(std::uint64_t id, CaseAdvance advance, const std::string& by, Timestamp now);
  Result<void> close(std::uint64_t id, CaseClosing closing, const std::string& by, Timestamp now);
  Result<void> note(std::uint64_t id, std::string note, std::optional<double> cost, const std::string& by, Timestamp now);

  void hear(const ActSeen& act);
  void hear(const TestSeen& test);
  void hear(const FaultSeen& fault);
  /// A case's incident was cleared: a note.
  void hear_cleared(std::uint64_t incident, const std::string& why, Timestamp at);
  /// Now and then: watches end or last longer.
  void look(const Unseen& unseen, Timestamp now);

  const RepairCase* find(std::uint64_t id) const;
  /// By number.
  const std::map<std::uint64_t, RepairCase>& active() const { return active_; }
  /// nullptr: it is watched, or for less than kShortGap not.
  const Gap* gap(std::uint64_t id) const;
  std::optional<Timestamp> looked() const { return looked_; }
  CaseCountsNow counts() const;

  /// What changed since the last call, each once; closed ones leave the book with it.
  std::vector<RepairCase> take_changed();

 private:
  Result<RepairCase*> active(std::uint64_t id);
  Result<void> check(const RepairCase& c, const CaseAdvance& a, Timestamp now) const;
  void step(RepairCase& c, CaseStep s);
  void note_gap(RepairCase& c, const std::string& why, Timestamp now);
  void look_at(RepairCase& c, const Unseen& unseen, Timestamp now);
  bool is_full(RepairCase& c, Timestamp at);
  void mark(std::uint64_t id);

  struct OpenGap : Gap {
    bool told = false;  // it is long enough to be kept
  };
  std::map<std::uint64_t, RepairCase> active_;
  std::map<std::uint64_t, OpenGap> gaps_;
  std::optional<Timestamp> looked_;
  std::vector<std::uint64_t> changed_;
  std::uint64_t next_id_ = 1;
  CaseCountsNow counts_;
};

}  // namespace ghm::fleet
