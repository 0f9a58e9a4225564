#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/telemetry/page.h"

namespace ghm::job_attribution {

/// A Slurm job that a process belongs to.
struct SlurmJob {
  std::string id;             // "4711"
  telemetry::LabelMap facts;  // user, partition, job_name, array: as far as the environment may be read
  friend bool operator==(const SlurmJob&, const SlurmJob&) = default;
};

/// The job id in /proc/PID/cgroup: ".../slurm/uid_1000/job_4711/step_0/..." (v1), ".../slurmstepd.scope/job_4711/..." (v2).
/// Empty: not Slurm's. Slurm makes these groups, so unlike the environment a program cannot write another job into them.
std::string slurm_job_in_cgroup(std::string_view cgroup);

/// SLURM_JOB_ID and what goes with it, from /proc/PID/environ (NAME=value, separated by NUL); nullopt without an id.
/// Values are cut at 100 bytes and their bytes outside printable ASCII become '?': a program writes its environment itself.
std::optional<SlurmJob> slurm_job_in_environment(std::string_view environment);

/// Field 22 of /proc/PID/stat, the process's start in ticks since boot: with the number it names a process for ever.
std::optional<std::uint64_t> start_time(std::string_view stat);

}  // namespace ghm::job_attribution
