#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "domain/faults/causes.h"
#include "domain/faults/sign.h"

namespace ghm::faults {

/// open → cleared (by explicit evidence) → open again (a repeat); open → merged (it was part of an older one).
enum class State : std::uint8_t { open, cleared, merged };
std::string_view to_string(State s);

/// How far it reaches, from its parts.
enum class Scope : std::uint8_t { board, link, host, nvswitch, fabric, job, rack, feed, fleet };
std::string_view to_string(Scope s);

/// A sign as an incident keeps it.
struct SignLine {
  std::string id;
  Timestamp at{};
  EvidenceId what{};
  BoardId board{};
  std::string gpu, host, job, process, text;
  int code = 0;
  CodeKind kind{};
};

/// One step of its life.
struct Change {
  Timestamp at{};
  std::string what;  // opened updated widened cleared reopened merged feedback
  std::string why;   // one sentence
  std::string by;    // a person, empty: ghm
};

/// A board that it touches, or a host as such.
struct Part {
  BoardId board{};  // none: the host
  std::string gpu, host, rack, feed, fabric, job;
  bool several_jobs = false;
  int boards_on_host = 0;
  struct Count {
    int times = 0;  // a minute apart at least
    Timestamp last{};
    bool open = true;  // nothing explicit said yet that it is over
  };
  std::map<EvidenceId, Count> signs;
  bool is_open() const;
};

/// Many signs, one story.
struct Incident {
  static constexpr std::size_t kMostParts = 512, kFirstLines = 40, kLastLines = 24, kMostHistory = 100;

  std::uint64_t id = 0;
  State state{};
  Severity severity{};
  Timestamp opened{}, last{};  // first and newest sign
  Timestamp changed{};         // newest step of its life
  std::uint64_t merged_into = 0;
  int reopened = 0;
  std::map<EvidenceId, int> counts;  // signs of each kind
  std::vector<Part> parts;
  std::size_t more_parts = 0;   // beyond kMostParts
  std::vector<SignLine> lines;  // the first 40 and the last 24
  std::size_t more_lines = 0;   // between these
  std::vector<Change> history;  // the first 20 and the last 80
  int link = -1, nvswitch = -1;
  bool simulated = false;       // something simulated is part of it
  EvidenceSet flags;            // contexts that a sign told: new_driver, host_rebooted, no_answer_at_all, user_process
  bool escalated = false;       // a code repeated more often than its row in the catalogue allows
  std::string confirmed_cause;  // by an operator

  bool is_open() const { return state == State::open; }
  Scope scope() const;
  /// "board 1650…", "rack r1", "12 hosts": for sentences.
  std::string place() const;
  Families families() const;
  const Part* find(BoardId board, std::string_view host) const;
  std::set<std::string> hosts() const;
  void tell(Timestamp at, std::string what, std::string why, std::string by = {});
  void keep(SignLine line);
};

/// What the incident shows, as evidence for rank(). Pure. O(parts).
Facts facts_of(const Incident& incident);

}  // namespace ghm::faults
