#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "domain/faults/heard.h"
#include "domain/fleet/intervals.h"
#include "domain/fleet/maintenance.h"
#include "domain/views/json_views.h"

/// What happened to a GPU, a host or a job, and why: one line of time over board, host, switch and job, with the incidents that touch
/// it, what is ruled out, what to do next, and what nobody could see. Pure: the facts are gathered by services/why.h.
namespace ghm::views {

enum class AboutKind : std::uint8_t { gpu, host, job };

/// What is asked.
struct About {
  AboutKind what{};
  std::string gpu, host, job;  // of a GPU also the host on which it stands; else only what is asked about
  Timestamp at{};              // the moment in question
  TimeRange range{};           // what is looked at; range.to is a little behind `at`
  bool as_then = false;        // as it was known at range.to: nothing later counts
};

struct CausalBoard {
  fleet::BoardId id{};
  std::string gpu, host, rack, driver;
  Timestamp first_seen{};
};

/// A job or pod as far as the ledger saw it: which boards it held, and from when to when.
struct CausalJob {
  std::string job, user;
  std::set<fleet::BoardId> boards;
  std::set<std::string> hosts;
  Timestamp from{};
  std::optional<Timestamp> to;  // absent: it still runs
};

struct ScoreFall {
  Timestamp at{};
  fleet::BoardId board{};
  double from = 0, to = 0;
};

struct CausalFacts {
  About about;
  Timestamp as_of{};
  std::vector<CausalBoard> boards;            // that it is about
  std::set<std::string> hosts;                // of these
  std::vector<faults::Heard> events;          // of the boards, and of the hosts themselves
  std::map<std::string, std::string> gpu_of;  // by an event's id: the name of a board that `boards` does not have
  std::vector<Json> incidents;                // bodies of their records, as known then (About::as_then)
  std::vector<CausalJob> jobs;                // that ran on the boards, without the job asked about
  std::optional<CausalJob> job;               // the one asked about
  std::vector<ScoreFall> falls;
  std::vector<fleet::Maintenance> maintenance;  // windows that cover a board or host of these
  std::set<std::string> agents;                 // hosts with one
  bool jobs_known = false;                      // somebody has ever named a job or pod on these boards
  std::size_t events_left = 0;                  // more than these were there, and were not read
};

/// GET why, without took_ms. O(events log events).
Json causal_answer(const CausalFacts& facts);
/// For a terminal.
std::string causal_text(const Json& answer, std::size_t width);

/// One moment of the line of time, as it becomes JSON.
struct Moment {
  Timestamp at{};
  std::string lane, what, kind, severity = "info", detail, gpu, host, job;
  int code = 0;
  std::string incident;  // its number
  std::string id;        // of the event, to find the first sign by
  bool first = false;
  int weight = 0;  // what goes first when there are too many: the least
};

/// An incident with what a line of time needs of it.
struct CausalIncident {
  const Json* body = nullptr;  // of CausalFacts::incidents
  double matter = 0;           // the more the earlier it stands
  bool direct = false;
  Timestamp begins{}, last{}, first_sign{};  // of its newest episode; first_sign: of what it is about where it has one there
  std::string first_event;                   // the event that told that sign
};

/// The incidents that touch what is asked about, the ones that matter most first, and the moments. causal_line.cpp
std::vector<CausalIncident> causal_incidents(const CausalFacts& facts);
/// Oldest first, bounded; how many were left out.
std::vector<Moment> causal_moments(const CausalFacts& facts, const std::vector<CausalIncident>& incidents, std::size_t& left_out);

}  // namespace ghm::views
