#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "domain/simulation/world.h"

/// The life of one host of a simulated archive, told before any telemetry: which boards sit in its slots, when and why they
/// fail, what shows of it, and what is done about it. Causes and signs are drawn apart: a sign may be absent, a cause silent.
namespace ghm::simulation {

/// A board's stay in a slot. What stands below the line is hidden.
struct Stay {
  int slot = 0;
  BoardIdentity id;
  std::string lot;
  double manufactured = 0, deployed = 0, retired = 0;  // Unix seconds; retired 0: still there at the end
  // ---
  double frailty = 1;
  bool bad_lot = false;
};

enum class Cause : std::uint8_t { background, history, repeat, bad_lot, bad_driver, power_sag, same_node, false_clear };
std::string_view word_of(Cause cause);

struct Failure {
  std::size_t stay = 0;               // of HostLife::stays
  std::size_t mode = 0;               // of the scenario's modes
  double detected = 0, resolved = 0;  // Unix seconds; resolved 0: not before the end
  std::string_view resolution;        // empty while not resolved
  // ---
  double at = 0;
  Cause cause{};
  Sign sign{};
  double sign_from = 0;
  bool first = true;  // on this board
};

struct LifeEvent {
  double at = 0;
  std::string_view kind;
  int stay = -1;  // -1: of the host
  std::string code, detail;
};

/// What the telemetry of a slot goes through: from <= t < until.
struct Effect {
  enum class Kind : std::uint8_t {
    sign,        // `sign` of a failure at `until`
    noise,       // corrected errors that mean nothing
    strike,      // a moment: `fault` happens
    mark_row,    // a moment: a row is remapped and nothing comes of it
    idle,        // drained
    absent,      // no board, or not on the bus, or its host is down
    unrecorded,  // the readings were lost on their way
    reboot,      // a moment: counters start again
    repair       // a moment: ... and the board works again
  } kind{};
  int slot = 0;
  double from = 0, until = 0;
  Sign sign{};
  Fault fault{};
  double strength = 1;  // of a sign, against its usual one
};

struct HostLife {
  std::size_t number = 0;
  HostPlace place;
  const Part* part = nullptr;
  std::vector<Stay> stays;        // by slot, then time
  std::vector<Failure> failures;  // in order of detection
  std::vector<Failure> to_come;   // behind the end, of boards that are there; some of their signs are in the archive
  std::vector<LifeEvent> events;  // in order of time
  std::vector<Effect> effects;    // in order of `from`
};

/// Pure in its arguments. O(boards x days). Only what lies within the world's start and end is told.
HostLife live(const World& world, std::size_t host);

/// Failures per 1000 GPU-days that board, place and age make one expect at `t`, of all modes without history or driver: what
/// an observer who knows all hidden traits but no past would say.
double known_hazard(const World& world, std::size_t host, const Stay& stay, double t);

}  // namespace ghm::simulation
