#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "domain/telemetry/identity.h"

/// A repair, from the decision to the proof: it is opened by an action, expects an effect, and ends with a passed test and a watch
/// period in which the fault stayed away.
///
///   open ──▶ acting ──▶ testing ──▶ watching ──▶ closed
///              ▲  test failed │         │ the fault came back (relapsed)
///              └──────────────┴─────────┘
///
/// A case is what it was opened with and its steps; all else follows from these, so that a history replays to the same state.
namespace ghm::fleet {

using telemetry::BoardId;

enum class CaseState : std::uint8_t { open, acting, testing, watching, closed };
enum class CaseOutcome : std::uint8_t { helped, did_not_help, cannot_tell, cancelled };
std::string_view to_string(CaseState s);
std::string_view to_string(CaseOutcome o);
std::optional<CaseState> case_state_named(std::string_view word);
std::optional<CaseOutcome> case_outcome_named(std::string_view word);

/// Who speaks where no person does.
inline constexpr std::string_view kByGhm = "ghm";

struct CaseStep {
  enum class What : std::uint8_t { opened, acting, testing, test_passed, test_failed, watching, relapsed, extended, note, closed };

  Timestamp at{};
  What what{};
  CaseState from{}, to{};
  std::string note = {}, by = {};
  std::string subject = {};                 // a test's name; of ghm's own notes what they are about
  std::string installed = {};               // the serial of the board that took the other's place, where one did
  BoardId board{};                          // that board, where the ledger knows it
  std::chrono::milliseconds unwatched{};    // of `extended`: by how much the watch lasts longer
  std::optional<double> cost = {};          // what all of it has cost so far, where somebody says so
  std::optional<CaseOutcome> outcome = {};  // of `closed`
  friend bool operator==(const CaseStep&, const CaseStep&) = default;
};
std::string_view to_string(CaseStep::What what);
std::optional<CaseStep::What> case_step_named(std::string_view word);

/// What a case is opened with. Texts are empty where nobody knows.
struct CaseOpening {
  std::uint64_t id = 0;
  BoardId board{};        // none: about the host as such
  std::string gpu, host;  // serial (or UUID), ledger name
  std::string slot;       // "h1/3": host and DCGM's index, for people
  std::string pci;        // the slot's address, which stays when the driver counts anew
  std::string model;
  std::string fault;  // a family's word, "memory"; empty: any that is not a program's
  std::uint64_t incident = 0;
  std::string symptom, action;  // a sentence; a RepairAction's word
  Timestamp opened{};
  std::optional<Timestamp> due;
  std::chrono::milliseconds watch{};
  std::string opened_by;
  bool simulated = false;
  friend bool operator==(const CaseOpening&, const CaseOpening&) = default;
};

struct RepairCase : CaseOpening {
  /// Steps of a case, at most: further ones by people are refused, and what is heard closes it as cannot_tell.
  static constexpr std::size_t kMostSteps = 300;

  CaseState state{};
  std::vector<CaseStep> steps;

  // What follows from the steps.
  Timestamp changed{};
  Timestamp since{};  // in this state
  std::optional<CaseOutcome> outcome;
  std::optional<double> cost;
  std::optional<Timestamp> acted;  // the action is known to be done, since it was last gone back to
  std::optional<Timestamp> first_acted;
  bool tested = false;   // a test passed since then, and none failed behind it
  bool swapped = false;  // another board was put there since then
  BoardId subject{};     // the board that is watched now: another one once it was replaced
  std::string subject_gpu;
  int relapses = 0;                       // the fault came back while it was tested or watched
  int failed = 0;                         // times that the action did not help: relapses and failed tests
  std::chrono::milliseconds unwatched{};  // of the present watch

  /// The watch's end, while it lasts; absent in other states.
  std::optional<Timestamp> watch_until() const;
  bool is_active() const { return state != CaseState::closed; }
  /// A passed test and a full watch without the fault.
  bool is_proven(Timestamp now) const { return state == CaseState::watching && tested && now >= *watch_until(); }
  friend bool operator==(const RepairCase&, const RepairCase&) = default;
};

/// A case with its first step.
RepairCase open_case(CaseOpening opening);
/// Whether the state machine has this step: `from` is the case's state, and `what` leads from there to `to`.
bool fits(const RepairCase& c, const CaseStep& step);
/// Takes a step that fits; another one is a bug.
void take_step(RepairCase& c, CaseStep step);
/// The thing could not be watched for a while: the watch lasts as much longer. One step tells all of it until something else happens.
void lengthen_watch(RepairCase& c, Timestamp at, std::chrono::milliseconds unwatched, const std::string& why);
/// The case that these steps (the first is `opened`) lead to; nullopt where one does not fit.
std::optional<RepairCase> replay(CaseOpening opening, const std::vector<CaseStep>& steps);

/// "GPU 1650… on h1", "host h1".
std::string place_of(const RepairCase& c);
/// What the repair should bring, one sentence.
std::string expected_effect(const RepairCase& c);

/// A state that may follow, and what is missing for it; nothing missing: it may be entered now.
struct NextStep {
  CaseState to{};
  std::vector<std::string> needs;
};
std::vector<NextStep> next_steps(const RepairCase& c, Timestamp now);
/// Why it cannot be closed as helped now, one sentence; empty when it can, or is closed.
std::string why_not_proven(const RepairCase& c, Timestamp now);

}  // namespace ghm::fleet
