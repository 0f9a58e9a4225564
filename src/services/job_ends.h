#pragma once
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "domain/faults/sign.h"

namespace ghm::services {

/// A job that ended together with a fault on one of its boards.
struct FaultyEnd {
  std::string job;
  Timestamp at{};          // when the last of its boards let go of it
  faults::Sign sign;       // what was heard before
  std::size_t boards = 0;  // that it held, the faulty ones included
  std::size_t silent = 0;  // of these could not say whether it still runs
  std::string sentence() const;
};

/// Finds jobs that ended together with a fault. Nobody tells how a job ends: not the labels of an exporter's page, not the processes of
/// a Slurm job, not the kubelet's list of pods. What can be seen is that it is no longer there. So it is said only where both hold:
/// all boards that can still speak let go of the job within a minute, and a sign of at least `error` was heard from one of its boards,
/// or from the host under one, not more than five minutes before (nor a minute after: kernel lines come late). Then the event is
/// "job_ended_with_fault", never "failed": a scheduler may have ended it in the same minutes. A job whose hosts all died says nothing:
/// it is not seen to end. Programs that wait longer for a lost peer (NCCL waits ten minutes by default) are not told as such either.
/// Pure; memory: a line per board of a running job, signs and ends of ten minutes. A sign costs a look at the jobs of its board, an end a
/// look at the boards of its job.
class JobEnds {
 public:
  static constexpr auto kWithin = std::chrono::minutes(1), kAfterSign = std::chrono::minutes(5), kLateSign = std::chrono::minutes(1);

  /// From now on exactly these run on the board; the ones that it had before and has no longer ended at `at`.
  void runs(faults::BoardId board, const std::string& host, std::set<std::string> jobs, Timestamp at);
  void hear(const faults::Sign& sign);
  /// What is known by now, each once.
  std::vector<FaultyEnd> take();

 private:
  using Signs = std::deque<faults::Sign>;
  struct OnBoard {
    std::string host;
    std::set<std::string> jobs;
    std::set<std::string> before;  // jobs that it let go of lately
    Signs signs;                   // of the board, lately
  };
  struct Job {
    std::map<faults::BoardId, Timestamp> ended;  // boards that let go of it
    std::set<faults::BoardId> holding;
    Timestamp newest{};
    bool told = false;
  };
  template <class Visit>
  void each_sign(faults::BoardId board, Visit visit) const;
  bool is_mute(faults::BoardId board) const;
  const faults::Sign* sign_before(const Job& job, Timestamp first_end, Timestamp last_end) const;
  void look(const std::string& name);
  void forget(Timestamp now);

  std::unordered_map<faults::BoardId, OnBoard> boards_;
  std::unordered_map<std::string, Signs> of_hosts_;  // signs of hosts themselves
  std::map<std::string, Job> jobs_;
  std::vector<FaultyEnd> found_;
  Timestamp next_sweep_{};
};

}  // namespace ghm::services
