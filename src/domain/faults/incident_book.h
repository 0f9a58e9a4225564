#pragma once
#include <deque>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "domain/faults/incident.h"
#include "domain/faults/links.h"

namespace ghm::faults {

struct Feedback {
  Timestamp at{};
  std::uint64_t incident = 0;
  EvidenceId leading{};  // of the incident when it was given
  std::string cause;
  bool right = false;
  std::string by, note;
};

struct BookLimits {
  std::size_t most_open = 20'000, most_cleared = 5'000;
  std::chrono::milliseconds remember_cleared = std::chrono::days(30);
};

struct BookCounts {
  std::size_t open = 0, cleared = 0;
  std::uint64_t signs = 0, opened = 0, merged = 0;
  std::uint64_t not_opened = 0;  // the book was full: the sign stays an event
};

/// All incidents of a fleet. A pure state machine: no clock, no store; one owner. A sign costs a few index look-ups and a look
/// at the incidents near by; memory is bounded by BookLimits (about 2 kB per incident).
class IncidentBook {
 public:
  explicit IncidentBook(const CauseTable& causes = CauseTable::built_in(), const FaultCatalogue& codes = FaultCatalogue::built_in(),
                        BookLimits limits = {})
      : causes_(causes), codes_(codes), limits_(limits) {}

  /// Rebuilds the state, before the first sign. Incidents in any order; those that forget() would drop at once may be missing.
  /// `last_id`: the highest number that was ever given.
  void restore(std::vector<Incident> incidents, std::span<const Feedback> feedback, std::uint64_t last_id = 0);

  /// The incident that it belongs to, opened, updated or opened again by it; 0 when the book is full. Signs may come late and
  /// out of order.
  std::uint64_t observe(const Sign& sign);
  void end(const EndingSeen& ending);

  /// An operator's word: it is over. not_found, or conflict when it is not open.
  Result<void> clear(std::uint64_t id, std::string by, std::string why, Timestamp now);
  /// An operator's word on a cause. not_found for an incident or cause that is not known.
  Result<Feedback> feedback(std::uint64_t id, std::string_view cause, bool right, std::string by, std::string note, Timestamp now);

  const Incident* find(std::uint64_t id) const;
  /// Open ones first, the newest first among these; merged ones are left out.
  std::vector<const Incident*> all() const;
  Ranking ranking(const Incident& incident) const { return rank(causes_, facts_of(incident), experience_); }
  const CauseTable& causes() const { return causes_; }

  /// What changed since the last call, to be persisted, each once, ascending.
  std::vector<const Incident*> take_changed();
  /// Forgets cleared ones that are too old or too many. Call it now and then.
  void forget(Timestamp now);
  const BookCounts& counts() const { return counts_; }

 private:
  using Ids = std::vector<std::uint64_t>;
  struct Seen {
    std::uint64_t incident;
    std::string host;
    Timestamp at;
  };
  struct Gathering {
    std::deque<Seen> seen;
    std::uint64_t burst = 0;  // enough hosts have said it: the incident that takes in the rest
  };

  Incident* related(const Sign& sign);
  Incident* repeated(const Sign& sign);
  std::uint64_t open(const Sign& sign);
  void add(Incident& incident, const Sign& sign);
  Part& part_of(Incident& incident, const Sign& sign);
  void tell_better(Incident& incident, SignLine& line, const Sign& sign);
  void note_contexts(Incident& incident, const Sign& sign);
  void note_escalation(Incident& incident, const Sign& sign);
  std::uint64_t gather(const Sign& sign, std::uint64_t id);
  void gather_again(const Incident& incident);
  void merge(Incident& into, Incident& from, const std::string& why, Timestamp at);
  void close(Incident& incident, Timestamp at, std::string why, std::string by);
  void index(const Incident& incident);
  void index(const Part& part, std::uint64_t id);
  void unindex(const Incident& incident);
  Ids near(const Sign& sign) const;
  void mark(std::uint64_t id);

  const CauseTable& causes_;
  const FaultCatalogue& codes_;
  BookLimits limits_;
  std::map<std::uint64_t, Incident> incidents_;
  std::unordered_map<std::string, Ids> by_place_;  // "b<board>", "h<host>", "j<job>", "f<feed>", "r<rack>", "d<NVLink domain>"
  std::unordered_map<std::string, Gathering> gatherings_;
  Experience experience_;
  std::vector<std::uint64_t> changed_;
  std::uint64_t next_id_ = 1;
  BookCounts counts_;
};

}  // namespace ghm::faults
