#pragma once
#include "domain/faults/incident.h"

/// Which signs belong together. A sign joins the incident to which it is related most closely; what only seems unrelated at first
/// is brought together when enough hosts say the same (Gathering).
namespace ghm::faults {

enum class Relation : std::uint8_t { none, rack, feed, fabric, host, job, link, board };

/// How `sign` is related to an incident, as far as place, kind and time go. docs/incidents.md has the table.
Relation relation(const Sign& sign, const Incident& incident);

/// Whether `sign` is a repeat of something that was cleared: the same family on the same board, host or link, soon enough.
bool repeats(const Sign& sign, const Incident& cleared);

/// The ways in which incidents of several hosts turn out to be one: a place or code that they share, how many hosts must say so,
/// and within which time.
struct Shared {
  std::string key;  // "heat@rack r1"
  std::size_t hosts = 0;
  std::chrono::milliseconds within{};
  std::string why;  // "hosts of rack r1 got hot within an hour"
};
std::vector<Shared> shared_by(const Sign& sign);

}  // namespace ghm::faults
